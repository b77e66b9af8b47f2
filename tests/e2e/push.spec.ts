// From `git push` to live: nobody does anything but push. The workflow is the rendered one, run by act; registry,
// watcher, engine and edge are the real ones; GitHub is ours.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Location } from "../../cli/search";
import type { StatusEntry } from "../../cli/status";
import type { Traffic } from "../../tools/traffic.mjs";
import { GitHubEmulator } from "../github/emulator";
import { Act, example } from "../workflows/act";
import { program } from "../workflows/programs";
import { Shop } from "../workflows/shop";
import { ask, docker, freePort, Project, type Stack, startTraffic } from "./harness";
import { Watching } from "./watching";

const commandLine = resolve(__dirname, "../../cli/tagalong.mjs");
const repository = { owner: "acme", name: "shop" };
const platform = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
const revision = "org.opencontainers.image.revision";

describe("git push, with Dev's watcher on", function () {
  this.timeout(600_000);

  const project = new Project(["server", "client"]);
  let github: GitHubEmulator;
  let shop: Shop;
  let act: Act;
  let stack: Stack;
  let port: number;
  let watching: Watching | undefined;
  let traffic: Traffic;
  /** The first commit, which the client stays at. */
  let first: string;
  /** What Dev serves. */
  let good: string;

  /** Pushes a commit, and runs what GitHub runs for it. @param onMoved when the tags have moved */
  async function push(message: string, files: Record<string, string>, onMoved = async () => {}) {
    const commit = shop.commit(files, message);
    github.runs.jobs.length = 0;
    let moved: Promise<void> | undefined;
    const ended = await act.run(
      "image",
      "push",
      { ref: "refs/heads/main" },
      {
        env: { GITHUB_API_URL: github.url, PAUSE: "250" },
        token: github.token({ actions: "read", contents: "read", deployments: "read" }),
        onJob: (job) => {
          github.runs.report(job);
          if (job.name === "move" && job.conclusion === "success") moved = onMoved();
        },
      },
    );
    await moved;
    return { commit, ...ended };
  }

  /** A file of the repository, changed. */
  const edited = (path: string, from: string | RegExp, to: string) => {
    const text = readFileSync(join(shop.work, path), "utf8");
    const changed = text.replace(from, to);
    assert.notEqual(changed, text, `${path} has no ${from}`);
    return { [path]: changed };
  };

  async function tagalong<T>(...args: string[]): Promise<T> {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [commandLine, ...args, "--json", "--cwd", project.folder],
      { env: stack.variables() },
    );
    return JSON.parse(stdout) as T;
  }
  const status = async () =>
    (await tagalong<{ environments: StatusEntry[] }>("status", "dev")).environments[0];
  const locate = async (commit: string) =>
    Object.fromEntries(
      (await tagalong<{ images: Location[] }>("locate", commit)).images.map((one) => [one.image, one]),
    );

  /** The commits that a user's answer comes from: the client's, and that of the server which it asked. */
  const answering = async () => {
    const answer = (await ask(port)) as { commit?: string; server?: { commit: string } };
    return { client: answer.commit, server: answer.server?.commit };
  };
  /** The commits that the running containers are labelled with. */
  const running = async () =>
    Object.fromEntries(
      await Promise.all(
        ["client", "server"].map(async (service) => {
          const [id = ""] = await stack.ids(service);
          const { Config } = await docker.getContainer(id).inspect();
          return [service, Config.Labels[revision]];
        }),
      ),
    );
  /** Commit and last state of each deployment, oldest first. */
  const shown = () =>
    github.deployments.all.toReversed().map(({ sha, statuses }) => [sha, statuses[0]?.state]);

  before(async function () {
    const path = program(this as unknown as Mocha.Context, "act");
    const workflows = { platforms: [platform], environments: ["dev"], wait: "2m" };
    shop = new Shop(workflows, project.images, project.name);
    github = await GitHubEmulator.start({ ...repository, origin: shop.origin });
    example(shop);
    act = new Act(path, shop);
    project.write("Pulumi.repository.yaml", { config: { "tagalong:repository": repository } });
    port = await freePort();
    const health = { path: "/healthz" };
    const env = { SERVER_URL: "http://server:8080" };
    stack = await project.stack("dev", {
      services: {
        server: { image: "server", port: 8080, health },
        client: { image: "client", port: 8080, publish: port, health, env },
      },
      rollout: { deadline: "10s", drain: "2s", interval: "1s", settle: "500ms", soak: "1s" },
    });
    Object.assign(stack.env, {
      GITHUB_TOKEN: github.token({ contents: "read", deployments: "write" }),
      GITHUB_API_URL: github.url,
    });
  });
  beforeEach(async () => {
    // The first brings the environment up.
    if (watching === undefined) return;
    traffic = await startTraffic({ url: `http://127.0.0.1:${port}`, rate: 40, slowMs: 500 });
  });
  afterEach(async () => {
    if (traffic === undefined) return;
    const { samples, failed, ok } = await traffic.stop();
    assert.deepEqual([samples, failed], [[], 0]);
    assert(ok > 0);
  });
  after(async () => {
    await watching?.end();
    await project.close();
    act?.close();
    shop?.remove();
    await github?.close();
  });

  it("builds both images of the first commit, and waits for whoever brings Dev up with them", async () => {
    const pushed = await push("feat: a shop", {}, async () => void (await stack.up()));
    assert.equal(pushed.status, 0, pushed.said);
    assert.equal(pushed.jobs["deployed"], "success");
    first = pushed.commit;
    assert.deepEqual(await answering(), { client: first, server: first });
    assert.deepEqual(shown(), [[first, "success"]]);
    watching = new Watching(stack);
    await watching.next("watching");
  });

  it("has a change of the server live in Dev, no request failed, and everybody names its commit", async () => {
    const clients = await stack.ids("client");
    const motto = edited("server/server.mjs", "{ database }", '{ database, motto: "fresh" }');
    const pushed = await push("feat: a motto", motto);
    assert.equal(pushed.status, 0, `${pushed.said}\n${watching?.output}`);
    assert.equal(pushed.jobs["deployed"], "success");
    assert.match(pushed.said, /dev: success: Healthy: server/);
    good = pushed.commit;
    const wanted = { client: first, server: good };
    assert.deepEqual(await answering(), wanted);
    assert.equal(((await ask(port)) as { server?: { motto: string } }).server?.motto, "fresh");
    assert.deepEqual(await running(), wanted);
    assert.deepEqual(await stack.ids("client"), clients, "the client was not touched");
    const { services, state } = (await status()) ?? assert.fail();
    assert.equal(state, "steady");
    assert.deepEqual(
      Object.fromEntries(Object.entries(services).map(([name, { commit }]) => [name, commit])),
      wanted,
    );
    const found = await locate(good);
    assert.deepEqual(Object.keys(found).sort(), ["client", "server"]);
    assert.equal(found["server"]?.commit, good);
    assert.equal(found["server"]?.digest, await shop.carried("server", "dev"));
    assert.equal(found["server"]?.environments["dev"]?.verdict.outcome, "healthy");
    for (const one of Object.values(found)) assert.equal(one.environments["dev"]?.runs, true, one.image);
    assert.deepEqual(shown(), [
      [first, "inactive"],
      [good, "success"],
    ]);
  });

  it("ends at once for a commit that changes no image, which still leads to what runs", async () => {
    const pushed = await push("docs: a word", { "README.md": "another word\n" });
    assert.equal(pushed.status, 0, pushed.said);
    assert.deepEqual(Object.keys(pushed.jobs).sort(), ["access", "changes", "move"]);
    const found = await locate(pushed.commit);
    assert.equal(found["server"]?.digest, await shop.carried("server", "dev"));
    for (const one of Object.values(found)) assert.equal(one.environments["dev"]?.runs, true, one.image);
    assert.deepEqual(await answering(), { client: first, server: good });
  });

  it("fails with the reason where the image never gets healthy, and Dev serves what it did", async () => {
    const before = await stack.ids();
    const pushed = await push(
      "feat: a mistake",
      edited("server/Dockerfile", "ARG BROKEN=", "ARG BROKEN=unhealthy"),
    );
    assert.notEqual(pushed.status, 0, pushed.said);
    assert.equal(pushed.jobs["deployed"], "failure");
    assert.match(pushed.said, /dev did not come up with it: failure: Rejected: server.*503/);
    assert.equal(pushed.jobs["notice"], "success");
    assert.match(pushed.said, /deployed: dev did not come up with it: failure: Rejected: server.*503/);
    assert.deepEqual(await answering(), { client: first, server: good });
    await watching?.next("returned");
    assert.deepEqual(await stack.ids(), before, "what served was not touched");
    const found = await locate(pushed.commit);
    assert.equal(found["server"]?.commit, pushed.commit);
    const { runs, carries, verdict } = found["server"]?.environments["dev"] ?? assert.fail();
    assert.deepEqual([runs, carries, verdict.outcome], [false, true, "rejected"]);
    assert.deepEqual(shown().at(-1), [pushed.commit, "failure"]);
  });

  it("has both images live when the next commit changes what they share, the mistake put right", async () => {
    const {
      commit,
      status: code,
      jobs,
      said,
    } = await push("fix: the mistake", {
      ...edited("server/Dockerfile", "ARG BROKEN=unhealthy", "ARG BROKEN="),
      ...edited("shared/service.mjs", "const noticeMs = 300;", "const noticeMs = 301;"),
    });
    assert.equal(code, 0, `${said}\n${watching?.output}`);
    assert.equal(jobs["deployed"], "success");
    assert.deepEqual(await answering(), { client: commit, server: commit });
    assert.deepEqual(await running(), { client: commit, server: commit });
  });
});
