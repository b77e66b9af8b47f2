// TagWatcher: the watcher as a pod of the environment that it follows, its state on a volume.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Deployment, V1Lease, V1Pod } from "@kubernetes/client-node";
import { parse } from "yaml";
import { find, type Labelled, labelled, pathOf, resources } from "../../provider/kubernetes/api";
import { watcherName } from "../../provider/kubernetes/layout";
import { becomes } from "../e2e/engine";
import { ask, Project, type Stack, startTraffic } from "../e2e/harness";
import { registry } from "../e2e/images";
import { slay, Watching } from "../e2e/watching";
import { cluster, namespaceOf, onKubernetes } from "../kubernetes/engine";
import { claimVolume, removeVolume, runAsPod } from "./volume";

type Pod = V1Pod & Labelled;

const tools = resolve(__dirname, "../../tools/run.mjs");
const image = `tagalong/watcher-test:${randomBytes(4).toString("hex")}`;
/** The machine's registry under the one name that the machine, the node and the pods all have for it. */
const shared = `${new URL(onKubernetes.url(1)).hostname}:${registry.split(":")[1]}`;
const kubeconfig = process.env["KUBECONFIG"] ?? "";
const kubectl = join(dirname(kubeconfig), "bin", "kubectl");
const { "current-context": context } = parse(readFileSync(kubeconfig, "utf8")) as Record<string, string>;

/** Kills whatever runs in a watcher's pod, all at once: by force, the API forgets a pod and its node does not. */
function powerCut(pod: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, "utf8").includes(`TAGALONG_POD=${pod}\0`)) slay(Number(pid));
    } catch {
      // It has ended by itself.
    }
  }
}

describe("A watcher in a pod", function () {
  this.timeout(600_000);

  const project = new Project(["server"], onKubernetes);
  let stack: Stack;
  let namespace: string;
  let url: string;

  const until = async (holds: () => Promise<boolean> | boolean) => {
    while (!(await holds())) await sleep(100);
  };
  const push = (version: string, env: Record<string, string> = {}) =>
    project.push("server", { version, env }, "dev");
  const serves = (version: string) => until(async () => (await ask(url)).version === version);
  const pods = async () => {
    const labels = { "app.kubernetes.io/component": watcherName };
    const found = await labelled<Pod>(cluster, resources.pods, namespace, labels);
    return found.filter(({ metadata }) => !metadata.deletionTimestamp);
  };
  const pod = async () => (await pods())[0] ?? assert.fail("there is no watcher");
  const podPath = (name: string) => pathOf(resources.pods, namespace, name);
  const log = (name: string) => cluster.text(`${podPath(name)}/log`);
  /** Keeps what a pod that is about to end says until then. */
  const follow = async (name: string, said: string[]) => {
    while ((await find(cluster, podPath(name))) !== undefined) {
      said.splice(0, said.length, await log(name).catch(() => ""));
      await sleep(500);
    }
  };
  const deployment = (name: string) =>
    cluster.get<V1Deployment>(pathOf(resources.deployments, namespace, name));
  const lease = () => cluster.get<V1Lease>(pathOf(resources.leases, namespace, watcherName));
  const holds = async (name: string) => (await lease()).spec?.holderIdentity?.startsWith(`${name}_`) ?? false;
  const locks = () => {
    const folder = join(project.folder, "state", ".pulumi", "locks");
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".json"),
    );
  };
  /** Ends the watcher's pod in the middle of a roll; the name of its successor, once that has the environment. */
  const interrupt = async (version: string, end: (pod: string) => Promise<unknown>) => {
    const digest = await push(version, { HEALTHY_AFTER_MS: "4000" });
    await until(async () => JSON.stringify((await deployment("server")).spec).includes(digest));
    const { name: former = "" } = (await pod()).metadata;
    assert.notDeepEqual(locks(), [], "no roll is under way");
    await end(former);
    await until(async () => (await pods()).some(({ metadata }) => metadata.name !== former));
    const { name = "" } = (await pod()).metadata;
    await until(() => holds(name));
    return name;
  };
  /** What becomes of the environment after that. */
  const converged = async (version: string) => {
    await serves(version);
    await until(() => locks().length === 0);
    assert.deepEqual(await stack.changes(), []);
    const { items } = await cluster.list<Labelled>(pathOf(resources.secrets, namespace));
    assert.equal(items.length, 1, JSON.stringify(items.map(({ metadata }) => metadata.name)));
  };

  before(async () => {
    const args = ["image", "--engine", "kubernetes", "--tag", `${registry}/${image}`, "--push"];
    execFileSync("node", [tools, ...args], { stdio: ["ignore", "ignore", "inherit"] });
    const port = await onKubernetes.freePort();
    url = onKubernetes.url(port);
    await push("1");
    stack = await project.stack("dev", {
      kubernetes: { context },
      images: { server: { repository: `${shared}/${project.repository("server")}` } },
      services: {
        server: { image: "server", port: 8080, publish: port, replicas: 2, health: { path: "/healthz" } },
      },
      rollout: { interval: "1s", settle: "0s", soak: "1s", drain: "1s", deadline: "90s" },
      watcher: {
        image: `${shared}/${image}`,
        backend: `file://${join(project.folder, "state")}?metadata=skip`,
        volumeClaim: "state",
        secrets: ["PULUMI_CONFIG_PASSPHRASE", "TAGALONG_INSECURE_REGISTRIES"],
      },
    });
    namespace = namespaceOf(stack);
    stack.env["TAGALONG_INSECURE_REGISTRIES"] = shared;
    await cluster.post(pathOf(resources.namespaces), {
      metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
    await claimVolume(project, namespace);
    runAsPod(stack);
    await stack.setSecret("PULUMI_CONFIG_PASSPHRASE", project.passphrase);
    await stack.setSecret("TAGALONG_INSECURE_REGISTRIES", shared);
    await stack.up();
  });
  after(async () => {
    await project.close();
    await removeVolume(project);
    execFileSync("docker", ["image", "rm", "--force", `${registry}/${image}`], { stdio: "ignore" });
  });

  it("rolls its environment forward, and is not changed by that itself", async () => {
    await push("2");
    await serves("2");
    const [one, ...more] = await pods();
    assert.deepEqual(more, []);
    const [{ restartCount } = { restartCount: undefined }] = one?.status?.containerStatuses ?? [];
    assert.equal(restartCount, 0, await log(one?.metadata.name ?? ""));
    assert.equal((await deployment(watcherName)).metadata?.generation, 1);
  });

  it("shows its secrets to nobody who may read its Deployment or its log", async () => {
    const { name = "" } = (await pod()).metadata;
    const shown = [JSON.stringify(await deployment(watcherName)), await log(name)].join();
    assert(!shown.includes(project.passphrase));
    assert(!(await stack.exportState()).text.includes(project.passphrase));
  });

  it("is alive to the kubelet as long as it gets to do anything", async () => {
    const { name = "" } = (await pod()).metadata;
    const [{ livenessProbe } = { livenessProbe: undefined }] = (await pod()).spec?.containers ?? [];
    const probe = livenessProbe?.exec?.command ?? [];
    const exec = (...command: string[]) => {
      const args = ["exec", name, "--namespace", namespace, "--", ...command];
      return spawnSync(kubectl, args, { encoding: "utf8" });
    };
    assert.equal(exec(...probe).status, 0);
    // As a process that hangs leaves it.
    const hung = "fs.utimesSync('/tmp/heartbeat', 0, 0)";
    const seen = exec("node", "-e", `${hung}; ${probe.at(-1)}`);
    assert.equal(seen.status, 1, seen.stderr);
    await until(() => exec(...probe).status === 0);
  });

  it("has the environment to itself: a second one outside waits, and says for whom", async () => {
    const second = new Watching(stack);
    try {
      const { message } = await second.next("waiting");
      assert.match(
        message,
        new RegExp(`another watcher has the environment \\(${(await pod()).metadata.name}_`),
      );
      await second.stop();
      assert.equal(second.count("waiting"), 1);
      assert.equal(second.count("watching"), 0);
    } finally {
      await second.end();
    }
  });

  it("ends a roll that is under way when its pod is deleted, and its successor goes on from there", async () => {
    const traffic = await startTraffic({ url, kinds: ["new-connection"] });
    const former: string[] = [];
    await interrupt("3", async (pod) => {
      await cluster.delete(podPath(pod));
      void follow(pod, former);
    });
    assert.equal((await ask(url)).version, "3", former.join("\n"));
    await converged("3");
    assert.equal((await traffic.stop()).failed, 0);
  });

  it("is replaced when its pod is killed in the middle of a roll, and that is brought to an end", async () => {
    const traffic = await startTraffic({ url, kinds: ["new-connection"] });
    const name = await interrupt("4", async (pod) => {
      await cluster.delete(podPath(pod), { gracePeriodSeconds: 0 });
      powerCut(pod);
    });
    await until(async () => (await log(name)).includes('"event":"healthy"'));
    await converged("4");
    assert.match(await log(name), /cleared the lock of an update whose process is gone/);
    assert.equal((await traffic.stop()).failed, 0);
  });

  it("needs nothing when a person updates the stack", async () => {
    await stack.refresh();
    assert.deepEqual(await stack.changes(), []);
  });

  it("goes with its environment, and so does its Lease", async () => {
    await stack.destroy();
    await becomes(onKubernetes, () => onKubernetes.left(stack), [`namespaces/${namespace}`]);
    assert.equal(await find(cluster, pathOf(resources.leases, namespace, watcherName)), undefined);
  });
});
