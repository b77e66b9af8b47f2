// What lies between two commits: a Git repository of the test's own, and what is said where it does not know them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GitHubError } from "../../../github";
import { commitsBetween } from "../../../watcher/commits";

describe("The commits between two images", () => {
  const folder = mkdtempSync(join(tmpdir(), "commits-"));
  const project = join(folder, "deploy", "shop");
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" }).trim();
  const commit = (title: string) => {
    git("-c", "user.name=Ada", "-c", "user.email=ada@acme", "commit", "-q", "--allow-empty", "-m", title);
    return git("rev-parse", "HEAD");
  };
  const nobody = { why: "nobody else was asked" };
  const elsewhere = "f".repeat(40);
  let commits: string[];

  before(() => {
    mkdirSync(project, { recursive: true });
    git("init", "-q", "-b", "main");
    commits = ["one", "two", "three \u001b[31mred"].map(commit);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("are those of the repository above the project's folder, newest first, with nothing a terminal obeys", async () => {
    const [one, , three] = commits;
    const found = await commitsBetween(one, three, project, nobody);
    assert.ok(found.kind === "known" && found.source === "Git");
    assert.equal(found.comparison.direction, "ahead");
    assert.deepEqual(
      found.comparison.gained.map(({ title, author }) => `${title} ${author}`),
      ["three red Ada", "two Ada"],
    );
    assert.equal(found.comparison.lostTotal, 0);
  });

  it("are taken back on a way back, and both on a way across", async () => {
    const [one, two, three] = commits;
    const back = await commitsBetween(three, one, project, nobody);
    assert.ok(back.kind === "known");
    assert.deepEqual([back.comparison.direction, back.comparison.lostTotal], ["behind", 2]);
    git("checkout", "-q", two ?? "");
    const side = commit("side");
    const across = await commitsBetween(three, side, project, nobody);
    assert.ok(across.kind === "known");
    assert.deepEqual(
      [across.comparison.direction, across.comparison.gained[0]?.title, across.comparison.lostTotal],
      ["diverged", "side", 1],
    );
  });

  it("are none of one commit", async () => {
    const found = await commitsBetween(commits[0], commits[0], project, nobody);
    assert.ok(found.kind === "known" && found.comparison.direction === "identical");
  });

  it("are asked of GitHub where the repository here lacks one", async () => {
    const asked: string[] = [];
    const comparison = {
      direction: "ahead",
      gained: [],
      gainedTotal: 3,
      lost: [],
      lostTotal: 0,
      url: "u",
    } as const;
    const found = await commitsBetween(commits[0], elsewhere, project, async (...range) => {
      asked.push(...range);
      return { ...comparison, gained: [], lost: [] };
    });
    assert.ok(found.kind === "known" && found.source === "GitHub");
    assert.deepEqual(asked, [commits[0], elsewhere]);
  });

  const unknown: [
    what: string,
    from: string | undefined,
    to: string | undefined,
    ask: Parameters<typeof commitsBetween>[3],
    why: RegExp,
  ][] = [
    [
      "no image says its own",
      undefined,
      undefined,
      nobody,
      /^neither image says which commit it is of \(org\.opencontainers\.image\.revision\)$/,
    ],
    ["the new image does not say its own", "a".repeat(40), undefined, nobody, /^the new image does not say/],
    [
      "a label is no commit",
      "--output=/etc/passwd",
      "a".repeat(40),
      nobody,
      /^"--output=\/etc\/passwd", which an image is labelled with, is no commit$/,
    ],
    [
      "nobody has it",
      "a".repeat(40),
      elsewhere,
      nobody,
      /^aaaaaaaaaaaa or ffffffffffff is not in the Git repository of this folder \(`git fetch` may get it\), and nobody else was asked$/,
    ],
    ["GitHub lacks it too", "a".repeat(40), elsewhere, async () => undefined, /, nor is it on GitHub$/],
    [
      "GitHub is out of reach",
      "a".repeat(40),
      elsewhere,
      async () => {
        throw new GitHubError("unreachable", "GitHub did not answer");
      },
      /, and GitHub does not say: GitHub did not answer$/,
    ],
  ];
  for (const [what, from, to, ask, why] of unknown) {
    it(`are not known where ${what}, and that is said`, async () => {
      const found = await commitsBetween(from, to, project, ask);
      assert.ok(found.kind === "unknown");
      assert.match(found.why, why);
    });
  }
});
