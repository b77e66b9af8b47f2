import assert from "node:assert/strict";
import { GitHubError } from "../../../github";
import { Stage } from "./stage";

describe("What lies between two commits", () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open();
  });
  after(() => stage.emulator.close());

  const titles = (commits: { title: string }[]) => commits.map(({ title }) => title);

  it("is what a promotion brings, newest first", async () => {
    const [first, , third] = stage.commits;
    const found = await stage.github().compare(first, third);
    assert.deepEqual(
      [found.direction, titles(found.gained), found.gainedTotal, found.lost, found.lostTotal],
      ["ahead", ["The third", "The second"], 2, [], 0],
    );
    assert.deepEqual(found.gained[0], {
      sha: third,
      title: "The third",
      author: "ada",
      url: `${stage.emulator.url}/acme/shop/commit/${third}`,
    });
    assert.match(found.url, /\/acme\/shop\/compare\//);
  });

  it("is what a way back takes away", async () => {
    const [first, , third] = stage.commits;
    const found = await stage.github().compare(third, first);
    assert.deepEqual(
      [found.direction, found.gained, titles(found.lost), found.lostTotal],
      ["behind", [], ["The third", "The second"], 2],
    );
  });

  it("is both where histories part", async () => {
    const [first, , third] = stage.commits;
    const aside = await stage.emulator.commit("Aside\n\nwith a body", [first]);
    const found = await stage.github().compare(third, aside);
    assert.deepEqual(
      [found.direction, titles(found.gained), titles(found.lost)],
      ["diverged", ["Aside"], ["The third", "The second"]],
    );
  });

  it("is nothing between a commit and itself", async () => {
    const [first] = stage.commits;
    const found = await stage.github().compare(first, first);
    assert.deepEqual([found.direction, found.gained, found.lost], ["identical", [], []]);
  });

  it("shows an author whom GitHub does not know as Git does, and no terminal's commands", async () => {
    const [first] = stage.commits;
    const odd = await stage.emulator.commit("\u001b]0;owned\u0007\u001b[31mRed\r\nbody", [first], {
      name: "Grace Hopper",
      email: "grace@navy.example",
    });
    const { gained } = await stage.github().compare(first, odd);
    assert.deepEqual([gained[0]?.title, gained[0]?.author], ["Red", "Grace Hopper"]);
  });

  describe("where there is a lot", () => {
    const named = (from: number, to: number) =>
      Array.from({ length: from - to + 1 }, (_, i) => `Number ${from - i}`);
    let row: string[];
    before(async () => {
      row = [stage.commits[0]];
      for (let i = 1; i <= 12; i += 1)
        row.push(await stage.emulator.commit(`Number ${i}`, [row.at(-1) ?? ""]));
    });
    for (const most of [1, 3, 4, 5, 7, 11, 12, 13]) {
      it(`shows the newest ${Math.min(most, 12)} of 12, with their number`, async () => {
        stage.emulator.seen.length = 0;
        const found = await stage.github().compare(row[0] ?? "", row.at(-1) ?? "", { most });
        assert.deepEqual(titles(found.gained), named(12, Math.max(13 - most, 1)));
        assert.equal(found.gainedTotal, 12);
        assert.ok(stage.emulator.seen.length <= 3);
      });
    }
  });

  const refused: [
    string,
    () => { token?: string; commits?: [string, string] },
    GitHubError["reason"],
    RegExp,
  ][] = [
    [
      "a commit that was never pushed",
      () => ({ commits: [stage.commits[0], "f".repeat(40)] }),
      "not-found",
      /^acme\/shop has no commit f{40}: push it, or correct tagalong:repository in Pulumi\.repository\.yaml$/,
    ],
    [
      "two commits of another repository",
      () => ({ commits: ["e".repeat(40), "f".repeat(40)] }),
      "not-found",
      /^acme\/shop has no commit e{40} and no f{40}: push/,
    ],
    [
      "a token that may not read",
      () => ({ token: stage.emulator.token({ deployments: "write" }) }),
      "permission",
      /^the token in GITHUB_TOKEN may not read commits in acme\/shop .*give it "contents: read"/,
    ],
    [
      "a repository that the token does not see",
      () => ({ token: stage.emulator.token({ contents: "read" }, { repositories: [] }) }),
      "not-found",
      /^acme\/shop is not on GitHub, or hidden from the token in GITHUB_TOKEN .*"contents: read"/,
    ],
    ["a token that is none", () => ({ token: "ghp_wrong" }), "token", /^GitHub does not accept the token/],
  ];
  for (const [what, given, reason, message] of refused) {
    it(`is refused with the fix: ${what}`, async () => {
      const { token, commits = [stage.commits[0], stage.commits[1]] } = given();
      await assert.rejects(stage.github(token).compare(...commits), (error) => {
        assert.ok(error instanceof GitHubError);
        assert.equal(error.reason, reason);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it("keeps nobody waiting for the end of a limit", async () => {
    const { limit } = stage.emulator;
    const { remaining } = limit;
    limit.remaining = 0;
    await assert.rejects(
      stage.github().compare(stage.commits[0], stage.commits[1]),
      /rate limit .* used up until/,
    );
    limit.remaining = remaining;
    assert.deepEqual(stage.pauses, []);
  });

  it("is there for everybody where the repository is public", async () => {
    const open = await Stage.open({ isPrivate: false });
    try {
      const token = open.emulator.token({}, { repositories: [] });
      assert.equal((await open.github(token).compare(open.commits[0], open.commits[1])).direction, "ahead");
    } finally {
      await open.emulator.close();
    }
  });
});
