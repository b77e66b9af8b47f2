import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { importTool } from "../unit/tools/import-module";
import { processesOf, tracesOf } from "./traces";

type Folder = typeof import("../../tools/cluster/folder.mjs");

const run = promisify(execFile);

interface Condition {
  name: string;
  state: string;
  nodes: { ready: number; all: number };
  pods: number;
  api: string;
  kubeconfig: string;
}

const command = resolve(__dirname, "../../tools/run.mjs");
const cluster = async (...args: string[]) =>
  (await run(process.execPath, [command, "cluster", ...args])).stdout;
const up = async (...args: string[]) => JSON.parse(await cluster("up", "--json", ...args)) as Condition;

const status = async () => JSON.parse(await cluster("status", "--json")) as Condition[];

/** What a cluster that runs is found by. */
const own = ["the folder", "processes", "network interfaces", "control groups"];

const name = `spec-${process.pid}`;
const image = process.env["TAGALONG_BASE_IMAGE"] ?? "";

const labels = { app: "greeter" };
const pod = (args: string[], more: object = {}) => ({
  terminationGracePeriodSeconds: 0,
  containers: [{ name: "main", image, command: ["node", "-e", ...args], ...more }],
});
const greeter = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "greeter" },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: pod(["require('http').createServer((_, r) => r.end('hello')).listen(8080)"], {
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
      }),
    },
  },
};
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "greeter" },
  spec: { type: "NodePort", selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
};
const caller = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "caller" },
  spec: {
    restartPolicy: "Never",
    ...pod(["fetch('http://greeter.default.svc.cluster.local').then((r) => r.text()).then(console.log)"]),
  },
};
const crowd = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "crowd" },
  spec: {
    replicas: 40,
    selector: { matchLabels: { app: "crowd" } },
    template: {
      metadata: { labels: { app: "crowd" } },
      spec: {
        ...pod([""]),
        nodeSelector: { type: "kwok" },
        tolerations: [{ key: "kwok.x-k8s.io/node", operator: "Exists" }],
      },
    },
  },
};

describe("A cluster for tests", function () {
  this.timeout(600_000);

  let earlier: Record<string, string[]>;
  let condition: Condition;
  let tools: Folder;
  let folder: string;
  let group: string;

  const kubectl = async (args: string[], input?: object) => {
    const env = { ...process.env, KUBECONFIG: condition.kubeconfig };
    const running = run(join(folder, "bin", "kubectl"), args, { env });
    running.child.stdin?.end(input ? JSON.stringify(input) : "");
    return (await running).stdout;
  };
  const apply = (object: object) => kubectl(["apply", "-f", "-"], object);

  before(async () => {
    tools = await importTool<Folder>("cluster/folder.mjs");
    folder = tools.folderOf(name);
    group = tools.groupOf(folder);
    earlier = tracesOf(folder, group);
    condition = await up("--name", name, "--nodes", "2");
  });

  after(async () => {
    for (const each of [name, `${name}-b`]) await cluster("down", "--name", each);
  });

  it("is up with its nodes, and says so in a table and as JSON", async () => {
    assert.equal(condition.state, "up");
    assert.deepEqual(condition.nodes, { ready: 3, all: 3 });
    assert.match(
      await cluster("status"),
      new RegExp(`^${name} +up +3/3 +\\d+ +${condition.api} +${condition.kubeconfig}$`, "m"),
    );
    assert.equal((await status()).find((each) => each.name === name)?.state, "up");
  });

  it("runs an image of the local registry, and a pod calls it through its Service by name", async () => {
    await apply(greeter);
    await apply(service);
    await kubectl(["rollout", "status", "deployment/greeter", "--timeout=120s"]);
    await apply(caller);
    await kubectl(["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/caller", "--timeout=120s"]);
    assert.equal(await kubectl(["logs", "caller"]), "hello\n");
  });

  it("answers on the machine itself at the Service's node port", async () => {
    const port = await kubectl(["get", "service", "greeter", "-o", "jsonpath={.spec.ports[0].nodePort}"]);
    const { hostname } = new URL(condition.api);
    assert.equal(await (await fetch(`http://${hostname}:${port}`)).text(), "hello");
  });

  it("lets a command run in a pod", async () => {
    assert.equal(await kubectl(["exec", "deployment/greeter", "--", "echo", "here"]), "here\n");
  });

  it("has no way out but to the local registry", async () => {
    const tries = "require('net').connect(80, '192.0.2.1').on('error', ({ code }) => console.log(code))";
    const said = await kubectl(["exec", "deployment/greeter", "--", "node", "-e", tries]);
    assert.match(said, /^E(NET|HOST)UNREACH$/m);
  });

  it("plays any number of pods on nodes that exist in the API only, with the image ID of a real one", async () => {
    await apply(crowd);
    await kubectl(["rollout", "status", "deployment/crowd", "--timeout=120s"]);
    const ids = await kubectl([
      "get",
      "pods",
      "-l",
      "app=crowd",
      "-o",
      "jsonpath={.items[*].status.containerStatuses[0].imageID}",
    ]);
    assert.deepEqual(ids.split(" "), Array(40).fill(image));
  });

  it("is brought up once, however often it is asked for", async () => {
    const told = await cluster("up", "--name", name, "--nodes", "2");
    assert.match(told, new RegExp(`^export KUBECONFIG=${condition.kubeconfig}$`, "m"));
    await assert.rejects(
      up("--name", name, "--nodes", "3"),
      new RegExp(`${name} is up, with 2 fake nodes\\n  npm run cluster -- down --name ${name}`),
    );
    assert.equal(await kubectl(["exec", "deployment/greeter", "--", "echo", "here"]), "here\n");
  });

  it("stands beside another, which a killed run began and the next finished, and stays when that is killed", async () => {
    const other = tools.folderOf(`${name}-b`);
    const killed = spawn(process.execPath, [command, "cluster", "up", "--name", `${name}-b`]);
    while (!tools.recorded(other) && killed.exitCode === null) await sleep(20);
    killed.kill("SIGKILL");
    const { state, api, nodes } = await up("--name", `${name}-b`);
    assert.deepEqual({ state, nodes }, { state: "up", nodes: { ready: 1, all: 1 } });
    assert.notEqual(api, condition.api);

    process.kill(tools.recorded(other)?.process.pid ?? 0, "SIGKILL");
    while (processesOf(other, tools.groupOf(other)).length) await sleep(20);
    const states = (await status()).filter((each) => each.name.startsWith(name));
    assert.deepEqual(
      states.map((each) => [each.name, each.state]),
      [
        [name, "up"],
        [`${name}-b`, "down"],
      ],
    );
    await cluster("down", "--name", `${name}-b`);
    const left = tracesOf(other, tools.groupOf(other));
    for (const kind of own) assert.deepEqual(left[kind], [], `${kind} left behind`);
    assert.equal(await kubectl(["exec", "deployment/greeter", "--", "echo", "here"]), "here\n");
  });

  it("starts again what ended, as a machine would", async () => {
    const scheduler = processesOf(folder, group).find(({ program }) => program === "kube-scheduler");
    assert.ok(scheduler);
    process.kill(scheduler.pid, "SIGKILL");
    await kubectl(["scale", "deployment/greeter", "--replicas=3"]);
    await kubectl(["rollout", "status", "deployment/greeter", "--timeout=120s"]);
  });

  it("is gone without a trace when it is taken down", async () => {
    const during = tracesOf(folder, group);
    for (const kind of own) assert.notDeepEqual(during[kind], [], `${kind}: none is found while it is up`);
    await cluster("down", "--name", name);
    for (const [kind, found] of Object.entries(tracesOf(folder, group))) {
      const left = found.filter((each) => !earlier[kind]?.includes(each));
      assert.deepEqual(left, [], `${kind} left behind`);
    }
  });
});
