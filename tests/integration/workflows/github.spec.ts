// What the scripts tell GitHub and people, and what they hear.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GitHub } from "../../workflows/github";
import { Shop } from "../../workflows/shop";

describe("The scripts that speak to GitHub", function () {
  this.timeout(240_000);
  let shop: Shop;
  let github: GitHub;

  before(() => {
    shop = new Shop();
    shop.commit({ "server/Dockerfile": "FROM scratch\n" });
  });
  beforeEach(async () => {
    github = await GitHub.start();
  });
  afterEach(() => github.close());
  after(() => shop.remove());

  const tell = (env: NodeJS.ProcessEnv = {}) => {
    for (const name of ["test", "dev"]) {
      mkdirSync(join(shop.folder, "pages", `preview.${name}`), { recursive: true });
      writeFileSync(join(shop.folder, "pages", `preview.${name}`, "preview.md"), `### ${name}\n`);
    }
    const PAGES = join(shop.folder, "pages");
    const ENVIRONMENTS = '["dev","test"]';
    return shop.script("comment", { ...github.env(), PULL_REQUEST: "7", PAGES, ENVIRONMENTS, ...env });
  };

  it("comment once, the environments in their order", async () => {
    const { status, said } = await tell();
    assert.equal(status, 0, said);
    assert.equal(github.comments.length, 1);
    assert.match(github.comments[0]?.body ?? "", /^<!-- tagalong: preview -->[\s\S]*### dev\n\n### test$/);
  });

  it("say where a preview is missing, and take back what is about no environment any more", async () => {
    assert.equal((await tell({ ENVIRONMENTS: "[]" })).status, 0);
    assert.equal(github.comments.length, 0, "nothing to say");
    await tell({ ENVIRONMENTS: '["dev","prod"]', GITHUB_RUN_ID: "9" });
    const [one] = github.comments;
    assert.match(one?.body ?? "", /### dev\n\n### prod\n\nThere is no preview: \[the log\]\(\S+\/runs\/9\)/);
    await tell({ ENVIRONMENTS: "[]" });
    assert.match(one?.body ?? "", /about no environment any more/);
    assert.equal(github.comments.length, 1);
  });

  it("update their comment behind hundreds of others, and leave a stranger's marker alone", async () => {
    const forged = github.comment("mallory", "<!-- tagalong: preview --> not ours");
    for (let index = 0; index < 250; index++) github.comment("ada", `talk ${index}`);
    const own = github.comment("github-actions[bot]", "<!-- tagalong: preview -->\n\nold");
    const twin = github.comment("github-actions[bot]", "<!-- tagalong: preview -->\n\nolder");
    assert.equal((await tell()).status, 0);
    assert.equal(github.comments.filter(({ body }) => body.includes("### dev")).length, 1);
    assert.match(own.body, /### dev/);
    assert.ok(!github.comments.includes(twin));
    assert.equal(forged.body, "<!-- tagalong: preview --> not ours");
  });

  it("say which permission may be missing", async () => {
    const { status, said } = await tell({ GITHUB_TOKEN: "other" });
    assert.equal(status, 1);
    assert.match(said, /GitHub answered 401 to GET .* the job's permissions/);
  });

  const failed = { id: 5, name: "unit", conclusion: "failure", completed_at: "2026-11-21T10:00:00Z" };

  it("name the first job that failed and its line, in the summary and in the chat", async () => {
    github.jobs = [
      ...Array.from({ length: 120 }, (_, id) => ({ ...failed, id, name: `b${id}`, conclusion: "success" })),
      { ...failed, html_url: "https://run/5", steps: [{ name: "npm test", conclusion: "failure" }] },
    ];
    github.log = "2026-11-21T10:00:00.0000000Z ##[error]adds up: expected `3`\n";
    const GITHUB_STEP_SUMMARY = join(shop.folder, "summary.md");
    const run = {
      GITHUB_RUN_ID: "1",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_WORKFLOW: "Check",
      GITHUB_REF_NAME: "main",
    };
    const env = { ...github.env(), ...run, GITHUB_STEP_SUMMARY, WEBHOOK: `${github.url}/chat` };
    const { status, said } = await shop.script("notice", env);
    assert.equal(status, 0, said);
    assert.match(said, /^unit, npm test: adds up: expected `3`/);
    assert.match(
      readFileSync(GITHUB_STEP_SUMMARY, "utf8"),
      /\(\[log\]\(https:\/\/run\/5\)\)\n\n`adds up: expected '3'`/,
    );
    assert.match(
      JSON.stringify(github.chat[0]),
      /acme\/shop: Check failed on main\. unit, npm test: adds up/,
    );
  });

  it("never show the chat's address, and fail nothing when it is wrong", async () => {
    github.jobs = [{ ...failed, html_url: "" }];
    const env = { ...github.env(), GITHUB_RUN_ID: "1", WEBHOOK: "http://127.0.0.1:9/T0/secret" };
    const { status, said } = await shop.script("notice", env);
    assert.equal(status, 0);
    assert.match(said, /The chat was not told: it does not answer/);
    assert.ok(!said.includes("/T0/"));
  });

  /** @param deployments states of each, the oldest first */
  const wait = (deployments: string[][], seconds = "5") => {
    github.deployments = deployments.map((states, index) => ({ id: index + 3, states }));
    const REVISION = "a".repeat(40);
    return shop.script("deployed", {
      ...{ ...github.env(), REVISION, ENVIRONMENT: "dev", SECONDS_TO_WAIT: seconds, PAUSE: "20" },
    });
  };

  it("wait for the environment to report, and take its word", async () => {
    assert.equal((await wait([["in_progress", "success"]])).status, 0);
    const { status, said } = await wait([["in_progress", "failure"]]);
    assert.equal(status, 1);
    assert.match(said, /dev did not come up with it: failure — npx tagalong history dev has the reason/);
  });

  it("go on waiting after an error, which the watcher tries again", async () => {
    const { status, said } = await wait([["in_progress", "error", "in_progress", "success"]]);
    assert.equal(status, 0, said);
    assert.match(said, /dev: error\n/);
  });

  it("take what served and was replaced for well, and what was reported twice for nothing", async () => {
    assert.equal((await wait([["in_progress", "success", "inactive"]])).status, 0);
    const twice = await wait([["in_progress", "failure"], ["inactive"]]);
    assert.equal(twice.status, 1, twice.said);
    assert.match(twice.said, /dev did not come up with it: failure/);
  });

  it("do not wait for ever", async () => {
    const { status, said } = await wait([], "1");
    assert.equal(status, 1);
    assert.match(said, /dev did not report within 1 s \(nothing was reported\)/);
  });

  it("find the environments that a push is about", async () => {
    const before = shop.git("rev-parse", "HEAD");
    shop.commit({ "tagalong/Pulumi.test.yaml": "config: {}\n" });
    const about = async (BASE: string) => (await shop.script("stacks", { BASE })).outputs["environments"];
    assert.equal(await about(before), '["test"]');
    assert.equal(await about("0".repeat(40)), '["dev","test"]');
    assert.equal(await about("f".repeat(40)), '["dev","test"]', "pushed by force");
  });
});
