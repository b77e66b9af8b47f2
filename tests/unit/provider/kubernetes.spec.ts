/** What is kept of a cluster's objects, and what is told of who changed them. */
import assert from "node:assert/strict";
import type { V1Deployment, V1Pod, V1ReplicaSet } from "@kubernetes/client-node";
import {
  deploymentFacts,
  type PodFacts,
  podFacts,
  replicaSetFacts,
} from "../../../provider/kubernetes/facts";

const label = "tagalong.dev/service";
const now = Date.parse("2030-01-01T00:10:00Z");
const minute = 60_000;

/** As the API answers: times are texts, whatever the library's types say. */
const podOf = (status: object, metadata: object = {}): V1Pod =>
  ({
    metadata: {
      ...{ uid: "u", name: "server-1", labels: { [label]: "server" } },
      creationTimestamp: "2030-01-01T00:09:30Z",
      ...metadata,
    },
    spec: { containers: [{ name: "server", image: "server@sha256:a" }] },
    status: { startTime: "2030-01-01T00:09:31Z", ...status },
  }) as unknown as V1Pod;
const statusOf = (state: object, more: object = {}) => ({
  containerStatuses: [{ name: "server", imageID: "", ready: false, restartCount: 0, state, ...more }],
});
const waiting = (reason: string, message = "") => statusOf({ waiting: { reason, message } });
const ready = (status: string, lastTransitionTime: string) => ({
  conditions: [{ type: "Ready", status, lastTransitionTime }],
});
const follow = (...statuses: object[]): PodFacts =>
  statuses.reduce<PodFacts | undefined>(
    (former, status, second) => podFacts(podOf(status), former, minute, now + second * 1000),
    undefined,
  ) as PodFacts;

describe("What is kept of a pod", () => {
  it("says since when and how often its image could not be pulled, and goes on while it backs off", () => {
    const [failed, backedOff] = [
      waiting("ErrImagePull", "not found"),
      waiting("ImagePullBackOff", "Back-off"),
    ];
    const { obstacle } = follow(failed, backedOff, failed, backedOff);
    assert.deepEqual(
      [obstacle?.kind, obstacle?.since, obstacle?.failures, obstacle?.isOurs],
      ["image", now, 2, true],
    );
  });

  it("does not count the same failure twice that is only told again", () => {
    const failed = waiting("ErrImagePull", "not found");
    assert.equal(follow(failed, failed).obstacle?.failures, 1);
  });

  it("keeps what has failed where an older kubelet says only that it backs off", () => {
    const backOff = waiting("ImagePullBackOff", 'Back-off pulling image "server@sha256:a"');
    assert.equal(follow(waiting("ErrImagePull", "not found"), backOff).obstacle?.message, "not found");
  });

  it("forgets what has hindered it once that is over, and begins anew with something else", () => {
    const failed = waiting("ErrImagePull", "not found");
    assert.equal(follow(failed, statusOf({ running: {} })).obstacle, undefined);
    const later = follow(failed, waiting("CreateContainerConfigError", "runs as root")).obstacle;
    assert.deepEqual([later?.kind, later?.since], ["configuration", now + 1000]);
  });

  it("says that no node takes it", () => {
    const scheduled = {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message: "0/1\n nodes",
    };
    const { obstacle } = follow({ conditions: [scheduled] });
    assert.deepEqual([obstacle?.kind, obstacle?.message], ["node", "0/1 nodes"]);
  });

  it("counts restarts of a pod that is new, and of an old one those since it was first seen", () => {
    const restarted = (restartCount: number) => statusOf({ running: {} }, { restartCount });
    assert.equal(follow(restarted(2)).containers[0]?.restarts, 2);
    const old = { creationTimestamp: "2030-01-01T00:00:00Z" };
    const before = podFacts(podOf(restarted(2), old), undefined, minute, now);
    assert.equal(before.containers[0]?.restarts, 0);
    const after = podFacts(podOf(restarted(3), old), before, minute, now);
    assert.equal(after.containers[0]?.restarts, 1);
  });

  it("tells one that is not ready any more from one that is not ready yet", () => {
    assert.equal(follow(ready("False", "2030-01-01T00:09:31Z")).wasReady, false);
    assert.equal(follow(ready("False", "2030-01-01T00:09:50Z")).wasReady, true);
  });

  for (const [what, status, metadata] of [
    ["is deleted", {}, { deletionTimestamp: "2030-01-01T00:09:50Z" }],
    ["was evicted", { phase: "Failed", reason: "Evicted" }, {}],
    ["is about to be evicted", { conditions: [{ type: "DisruptionTarget", status: "True" }] }, {}],
  ] as const)
    it(`says that one is leaving that ${what}`, () => {
      assert.equal(podFacts(podOf(status, metadata), undefined, minute, now).isLeaving, true);
      assert.equal(follow({}).isLeaving, false);
    });

  it("is bounded, however long a message is", () => {
    const { obstacle } = follow(waiting("ErrImagePull", "not found ".repeat(10_000)));
    assert((obstacle?.message.length ?? 0) < 1000);
  });
});

describe("What is kept of a ReplicaSet", () => {
  it("says since when it cannot make pods, and forgets that once it can", () => {
    const refused = (status: string) =>
      ({
        metadata: {},
        status: { conditions: [{ type: "ReplicaFailure", status, message: "quota" }] },
      }) as V1ReplicaSet;
    const first = replicaSetFacts(refused("True"), undefined, now);
    const second = replicaSetFacts(refused("True"), first, now + 1000);
    assert.deepEqual(second.refusal, { message: "quota", since: now });
    assert.equal(replicaSetFacts(refused("False"), second, now).refusal, undefined);
  });
});

describe("What is kept of a Deployment", () => {
  const image = { "f:spec": { "f:containers": { 'k:{"name":"server"}': { "f:image": {} } } } };
  const entry = (manager: string, time: string, fieldsV1: object, more: object = {}) => ({
    ...{ manager, time, fieldsV1 },
    ...more,
  });
  const deployment = (managedFields: object[]) =>
    deploymentFacts({
      metadata: { name: "server", labels: { [label]: "server" }, managedFields },
    } as unknown as V1Deployment);

  it("names who has set its image last, and who its replicas", () => {
    const { imageBy, replicasBy } = deployment([
      entry("kubectl-edit", "2030-01-01T00:00:01Z", { "f:spec": { "f:template": image } }),
      entry("pulumi", "2030-01-01T00:00:00Z", { "f:spec": { "f:replicas": {}, "f:template": image } }),
      entry("kubectl", "2030-01-01T00:00:02Z", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" }),
    ]);
    assert.deepEqual([imageBy, replicasBy], ["kubectl-edit", "kubectl scale"]);
  });

  it("names nobody where the cluster does not tell", () => {
    assert.deepEqual(deployment([]).imageBy, "");
  });
});
