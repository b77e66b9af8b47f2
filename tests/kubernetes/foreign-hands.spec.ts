// What the watcher makes of it that others change a cluster besides: what it puts back, and what it leaves alone.
import assert from "node:assert/strict";
import type { V1Secret } from "@kubernetes/client-node";
import { type Labelled, labelled, pathOf, resources } from "../../provider/kubernetes/api";
import { labels } from "../../provider/kubernetes/layout";
import { kubernetesPlace } from "../../watcher/kubernetes";
import { nothingLost } from "../../watcher/place";
import { cluster } from "./engine";
import { Namespace, push } from "./workload";

describe("Foreign hands on a cluster", function () {
  this.timeout(600_000);

  const place = kubernetesPlace();
  const namespace = new Namespace();
  let reference: string;

  before(async () => {
    await namespace.make();
    reference = await push({ version: "1" });
  });
  after(() => namespace.end());

  it("are seen where they change an image, the replicas, or remove a Deployment, and named", async () => {
    const [image, scaled, removed, kept] = await Promise.all(
      ["image", "scaled", "removed", "kept"].map((name) => namespace.apply(name, { reference })),
    );
    assert(image && scaled && removed && kept);
    const inputs = namespace.inputs({ image, scaled, removed, kept });
    assert.deepEqual(await place.lost(inputs), nothingLost);

    const containers = [{ name: "image", image: "example.com/other:1" }];
    await namespace.change("image", "kubectl-set", { spec: { template: { spec: { containers } } } });
    await namespace.change("scaled", "kubectl", { spec: { replicas: 4 } }, "/scale");
    await cluster.delete(namespace.path("removed"));
    assert.deepEqual(await place.lost(inputs), {
      services: ["image", "removed", "scaled"],
      why: "somebody (kubectl-set) changed the image of image to example.com/other:1; somebody (kubectl scale) scaled scaled to 4 instead of 1; somebody removed the Deployment removed",
      stopped: [],
    });
  });

  it("are left alone where an autoscaler decides, where a pod goes, and where all pods are made anew", async () => {
    const { replicas: _, ...free } = await namespace.apply("free", { reference });
    const inputs = namespace.inputs({ free });
    await namespace.change("free", "kubectl", { spec: { replicas: 2 } }, "/scale");
    const annotations = { "kubectl.kubernetes.io/restartedAt": "2030-01-01T00:00:00Z" };
    await namespace.change("free", "kubectl-rollout", { spec: { template: { metadata: { annotations } } } });
    for (const { metadata } of await namespace.pods("free"))
      await cluster.delete(pathOf(resources.pods, namespace.name, metadata.name));
    assert.deepEqual(await place.lost(inputs), nothingLost);
  });

  it("leave what an update that was cut short has made, which goes, and what carries no claim, which stays", async () => {
    const secret = (name: string, claim: string) =>
      cluster.post<V1Secret>(pathOf(resources.secrets, namespace.name), {
        metadata: { name, labels: { [labels.claim]: claim } },
      });
    await Promise.all([secret("known", "ours"), secret("orphan", "ours"), secret("foreign", "theirs")]);
    const claim = { claim: "ours", namespace: namespace.name };
    const known = new Set([`${namespace.name}/known`]);
    assert.deepEqual(await place.removeOrphans(claim, known), ["the Secret orphan"]);
    const left = await labelled<Labelled>(cluster, resources.secrets, namespace.name, {});
    assert.deepEqual(left.map(({ metadata }) => metadata.name).sort(), ["foreign", "known"]);
  });
});
