// TagWatcher: the watcher as a container beside the environment that it follows.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { repository, Stage } from "../integration/github/stage";
import { ask, docker, freePort, Project, type Stack } from "./harness";
import { registry } from "./images";

const root = resolve(__dirname, "../..");
const image = `${registry}/tagalong/watcher-test:${randomBytes(4).toString("hex")}`;

describe("A watcher in a container", function () {
  this.timeout(600_000);

  const project = new Project(["server"]);
  let stack: Stack;
  let stage: Stage;
  let port: number;

  const watcher = () => docker.getContainer(`${project.name}-dev-watcher`);
  const push = (version: string, labels: Record<string, string> = {}) =>
    project.push("server", { version, labels }, "dev");
  const serves = async (version: string) => {
    while ((await ask(port)).version !== version) await new Promise((next) => setTimeout(next, 200));
  };

  before(async () => {
    execFileSync("node", [join(root, "tools", "run.mjs"), "image", "--tag", image, "--push"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    stage = await Stage.open();
    project.write("Pulumi.repository.yaml", { config: { "tagalong:repository": repository } });
    port = await freePort();
    await push("1");
    stack = await project.stack("dev", {
      services: { server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" } } },
      rollout: { interval: "1s", settle: "0s", soak: "1s", drain: "1s", deadline: "20s" },
      watcher: {
        image,
        backend: `file://${join(project.folder, "state")}`,
        secrets: ["PULUMI_CONFIG_PASSPHRASE", "GITHUB_TOKEN", "GITHUB_API_URL"],
      },
    });
    await stack.setSecret("PULUMI_CONFIG_PASSPHRASE", project.passphrase);
    await stack.setSecret("GITHUB_TOKEN", stage.emulator.token({ deployments: "write" }));
    await stack.setSecret("GITHUB_API_URL", stage.emulator.url);
    await stack.up();
  });
  after(async () => {
    await project.close();
    await docker.getImage(image).remove({ force: true });
    await stage.emulator.close();
  });

  it("rolls its environment forward, and is not changed by that itself", async () => {
    const before = await watcher().inspect();
    await push("2", { "org.opencontainers.image.revision": stage.commits[1] });
    await serves("2");
    assert.equal((await watcher().inspect()).Id, before.Id);
    assert.equal((await watcher().inspect()).RestartCount, 0);
  });

  it("shows on the repository's page what it rolls", async () => {
    while (stage.shown[0]?.at(-1) !== "success") await new Promise((next) => setTimeout(next, 200));
    assert.deepEqual(stage.shown[0]?.slice(0, 2), [2, "dev"]);
  });

  it("shows its secrets to nobody who inspects it, and leaves none in the state", async () => {
    assert(!JSON.stringify(await watcher().inspect()).includes(project.passphrase));
    assert(!(await stack.exportState()).text.includes(project.passphrase));
  });

  it("starts again by itself when it is killed, and goes on", async () => {
    const { State } = await watcher().inspect();
    process.kill(State.Pid, "SIGKILL");
    await push("3");
    await serves("3");
    assert.equal((await watcher().inspect()).RestartCount, 1);
  });

  it("needs nothing when a person updates the stack", async () => {
    await stack.refresh();
    assert.deepEqual(await stack.changes(), []);
  });

  it("goes with its environment", async () => {
    await stack.destroy();
    await assert.rejects(watcher().inspect(), { statusCode: 404 });
  });
});
