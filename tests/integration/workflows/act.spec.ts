// The workflows of the example repository, run for real by act: a push builds what changed, two platforms become one index,
// and an annotated tag releases.
import assert from "node:assert/strict";
import { Act, example } from "../../workflows/act";
import { GitHub } from "../../workflows/github";
import { program, run as runProgram } from "../../workflows/programs";
import { Shop } from "../../workflows/shop";
import { types } from "../registry/images";

describe("The example repository", function () {
  this.timeout(600_000);
  let shop: Shop;
  let act: Act;
  let github: GitHub;

  before(async function () {
    const path = program(this as unknown as Mocha.Context, "act");
    github = await GitHub.start();
    shop = new Shop({
      platforms: ["linux/amd64", "linux/arm64"],
      check: { hadolint: false, unit: ["node --test shared/test/*.test.mjs"] },
    });
    example(shop);
    shop.commit({}, "feat: a shop");
    act = new Act(path, shop);
  });
  after(async () => {
    await github?.close();
    act?.close();
    shop?.remove();
  });

  /** Runs a workflow, its jobs reported as GitHub would have them. */
  function run(workflow: string, event: string, payload: unknown) {
    github.jobs = [];
    return act.run(workflow, event, payload, {
      env: { GITHUB_API_URL: github.url },
      onJob: ({ name, conclusion, log }) => {
        const id = github.jobs.push({
          name,
          conclusion,
          completed_at: new Date().toISOString(),
          html_url: "",
        });
        if (conclusion === "failure" && github.log === "") github.log = log.join("\n");
        Object.assign(github.jobs.at(-1) ?? {}, { id });
      },
    });
  }
  const push = () => run("image", "push", { ref: "refs/heads/main" });
  const digests = (tag: string) => Promise.all(shop.images.map((image) => shop.carried(image, tag)));

  /** What the first platform's image of a tag is told of itself. */
  async function configuration(image: string, tag: string) {
    const read = async (path: string) => {
      const accept = `${types.oci.index}, ${types.oci.manifest}, ${types.docker.manifest}`;
      return JSON.parse(await (await shop.ask(image, "GET", path, { headers: { accept } })).text());
    };
    const { manifests } = await read(`manifests/${tag}`);
    const { config } = await read(`manifests/${manifests[0].digest}`);
    return (await read(`blobs/${config.digest}`)).config as { Labels: object; Env: string[] };
  }

  it("has both images built for both platforms, and every tag moved to their indexes", async () => {
    const { status, jobs, said } = await push();
    assert.equal(status, 0, said);
    assert.deepEqual(Object.keys(jobs).sort(), [
      "access",
      "changes",
      "client.linux-amd64",
      "client.linux-arm64",
      "merge client",
      "merge server",
      "move",
      "server.linux-amd64",
      "server.linux-arm64",
    ]);
    const head = shop.git("rev-parse", "HEAD");
    const carried = await digests("dev");
    assert.deepEqual(await digests(`sha-${head}`), carried);
    assert.deepEqual(await digests("latest"), carried);
    const accept = types.oci.index;
    const index = await shop.ask("server", "GET", `manifests/${carried[0]}`, { headers: { accept } });
    const { manifests } = (await index.json()) as { manifests: { platform: { architecture: string } }[] };
    assert.deepEqual(manifests.map(({ platform }) => platform.architecture).sort(), ["amd64", "arm64"]);
  });

  it("is built for this machine alone by docker-build, as the workflow builds it", async () => {
    const { status, said } = runProgram(
      process.execPath,
      [".github/tagalong/docker-build.mjs", "--tag", "try", "server"],
      shop.work,
    );
    const name = `${shop.repository("server")}:try`;
    assert.equal(status, 0, said);
    assert.equal(said.split("\n")[0], name, "alone on standard output");
    const inspected = runProgram("docker", ["inspect", "--format", "{{json .Config}}", name], shop.work).said;
    const { Labels, Env } = JSON.parse(inspected);
    const pushed = await configuration("server", "dev");
    assert.deepEqual([Labels, Env], [pushed.Labels, pushed.Env]);
  });

  it("has nothing built by a commit that changes no image, which is tagged all the same", async () => {
    const before = await digests("dev");
    const head = shop.commit({ "README.md": "another word\n" });
    const { status, jobs, said } = await push();
    assert.equal(status, 0, said);
    assert.deepEqual(Object.keys(jobs).sort(), ["access", "changes", "move"]);
    assert.deepEqual(await digests(`sha-${head}`), before);
  });

  it("has the server alone built by a commit that changes the server", async () => {
    const [server, client] = await digests("dev");
    shop.commit({ "server/note.txt": "more\n" }, "feat: a note");
    const { status, jobs, said } = await push();
    assert.equal(status, 0, said);
    assert.deepEqual(Object.keys(jobs).sort(), [
      ...["access", "changes", "merge server", "move", "server.linux-amd64", "server.linux-arm64"],
    ]);
    const [newServer, sameClient] = await digests("dev");
    assert.notEqual(newServer, server);
    assert.equal(sameClient, client);
  });

  it("has a pull request checked, with what it changes built and not pushed", async () => {
    const base = shop.git("rev-parse", "HEAD");
    const before = await digests("dev");
    shop.git("checkout", "--quiet", "-b", "feature");
    shop.commit({ "client/note.txt": "more\n" });
    const payload = { pull_request: { number: 7, base: { sha: base }, head: { repo: { fork: false } } } };
    const { status, jobs, said } = await run("check", "pull_request", payload);
    shop.git("checkout", "--quiet", "main");
    assert.equal(status, 0, said);
    assert.deepEqual(Object.keys(jobs).sort(), [
      "changes",
      "client.linux-amd64",
      "client.linux-arm64",
      "gate",
      "unit",
    ]);
    for (const job of ["unit", "changes", "build"])
      assert.match(said, new RegExp(`All is well: .*${job} success`));
    assert.deepEqual(await digests("dev"), before);
  });

  it("has its default branch checked, where image.yml does the building", async () => {
    const { status, jobs, said } = await run("check", "push", { ref: "refs/heads/main" });
    assert.equal(status, 0, said);
    assert.deepEqual(jobs, { changes: "success", gate: "success", unit: "success" });
  });

  it("has a pull request refused by the gate when a check fails, and the line that says why told", async () => {
    const base = shop.git("rev-parse", "HEAD");
    shop.git("checkout", "--quiet", "-b", "broken");
    shop.commit({ "shared/test/broken.test.mjs": "throw new Error('broken');\n" });
    const payload = { pull_request: { number: 8, base: { sha: base }, head: { repo: { fork: false } } } };
    const { status, jobs, said } = await run("check", "pull_request", payload);
    shop.git("checkout", "--quiet", "main");
    assert.notEqual(status, 0);
    assert.deepEqual([jobs["unit"], jobs["gate"]], ["failure", "failure"], said);
    assert.match(said, /unit: .*broken/);
    assert.ok(!Object.keys(jobs).some((name) => name.includes("linux")));
  });

  /** Tags what is checked out, and runs what GitHub would run for it. */
  function release(tag: string, ...args: string[]) {
    shop.git("tag", ...args, tag);
    shop.git("push", "--quiet", "origin", `refs/tags/${tag}`);
    return run("release", "push", { ref: `refs/tags/${tag}` });
  }

  it("has both images released by an annotated tag, with a changelog, and nothing built again", async () => {
    const { status, jobs, said } = await release("v1.0.0", "--annotate", "--message", "The first shop");
    assert.equal(status, 0, said);
    assert.deepEqual(Object.keys(jobs).sort(), ["changelog", "check", "publish", "tag"]);
    const carried = await digests("dev");
    for (const tag of ["1.0.0", "1.0", "latest"]) assert.deepEqual(await digests(tag), carried, tag);
    const [made, ...more] = github.releases;
    assert.deepEqual([made?.tag_name, made?.draft, more], ["v1.0.0", false, []]);
    assert.match(made?.body ?? "", /^The first shop\n\n## Changes\n\n### Features\n/);
    assert.match(made?.body ?? "", /- a note \([0-9a-f]{7}\)/);
    for (const digest of carried) assert.ok(made?.body.includes(digest ?? "none"));
  });

  it("has no release by a lightweight tag", async () => {
    const { status, jobs, said } = await release("v1.0.1");
    assert.notEqual(status, 0);
    assert.equal(jobs["check"], "failure");
    assert.match(said, /the tag v1\.0\.1 is lightweight/);
    assert.deepEqual(await digests("1.0.1"), [undefined, undefined]);
  });

  it("has no release by a tag off the default branch", async () => {
    shop.git("checkout", "--quiet", "feature");
    const { status, jobs, said } = await release("v1.0.2", "--annotate", "--message", "x");
    shop.git("checkout", "--quiet", "main");
    assert.notEqual(status, 0);
    assert.equal(jobs["check"], "failure");
    assert.match(said, /v1\.0\.2 is on [0-9a-f]{40}, which is not on main/);
    assert.equal(github.releases.length, 1);
  });
});
