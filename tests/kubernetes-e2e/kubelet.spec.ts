// A node that falls silent in the middle of a roll, on a cluster of this spec's own: it is out of order for a while.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectCluster } from "../../provider/kubernetes/cluster";
import type { Engine } from "../e2e/engine";
import { ask, Project, type Stack, startTraffic } from "../e2e/harness";
import { Watching } from "../e2e/watching";
import { kubernetesAt } from "../kubernetes/engine";
import { processesOf } from "../kubernetes/traces";

const command = resolve(__dirname, "../../tools/run.mjs");
const name = `kubelet-${process.pid}`;

function clusterDo(...args: string[]): string {
  const all = [command, "cluster", ...args, "--name", name];
  return execFileSync(process.execPath, all, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

describe("A node whose kubelet stops in the middle of a roll", function () {
  this.timeout(600_000);

  const { KUBECONFIG: shared } = process.env;
  let folder: string;
  let engine: Engine;
  let project: Project;
  let stack: Stack;
  let url: string;
  let watching: Watching;

  const kubelet = (signal: NodeJS.Signals) => {
    const found = processesOf(folder, name).filter(({ program }) => program === "kubelet");
    assert.equal(found.length, 1);
    for (const { pid } of found) process.kill(pid, signal);
  };
  /** Stops the kubelet once a roll to the version has made a pod that is not ready yet. */
  const strike = async (version: string) => {
    const before = (await stack.ids("server")).length;
    await project.push("server", { version, env: { HEALTHY_AFTER_MS: "3000" } }, "dev");
    await watching.next("rolling");
    while ((await stack.ids("server")).length === before) await sleep(20);
    kubelet("SIGSTOP");
  };

  before(async () => {
    const { api, kubeconfig } = JSON.parse(clusterDo("up", "--json")) as { api: string; kubeconfig: string };
    folder = dirname(kubeconfig);
    process.env["KUBECONFIG"] = kubeconfig;
    engine = kubernetesAt(
      connectCluster({ context: `tagalong-${name}` }),
      new URL(api).hostname,
      `tagalong-${name}`,
    );
    project = new Project(["server"], engine);
    const port = await engine.freePort();
    url = engine.url(port);
    await project.push("server", { version: "1" }, "dev");
    const server = { image: "server", port: 8080, publish: port, replicas: 2, health: { path: "/healthz" } };
    stack = await project.stack("dev", {
      services: { server },
      rollout: { interval: "1s", settle: "0s", soak: "1s", drain: "1s", deadline: "20s" },
    });
    watching = new Watching(stack);
    await watching.next("healthy");
  });
  after(async () => {
    await watching?.end();
    await project?.close();
    clusterDo("down");
    process.env["KUBECONFIG"] = shared;
  });

  it("goes on with it when it is back in time", async () => {
    const traffic = await startTraffic({ url, kinds: ["new-connection"] });
    await strike("2");
    await sleep(8_000);
    kubelet("SIGCONT");
    await watching.next("healthy");
    assert.equal((await ask(url)).version, "2");
    assert.equal(watching.count("failed"), 0);
    assert.equal((await traffic.stop()).failed, 0);
  });

  it("does not make the image a bad one: what served goes on, and it is rolled when the node is back", async () => {
    const traffic = await startTraffic({ url, kinds: ["new-connection"] });
    await strike("3");
    assert.match((await watching.next("failed")).message, /was not (started|ready) within 20\.0 s/);
    await watching.next("returned");
    assert.equal((await ask(url)).version, "2");
    kubelet("SIGCONT");
    await watching.next("healthy");
    assert.equal((await ask(url)).version, "3");
    assert.equal(watching.count("rejected"), 0);
    assert.equal((await traffic.stop()).failed, 0);
  });
});
