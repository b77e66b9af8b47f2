// Rolls on the repository's page, with a GitHub of our own.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { repository, Stage } from "../integration/github/stage";
import { freePort, Project, type Stack } from "./harness";
import { Watching } from "./watching";

describe("A watcher whose repository is on GitHub", function () {
  this.timeout(600_000);

  const project = new Project(["server"]);
  let stage: Stage;
  let stack: Stack;
  let watching: Watching;
  let env: NodeJS.ProcessEnv;

  const push = (version: string, commit: 1 | 2 | 3, changes: Record<string, string> = {}) =>
    project.push(
      "server",
      {
        version,
        env: changes,
        labels: { "org.opencontainers.image.revision": stage.commits[commit - 1] ?? "" },
      },
      "dev",
    );
  /** Waits until the page shows these deployments, oldest first: commit and last state. */
  const shows = async (...wanted: [commit: number, state: string][]) => {
    const shown = () => stage.shown.map(([commit, , ...states]) => [commit, states.at(-1)]);
    for (let left = 300; left > 0 && JSON.stringify(shown()) !== JSON.stringify(wanted); left -= 1)
      await pause(100);
    assert.deepEqual(shown(), wanted, watching.output);
  };

  before(async () => {
    stage = await Stage.open();
    const token = stage.emulator.token({ deployments: "write" });
    env = { GITHUB_TOKEN: token, GITHUB_API_URL: stage.emulator.url };
    project.write("Pulumi.repository.yaml", { config: { "tagalong:repository": repository } });
    const server = { image: "server", port: 8080, publish: await freePort(), health: { path: "/healthz" } };
    stack = await project.stack("dev", {
      services: { server },
      rollout: { deadline: "20s", drain: "1s", interval: "1s", settle: "0s", soak: "2s" },
    });
    await push("1", 1);
    watching = new Watching(stack, { env });
  });
  after(async () => {
    await watching?.end();
    await project.close();
    await stage.emulator.close();
  });

  it("shows there what runs", async () => {
    await watching.next("healthy");
    await shows([1, "success"]);
    const [deployment] = stage.emulator.deployments.all;
    assert.equal(deployment?.environment, "dev");
  });

  it("shows what was rejected, and that the one before still serves", async () => {
    await push("bad", 2, { EXIT_CODE: "1" });
    await watching.next("rejected");
    await shows([1, "success"], [2, "failure"]);
  });

  it("shows the end of a roll that it was killed in", async () => {
    await push("3", 3);
    await watching.next("live");
    await shows([1, "success"], [2, "failure"], [3, "in_progress"]);
    await watching.powerCut();
    watching = new Watching(stack, { env });
    await shows([1, "inactive"], [2, "failure"], [3, "success"]);
  });

  it("shows the end of a roll that GitHub did not take before it was killed", async () => {
    const [latest] = stage.emulator.deployments.all;
    assert(latest);
    latest.statuses.length = 0;
    await watching.powerCut();
    watching = new Watching(stack, { env });
    await shows([1, "inactive"], [2, "failure"], [3, "success"]);
  });

  it("rolls all the same, and says why once, where GitHub is told nothing", async () => {
    await watching.stop();
    watching = new Watching(stack, { env: { GITHUB_API_URL: stage.emulator.url } });
    assert.match(
      (await watching.next("unreported")).message,
      /^acme\/shop on GitHub is told nothing: .*no token/,
    );
    await push("4", 1);
    await watching.next("healthy");
    assert.equal(watching.count("unreported"), 1);
    await shows([1, "inactive"], [2, "failure"], [3, "success"]);
  });

  it("says once what its token lacks, and rolls all the same", async () => {
    await watching.stop();
    const token = stage.emulator.token({ deployments: "read" });
    watching = new Watching(stack, { env: { ...env, GITHUB_TOKEN: token } });
    await push("5", 2);
    const { message } = await watching.next("unreported");
    assert.match(message, /may not write deployments in acme\/shop .*"deployments: write"/);
    await watching.next("healthy");
    await push("6", 3);
    await watching.next("healthy");
    await watching.stop();
    assert.equal(watching.count("unreported"), 1);
    assert(!watching.output.includes(token));
  });
});

describe("A pulumi up by hand whose repository is on GitHub", function () {
  this.timeout(600_000);

  const project = new Project(["server"]);
  let stage: Stage;
  let stack: Stack;

  const push = (version: string, commit: 1 | 2 | 3, env: Record<string, string> = {}) => {
    const labels = { "org.opencontainers.image.revision": stage.commits[commit - 1] ?? "" };
    return project.push("server", { version, env, labels }, "dev");
  };

  before(async () => {
    stage = await Stage.open();
    project.write("Pulumi.repository.yaml", { config: { "tagalong:repository": repository } });
    const server = { image: "server", port: 8080, publish: await freePort(), health: { path: "/healthz" } };
    stack = await project.stack("dev", {
      services: { server },
      rollout: { deadline: "20s", drain: "1s", soak: "1s" },
    });
    const token = stage.emulator.token({ deployments: "write" });
    Object.assign(stack.env, {
      GITHUB_TOKEN: token,
      GITHUB_API_URL: stage.emulator.url,
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_RUN_ID: "7",
    });
  });
  after(async () => {
    await project.close();
    await stage.emulator.close();
  });

  it("shows there what runs, with the page of the workflow that did it, when it returns", async () => {
    await push("1", 1);
    await stack.up();
    assert.deepEqual(stage.shown, [[1, "dev", "in_progress", "in_progress", "success"]]);
    const [status] = stage.emulator.deployments.all[0]?.statuses ?? [];
    assert.equal(status?.log_url, "https://github.com/acme/shop/actions/runs/7");
  });

  it("shows what it refused", async () => {
    await push("2", 2, { EXIT_CODE: "1" });
    await assert.rejects(stack.up());
    assert.deepEqual(
      stage.shown.map(([commit, , ...states]) => [commit, states.at(-1)]),
      [
        [1, "success"],
        [2, "failure"],
      ],
    );
  });

  it("says what is in the way, and rolls all the same", async () => {
    stack.env["GITHUB_TOKEN"] = stage.emulator.token({});
    await push("3", 3);
    const { output } = await stack.up();
    assert.match(output, /may not write deployments in acme\/shop .*"deployments: write"/);
    assert(!output.includes(stack.env["GITHUB_TOKEN"]));
    delete stack.env["GITHUB_TOKEN"];
    await push("4", 1);
    assert.match((await stack.up()).output, /acme\/shop on GitHub is told nothing: there is no token/);
  });
});
