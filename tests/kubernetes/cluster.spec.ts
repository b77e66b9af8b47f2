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
  this.timeout(400_000);

  let earlier: Record<string, string[]>;
  let condition: Condition;
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
    const { folderOf, groupOf } = await importTool<Folder>("cluster/folder.mjs");
    folder = folderOf(name);
    group = groupOf(folder);
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
    const all = JSON.parse(await cluster("status", "--json")) as Condition[];
    assert.equal(all.find((each) => each.name === name)?.state, "up");
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

  it("stands beside another, begun by a run that was killed and finished by the next, and stays when that goes", async () => {
    const { folderOf, recorded } = await importTool<Folder>("cluster/folder.mjs");
    const killed = spawn(process.execPath, [command, "cluster", "up", "--name", `${name}-b`]);
    while (!recorded(folderOf(`${name}-b`)) && killed.exitCode === null) await sleep(20);
    killed.kill("SIGKILL");
    const other = await up("--name", `${name}-b`);
    assert.equal(other.state, "up");
    assert.notEqual(other.api, condition.api);
    assert.deepEqual(other.nodes, { ready: 1, all: 1 });
    await cluster("down", "--name", `${name}-b`);
    const all = JSON.parse(await cluster("status", "--json")) as Condition[];
    assert.deepEqual(
      all.filter((each) => each.name.startsWith(name)).map((each) => [each.name, each.state]),
      [[name, "up"]],
    );
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
    for (const kind of ["the folder", "processes", "network interfaces", "control groups"])
      assert.notDeepEqual(during[kind], [], `${kind}: none is found while it is up`);
    await cluster("down", "--name", name);
    for (const [kind, found] of Object.entries(tracesOf(folder, group))) {
      const left = found.filter((each) => !earlier[kind]?.includes(each));
      assert.deepEqual(left, [], `${kind} left behind`);
    }
  });
});
