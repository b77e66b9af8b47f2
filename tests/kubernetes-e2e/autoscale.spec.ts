// How many replicas a service has where an autoscaler decides: never for a moment what somebody else has thought of.
import assert from "node:assert/strict";
import type { V1Deployment } from "@kubernetes/client-node";
import { pathOf, resources } from "../../provider/kubernetes/api";
import { connectCluster } from "../../provider/kubernetes/cluster";
import { Project, type Stack } from "../e2e/harness";
import { namespaceOf, onKubernetes } from "../kubernetes/engine";

describe("A service with an autoscaler", function () {
  this.timeout(180_000);

  const cluster = connectCluster({ context: "" });
  const over = new AbortController();
  /** By service, the numbers that its Deployment has asked for, one after the other. */
  const asked: Record<string, number[]> = {};
  let project: Project;
  let stack: Stack;

  const service = { image: "server", port: 8080, resources: { cpu: 0.1 } };
  const configure = (server: Record<string, unknown>) =>
    stack.configure({
      services: {
        server: { ...service, ...server },
        client: { ...service, autoscale: { min: 2, max: 4 } },
      },
    });
  const path = (name?: string) => pathOf(resources.deployments, namespaceOf(stack), name);
  const deployment = (name: string) => cluster.get<V1Deployment>(path(name));

  async function watch(): Promise<void> {
    let position = "0";
    while (!over.signal.aborted) {
      const ask = { resourceVersion: position, signal: over.signal };
      for await (const { type, object } of cluster.watch<V1Deployment>(path(), ask)) {
        position = object.metadata?.resourceVersion ?? position;
        const [name, replicas] = [object.metadata?.name ?? "", object.spec?.replicas];
        if (type === "BOOKMARK" || replicas === undefined) continue;
        asked[name] ??= [];
        if (asked[name].at(-1) !== replicas) asked[name].push(replicas);
      }
    }
  }

  before(async () => {
    project = new Project(["server"], onKubernetes);
    await project.push("server", { version: "1" }, "dev");
    stack = await project.stack("dev", { rollout: { soak: "0s", drain: "1s" } });
    configure({ replicas: 3 });
    await stack.up();
    watch().catch(() => {});
  });
  after(async () => {
    over.abort();
    await project?.close();
  });

  it("begins with as many as it has at least", async () => {
    assert.equal((await deployment("client")).spec?.replicas, 2);
  });

  it("keeps those that it has when the autoscaler takes over", async () => {
    configure({ autoscale: { min: 1, max: 5 } });
    await stack.up();
    assert.equal((await deployment("server")).spec?.replicas, 3);
    assert.deepEqual(asked["server"], [3]);
  });

  it("keeps in a roll what the autoscaler has decided", async () => {
    await cluster.patch(`${path("server")}/scale`, "merge", { spec: { replicas: 4 } });
    const digest = await project.push("server", { version: "2" }, "dev");
    await stack.up();
    const { spec } = await deployment("server");
    assert.match(spec?.template.spec?.containers[0]?.image ?? "", new RegExp(`${digest}$`));
    assert.deepEqual(asked, { server: [3, 4], client: [2] });
  });

  it("has what the config says once there is none any more", async () => {
    configure({ replicas: 2 });
    await stack.up();
    assert.deepEqual(asked["server"], [3, 4, 2]);
  });
});
