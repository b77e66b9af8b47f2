// Our files in a repository on a GitHub of our own: one commit, or one pull request where the rules ask for one, and
// nothing of what a person wrote.
import assert from "node:assert/strict";
import { Client } from "../../../github";
import { blobSha, type RenderedFile } from "../../../github/files/plan";
import { PROPOSAL_BRANCH } from "../../../github/files/proposal";
import { SIGN, sealed, UNSEALED } from "../../../github/files/seal";
import { type FilesFacts, inspectFiles, type Target, writeFiles } from "../../../github/files/write";
import { type Fault, GitHubEmulator } from "../../github/emulator";
import type { Token } from "../../github/world";

const shop = "acme/shop";
const check = ".github/workflows/check.yml";
const release = ".github/workflows/release.yml";
const script = ".github/tagalong/run.sh";
const writer: Token["permissions"] = { contents: "write", workflows: "write", pull_requests: "write" };

const file = (path: string, content: string): RenderedFile => ({
  path,
  text: sealed(`# ${SIGN}\n# ${UNSEALED}\n${content}\n`),
  mode: path.endsWith(".sh") ? "100755" : "100644",
});
const rendered = (version = 1): RenderedFile[] => [
  file(check, `check ${version}`),
  file(release, "release"),
  file(script, "run"),
];

describe("Files in a repository", () => {
  let emulator: GitHubEmulator;
  beforeEach(async () => {
    emulator = await GitHubEmulator.start({ owner: "acme", name: "shop" });
    await emulator.git.push(
      shop,
      { "README.md": "# Shop\n", "src/index.js": "1\n" },
      { message: "The shop" },
    );
  });
  afterEach(() => emulator.close());

  const client = (token = emulator.token(writer)) =>
    new Client(
      { owner: "acme", name: "shop" },
      { baseUrl: emulator.url, token, variable: "GITHUB_TOKEN" },
      { now: Date.now, pause: async () => {} },
    );
  const target = (changes: Partial<Target> = {}): Target => ({
    ...{ branch: "main", files: rendered(), overwrite: [] },
    ...changes,
  });
  const write = (changes?: Partial<Target>) => writeFiles(client(), target(changes));
  const inspect = (changes?: Partial<Target>, token?: string): Promise<FilesFacts> =>
    inspectFiles(client(token), target(changes), true);
  const branches = async () =>
    ((await emulator.world.ask("GET", `/repos/${shop}/branches`)).body as { name: string }[]).map(
      ({ name }) => name,
    );
  const text = (path: string, branch?: string) => emulator.git.text(shop, path, branch);
  const rule = (changes: object = {}) =>
    emulator.rulesets.add(shop, {
      ...{ name: "Rules", target: "branch", enforcement: "active" },
      conditions: { ref_name: { include: ["~DEFAULT_BRANCH"], exclude: [] } },
      rules: [{ type: "pull_request" }, { type: "deletion" }],
      ...changes,
    });
  /** First lines of the commits since the shop's own, newest first. */
  const commits = async (branch?: string) => {
    const log = await emulator.git.log(shop, branch);
    return log.slice(0, log.indexOf("The shop"));
  };
  /** What was changed, as `METHOD path status`. */
  const changed = () => emulator.asked.filter((line) => !line.startsWith("GET "));

  it("come in one commit, with their modes, and leave the others alone", async () => {
    const { plan, byPullRequest } = await inspect();
    assert.deepEqual(plan, { changes: { [check]: "new", [release]: "new", [script]: "new" }, left: {} });
    assert.equal(byPullRequest, false);
    const { commit, pullRequest } = await write();
    assert.deepEqual([commit, pullRequest], [await emulator.git.tip(shop), ""]);
    assert.deepEqual(await commits(), ["Workflows: 3 files as the config says"]);
    assert.equal((await emulator.git.files(shop)).length, 5);
    assert.equal(await text(check), rendered()[0]?.text);
    assert.equal(await emulator.git.mode(shop, script), "100755");
  });

  it("are not written again, by whomever", async () => {
    await write();
    emulator.seen.length = 0;
    assert.deepEqual(await write(), { commit: "", pullRequest: "" });
    assert.deepEqual((await inspect()).plan, { changes: {}, left: {} });
    assert.deepEqual(changed(), []);
  });

  it("are asked for by few questions, however large the repository is", async () => {
    await write();
    emulator.seen.length = 0;
    await inspect();
    assert.equal(emulator.asked.length, 5);
  });

  it("follow the config, and go when they are rendered no more", async () => {
    await write();
    const files = rendered(2).filter(({ path }) => path !== release);
    assert.deepEqual((await inspect({ files })).plan.changes, { [check]: "changed", [release]: "removed" });
    await write({ files });
    assert.deepEqual((await emulator.git.files(shop)).sort(), [script, check, "README.md", "src/index.js"]);
    assert.equal((await commits()).length, 2);
  });

  it("get their mode back", async () => {
    await write();
    await emulator.git.push(shop, { [script]: { text: rendered()[2]?.text ?? "", mode: "100644" } });
    await write();
    assert.equal(await emulator.git.mode(shop, script), "100755");
  });

  it("that a person edited stay, and so do a person's own, until their paths are named", async () => {
    await emulator.git.push(shop, { [release]: "name: Mine\n" });
    await write();
    await emulator.git.push(shop, { [check]: `${await text(check)}# by hand\n` });
    const { plan } = await inspect({ files: rendered(2) });
    assert.deepEqual(plan, { changes: {}, left: { [check]: "edited", [release]: "foreign" } });
    assert.deepEqual(await write({ files: rendered(2) }), { commit: "", pullRequest: "" });
    const named = { files: rendered(2), overwrite: [check, release] };
    assert.deepEqual((await inspect(named)).plan.changes, { [check]: "changed", [release]: "changed" });
    await write(named);
    assert.equal(await text(check), rendered(2)[0]?.text);
    assert.equal(await text(release), rendered()[1]?.text);
  });

  it("that a person edited and nothing renders any more stay too", async () => {
    await write();
    await emulator.git.push(shop, { [script]: `${await text(script)}# by hand\n` });
    const files = rendered().slice(0, 2);
    assert.deepEqual((await inspect({ files })).plan, { changes: {}, left: { [script]: "leftover" } });
    await write({ files, overwrite: [script] });
    assert.equal(await text(script), undefined);
  });

  it("do not replace a file where a folder is needed", async () => {
    await emulator.git.push(shop, { ".github/tagalong": "a file\n" });
    assert.deepEqual((await inspect({ overwrite: [script] })).plan.left, { [script]: "blocked" });
    await write({ overwrite: [script] });
    assert.equal(await text(".github/tagalong"), "a file\n");
  });

  it("leave workflows of the repository's own, and do not even read them", async () => {
    const own = ".github/workflows/nightly.yml";
    await emulator.git.push(shop, { [own]: "name: Nightly\n" });
    await write();
    assert.equal(await text(own), "name: Nightly\n");
    assert.ok(!emulator.asked.some((line) => line.includes(blobSha("name: Nightly\n"))));
  });

  it("wait for a first commit", async () => {
    const empty = await GitHubEmulator.start({ owner: "acme", name: "shop", exists: false });
    await empty.world.ask("POST", "/orgs/acme/repos", { name: "shop", private: true });
    const asks = new Client(
      { owner: "acme", name: "shop" },
      { baseUrl: empty.url, token: empty.token(writer), variable: "GITHUB_TOKEN" },
    );
    assert.equal((await inspectFiles(asks, target(), true)).isEmpty, true);
    assert.deepEqual(await writeFiles(asks, target()), { commit: "", pullRequest: "" });
    await empty.close();
  });

  it("need a token that may write workflows, which is found out before", async () => {
    const problem = async (permissions: Token["permissions"]) =>
      (await inspect({}, emulator.token(permissions))).problem;
    const said = /may not write workflows in acme\/shop .*give it "contents: write, workflows: write"/;
    assert.match((await problem({ contents: "write", pull_requests: "read" })) ?? "", said);
    assert.match(
      (await problem({ contents: "read", workflows: "write", pull_requests: "read" })) ?? "",
      said,
    );
    assert.match((await problem({ pull_requests: "read" })) ?? "", /may not read commits/);
    assert.equal(await problem({ contents: "write", workflows: "write" }), undefined);
    rule();
    assert.match((await problem({ contents: "write", workflows: "write" })) ?? "", /pull_requests: write/);
    assert.equal(await emulator.git.tip(shop, PROPOSAL_BRANCH), undefined);
  });

  describe("where rules ask for a pull request", () => {
    beforeEach(() => void rule());

    it("come in one, which says what changes and where it comes from", async () => {
      assert.equal((await inspect()).byPullRequest, true);
      const { pullRequest } = await write();
      const [pull] = emulator.pulls.all;
      assert.equal(pullRequest, `${emulator.url}/acme/shop/pull/1`);
      assert.equal(pull?.title, "Workflows: 3 files as the config says");
      assert.match(
        pull?.body ?? "",
        /^Rendered by Tagalong from tagalong:workflows, in Pulumi\.repository\.yaml/,
      );
      assert.match(pull?.body ?? "", /- new: `\.github\/workflows\/check\.yml`/);
      assert.deepEqual([await commits(), (await commits(PROPOSAL_BRANCH)).length], [[], 1]);
    });

    it("stay as they are while it is open and nothing changes, whatever else is pushed", async () => {
      await write();
      await emulator.git.push(shop, { "src/index.js": "2\n" });
      emulator.seen.length = 0;
      const { open, isWaiting } = await inspect();
      assert.deepEqual(open, { url: `${emulator.url}/acme/shop/pull/1`, number: 1, edited: [] });
      assert.equal(isWaiting, true);
      assert.deepEqual(await write(), { commit: "", pullRequest: open?.url });
      assert.deepEqual(changed(), []);
    });

    it("are updated in the same one, with what somebody else has put there", async () => {
      await write();
      await emulator.git.push(shop, { "docs.md": "Docs\n" }, { branch: PROPOSAL_BRANCH });
      const edited = `${await text(release, PROPOSAL_BRANCH)}# by hand\n`;
      await emulator.git.push(shop, { [release]: edited }, { branch: PROPOSAL_BRANCH });
      const files = [...rendered(2), file(".github/tagalong/more.sh", "more")];
      assert.deepEqual((await inspect({ files })).isWaiting, false);
      assert.deepEqual((await inspect({ files })).open?.edited, [release]);
      const before = await emulator.git.tip(shop, PROPOSAL_BRANCH);
      await write({ files });
      assert.equal(emulator.pulls.all.length, 1);
      assert.equal(emulator.pulls.all[0]?.title, "Workflows: 4 files as the config says");
      assert.deepEqual(await branches(), ["main", PROPOSAL_BRANCH]);
      assert.equal(await text(check, PROPOSAL_BRANCH), rendered(2)[0]?.text);
      assert.equal(await text(release, PROPOSAL_BRANCH), edited);
      assert.equal(await text("docs.md", PROPOSAL_BRANCH), "Docs\n");
      const { body } = await emulator.world.ask(
        "GET",
        `/repos/${shop}/compare/${before}...${await emulator.git.tip(shop, PROPOSAL_BRANCH)}`,
      );
      assert.equal((body as { status: string }).status, "ahead");
    });

    for (const keepsBranch of [false, true]) {
      it(`are there once it is merged, and come in another the next time${keepsBranch ? ", the branch still there" : ""}`, async () => {
        await write();
        await emulator.pulls.merge(1, { keepsBranch });
        emulator.seen.length = 0;
        const facts = await inspect();
        assert.deepEqual([facts.plan, facts.open], [{ changes: {}, left: {} }, undefined]);
        assert.deepEqual(await write(), { commit: "", pullRequest: "" });
        assert.deepEqual(changed(), []);
        await emulator.git.push(shop, { "src/index.js": "3\n" });
        await write({ files: rendered(2) });
        assert.deepEqual(
          emulator.pulls.all.map(({ number, state }) => [number, state]),
          [
            [1, "closed"],
            [2, "open"],
          ],
        );
        await emulator.pulls.merge(2);
        assert.equal(await text(check), rendered(2)[0]?.text);
        assert.equal(await text("src/index.js"), "3\n");
        assert.deepEqual((await inspect({ files: rendered(2) })).plan.changes, {});
      });
    }

    it("go straight to the branch for whoever may bypass them", async () => {
      emulator.rulesets.all.length = 0;
      rule({ bypass_actors: [{ actor_id: 5, actor_type: "RepositoryRole", bypass_mode: "always" }] });
      assert.equal((await inspect()).byPullRequest, false);
      await write();
      assert.equal((await commits()).length, 1);
    });
  });

  it("come in a pull request where GitHub refuses the commit otherwise than by rules", async () => {
    emulator.git.protected.add(`${shop} main`);
    const { pullRequest } = await write();
    assert.equal(pullRequest, `${emulator.url}/acme/shop/pull/1`);
    assert.equal((await inspect()).isWaiting, true);
    emulator.seen.length = 0;
    assert.deepEqual(await write(), { commit: "", pullRequest });
    assert.deepEqual(changed(), []);
  });

  it("stay in a pull request that is open when the rules that asked for it are gone", async () => {
    rule();
    await write();
    emulator.rulesets.all.length = 0;
    assert.equal((await inspect({ files: rendered(2) })).byPullRequest, true);
    await write({ files: rendered(2) });
    assert.equal(await text(check, PROPOSAL_BRANCH), rendered(2)[0]?.text);
    assert.equal(await text(check), undefined);
  });

  it("take no permission for pull requests where none is needed", async () => {
    const token = emulator.token({ contents: "write", workflows: "write" });
    await writeFiles(client(token), target());
    assert.equal((await commits()).length, 1);
  });

  it("go on top of what somebody pushes at the same moment", async () => {
    let isDone = false;
    emulator.onAnswer = async ({ path }) => {
      if (!path.endsWith("/git/commits") || isDone) return;
      isDone = true;
      await emulator.git.push(shop, { "src/index.js": "4\n" });
    };
    await write();
    assert.deepEqual(await commits(), ["Workflows: 3 files as the config says", "By hand"]);
    assert.equal(await text("src/index.js"), "4\n");
  });

  const writes: [string, string][] = [
    ["POST", "git/trees"],
    ["POST", "git/commits"],
    ["PATCH", "git/refs"],
  ];
  const proposes: [string, string][] = [...writes.slice(0, 2), ["POST", "git/refs"], ["POST", "pulls"]];
  for (const [isRuled, requests] of [
    [false, writes],
    [true, proposes],
  ] as const) {
    for (const [method, what] of requests) {
      for (const how of ["lost", "silent"] as const) {
        it(`are written once where ${method} ${what} gets no answer and is ${how === "lost" ? "" : "not "}done${isRuled ? ", in a pull request" : ""}`, async () => {
          if (isRuled) rule();
          const fault: Fault = { method, path: new RegExp(`/${what}`), how };
          emulator.fail(fault);
          await write();
          const branch = isRuled ? PROPOSAL_BRANCH : "main";
          assert.equal((await commits(branch)).length, 1);
          assert.equal(emulator.pulls.all.length, isRuled ? 1 : 0);
          assert.equal(await text(check, branch), rendered()[0]?.text);
        });
      }
      it(`are gone on with after a kill at ${method} ${what}${isRuled ? ", in a pull request" : ""}`, async () => {
        if (isRuled) rule();
        emulator.fail({ method, path: new RegExp(`/${what}`), how: "silent", times: 3 });
        await assert.rejects(write(), /GitHub did not answer/);
        await write();
        const branch = isRuled ? PROPOSAL_BRANCH : "main";
        assert.equal((await commits(branch)).length, 1);
        assert.equal(emulator.pulls.all.length, isRuled ? 1 : 0);
      });
    }
  }
});
