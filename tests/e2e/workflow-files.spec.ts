// The workflow files that the repository's stack writes: what a preview says of them, that they come in one commit or in
// one pull request, and that whatever a person wrote is shown and stays.
import assert from "node:assert/strict";
import { PROPOSAL_BRANCH } from "../../github/files/proposal";
import { OnGitHub } from "./github";

const shop = "acme/shop";
const image = ".github/workflows/image.yml";
const release = ".github/workflows/release.yml";
const written = "Workflows: ";

interface Row {
  what: string;
  state: string;
  detail: string;
  page?: string;
}

/** The repository of a GitHub of our own, and what its stack says of the workflows. */
class Written {
  private constructor(readonly on: OnGitHub) {}

  static async open(options: { exists?: boolean } = {}): Promise<Written> {
    const own = new Written(await OnGitHub.open(options));
    own.configure({});
    return own;
  }

  configure(workflows: Record<string, unknown>, repository: Record<string, unknown> = {}): void {
    this.on.configure(repository);
    this.on.stack.configure({ workflows: { environments: ["dev"], ...workflows } });
  }

  get git() {
    return this.on.emulator.git;
  }

  text = (path: string, branch?: string) => this.git.text(shop, path, branch);
  commits = async (branch?: string) =>
    (await this.git.log(shop, branch)).filter((line) => line.startsWith(written));

  async rows(): Promise<Row[]> {
    const { stdout } = await this.on.stack.run("stack", "output", "access", "--json", "-s", "repository");
    return (JSON.parse(stdout) as Row[]).filter(
      ({ what }) => what.startsWith("workflows") || what.startsWith(".github/"),
    );
  }

  async pullRequest(): Promise<string> {
    return (await this.on.stack.run("stack", "output", "pullRequest", "-s", "repository")).stdout.trim();
  }

  async previewText(...args: string[]): Promise<string> {
    return (await this.on.stack.run("preview", "-s", "repository", ...args)).output;
  }
}

describe("The workflows of a repository that takes commits", function () {
  this.timeout(600_000);

  let own: Written;
  before(async () => {
    own = await Written.open();
    // Whoever may bypass the rules commits to the branch.
    own.configure({}, { bypass: ["admin"] });
    await own.git.push(shop, { ".github/workflows/nightly.yml": "name: Nightly\n" });
  });
  after(() => own.on.close());

  it("are named in a preview, which writes nothing", async () => {
    const said = await own.previewText();
    assert.match(said, /in one commit to main: \d+ new \(.*\.github\/workflows\/check\.yml/);
    assert.deepEqual(own.on.changes(), []);
  });

  it("come in one commit, and neither the token nor anything else of it stands in the state", async () => {
    const { output } = await own.on.stack.up();
    assert.deepEqual((await own.commits()).length, 1);
    const files = await own.git.files(shop);
    for (const path of [image, release, ".github/tagalong/run.mjs", ".github/renovate.json"])
      assert.ok(files.includes(path), path);
    assert.equal(await own.text(".github/workflows/nightly.yml"), "name: Nightly\n");
    const { text } = await own.on.stack.exportState();
    for (const said of [text, output]) assert.ok(!said.includes(own.on.token));
    assert.equal(await own.pullRequest(), "");
  });

  it("are left alone by the next update, in one of another state as well", async () => {
    own.on.changes();
    await own.on.stack.up();
    await own.on.stack.up("--expect-no-changes");
    await own.on.stack.refresh("--expect-no-changes");
    assert.deepEqual(await own.rows(), [
      { what: "workflows", state: "ok", detail: `${(await own.git.files(shop)).length - 2} files on main` },
    ]);
    const other = own.on.project.again("repository");
    Object.assign(other.env, own.on.stack.env);
    await other.run("stack", "init", "repository");
    const { output } = await other.run("preview", "-s", "repository");
    assert.match(output, /main has them already/);
    assert.deepEqual(own.on.changes(), []);
  });

  it("follow the config in one more commit; a preview names each file", async () => {
    own.configure({ platforms: ["linux/amd64"], renovate: false }, { bypass: ["admin"] });
    const [step] = (await own.on.stack.preview()).filter(({ urn }) => urn.includes("WorkflowFiles"));
    const details = (step as unknown as { detailedDiff: Record<string, { kind: string }> }).detailedDiff;
    assert.deepEqual(
      Object.entries(details).map(([path, { kind }]) => `${kind} ${path}`),
      ['delete files[".github/renovate.json"]', 'update files[".github/tagalong/settings.json"]'],
    );
    assert.match(await own.previewText("--diff"), /- platform: "linux\/arm64"/);
    await own.on.stack.up();
    assert.equal((await own.commits()).length, 2);
    assert.equal(await own.text(".github/renovate.json"), undefined);
    assert.doesNotMatch((await own.text(".github/tagalong/settings.json")) ?? "", /arm64/);
  });

  it("that somebody edited are shown, and stay, until the config names them", async () => {
    const edited = `${await own.text(image)}# by hand\n`;
    await own.git.push(shop, { [image]: edited });
    assert.match(
      await own.previewText(),
      /warning: \.github\/workflows\/image\.yml: was edited by hand since it was rendered, and is left as it is: .*tagalong:workflows\.overwrite \(https:\/\/github\.com\/acme\/shop\/blob\/main\/\.github\/workflows\/image\.yml\)/,
    );
    await own.on.stack.up();
    assert.equal(await own.text(image), edited);
    assert.deepEqual(
      (await own.rows()).map(({ what, state }) => `${state} ${what}`),
      ["ok workflows", `click ${image}`],
    );
    const values = { platforms: ["linux/amd64"], renovate: false, overwrite: [image] };
    own.configure(values, { bypass: ["admin"] });
    assert.deepEqual(
      (await own.on.stack.changes()).filter((line) => line.includes("WorkflowFiles")),
      ["update WorkflowFiles repository: files"],
    );
    await own.on.stack.up();
    assert.doesNotMatch((await own.text(image)) ?? "", /by hand/);
  });

  it("come back where somebody removed them", async () => {
    await own.git.push(shop, { [release]: null });
    assert.match(
      await own.previewText(),
      /in one commit to main: 1 new \(\.github\/workflows\/release\.yml\)/,
    );
    await own.on.stack.up();
    assert.match((await own.text(release)) ?? "", /^# Rendered by Tagalong/);
  });

  it("stay when the config has no word for them any more", async () => {
    const before = await own.git.tip(shop);
    await own.on.stack.run("config", "rm", "tagalong:workflows", "-s", "repository");
    const { output } = await own.on.stack.up();
    assert.match(output, /\d+ files stay in acme\/shop/);
    assert.equal(await own.git.tip(shop), before);
  });
});

describe("The workflows of a repository whose rules ask for pull requests", function () {
  this.timeout(600_000);

  let own: Written;
  before(async () => {
    own = await Written.open();
  });
  after(() => own.on.close());

  it("come straight in with the first update, which sets the rules after them", async () => {
    await own.on.stack.up();
    assert.equal((await own.commits()).length, 1);
    assert.equal(own.on.emulator.rulesets.all.length, 2);
    assert.deepEqual(own.on.emulator.pulls.all, []);
  });

  it("come in one pull request from then on", async () => {
    own.configure({ platforms: ["linux/amd64"] });
    assert.match(await own.previewText(), /in a pull request to main, whose rules ask for one: 1 changed/);
    await own.on.stack.up();
    const url = `${own.on.emulator.url}/acme/shop/pull/1`;
    assert.equal(await own.pullRequest(), url);
    assert.equal((await own.commits()).length, 1);
    assert.equal((await own.commits(PROPOSAL_BRANCH)).length, 2);
  });

  it("wait there: nothing is done while it is open, and the preview says so", async () => {
    await own.on.stack.up();
    own.on.changes();
    assert.match(await own.previewText(), /warning: workflows: 1 file waits for the merge of #1 \(http/);
    await own.on.stack.up("--expect-no-changes");
    assert.deepEqual(own.on.changes(), []);
    assert.match(await own.pullRequest(), /pull\/1$/);
  });

  it("are updated in the same one", async () => {
    own.configure({ platforms: ["linux/amd64"], check: { unit: ["npm test"] } });
    await own.on.stack.up();
    assert.equal(own.on.emulator.pulls.all.length, 1);
    assert.match(own.on.emulator.pulls.all[0]?.body ?? "", /check\.yml/);
    assert.match((await own.text(".github/workflows/check.yml", PROPOSAL_BRANCH)) ?? "", /npm test/);
  });

  it("are there once it is merged", async () => {
    await own.on.emulator.pulls.merge(1);
    const steps = (await own.on.stack.changes()).filter((line) => line.includes("Workflow"));
    assert.deepEqual(
      steps.filter((line) => !line.includes("WorkflowRepositoryPermissions")),
      [],
    );
    await own.on.stack.up();
    assert.deepEqual(
      (await own.rows()).map(({ state }) => state),
      ["ok"],
    );
    assert.equal(await own.pullRequest(), "");
  });

  it("stay when the stack goes", async () => {
    const before = await own.git.tip(shop);
    await own.on.stack.run("state", "unprotect", "--all", "--yes", "-s", "repository");
    assert.match((await own.on.stack.destroy()).output, /\d+ files stay in acme\/shop/);
    assert.equal(await own.git.tip(shop), before);
  });
});

describe("The workflows, where an update is killed between commit and branch", function () {
  this.timeout(600_000);

  it("come in one commit with the next", async () => {
    const own = await Written.open();
    const { emulator, stack } = own.on;
    emulator.onAnswer = ({ method, path }) => {
      if (method === "POST" && path.endsWith("/git/commits")) stack.kill();
    };
    const { code } = await stack.start("up", "--yes", "--skip-preview", "-s", "repository").done;
    assert.notEqual(code, 0);
    assert.deepEqual(await own.commits(), []);
    emulator.onAnswer = () => {};
    await stack.cancel();
    await stack.up();
    assert.equal((await own.commits()).length, 1);
    assert.equal(await own.pullRequest(), "");
    await own.on.close();
  });
});

describe("The workflows that cannot be written", function () {
  this.timeout(600_000);

  let own: Written;
  afterEach(() => own.on.close());

  it("for want of a scope say so before anything is changed", async () => {
    own = await Written.open();
    own.on.stack.env["GITHUB_TOKEN"] = own.on.emulator.token(
      {},
      { scopes: ["repo", "read:org"], repositories: "all" },
    );
    assert.match(
      await own.on.stack.upFails(),
      /nothing was changed: the token lacks the scope workflow, without which GitHub lets nobody write workflows/,
    );
    assert.deepEqual(own.on.changes(), []);
  });

  it("since there is no commit yet wait for one", async () => {
    own = await Written.open({ exists: false });
    await own.on.stack.up();
    const [row] = await own.rows();
    assert.match(
      row?.detail ?? "",
      /there is no commit to write them on: push one, then run pulumi up again/,
    );
    await own.git.push(shop, { "README.md": "# Shop\n" });
    await own.on.stack.up();
    assert.match(await own.pullRequest(), /pull\/1$/);
  });
});
