/** When a Deployment passes the gate, when it never will, and what is said of it: tables over what was seen. */
import assert from "node:assert/strict";
import {
  type ContainerSight,
  type DeploymentSight,
  foreignChange,
  grace,
  type Hindrance,
  judgeDeployment,
  type PodSight,
  tooLate,
} from "../../../rollout/deployment";
import type { GateDecision } from "../../../rollout/gate";

const digest = `sha256:${"a".repeat(64)}`;
const other = `sha256:${"b".repeat(64)}`;
const wanted = `ghcr.io/acme/server@${digest}`;

const container: ContainerSight = {
  name: "server",
  isOurs: true,
  image: wanted,
  imageId: wanted,
  state: "running",
  isReady: true,
  restarts: 0,
};
const pod: PodSight = {
  name: "server-1",
  isLeaving: false,
  isReady: true,
  containers: [container],
  isAwaitingNode: false,
};
const well: DeploymentSight = {
  service: "server",
  wanted,
  newestGeneration: 3,
  observedGeneration: 3,
  image: wanted,
  imageBy: "pulumi",
  isPaused: false,
  wantedReplicas: 1,
  replicas: 1,
  replicasBy: "pulumi",
  status: { replicas: 1, updated: 1, ready: 1, available: 1 },
  pods: [pod],
};

const said = (decision: GateDecision): string =>
  decision.kind === "fail" ? `${decision.isBlameless ? "" : "image: "}${decision.reason}` : decision.kind;
const withContainer = (change: Partial<ContainerSight>, more: Partial<PodSight> = {}) => ({
  pods: [{ ...pod, isReady: false, ...more, containers: [{ ...container, isReady: false, ...change }] }],
});
const waits = (reason: string, message = "") =>
  ({ state: "waiting", imageId: "", waiting: { reason, message } }) as const;
const hindered = (change: Partial<Hindrance>, more: Partial<PodSight> = {}) =>
  withContainer(
    { state: "waiting", imageId: "" },
    {
      hindrance: { kind: "image", isOurs: true, forMs: 0, failures: 1, message: "not found", ...change },
      ...more,
    },
  );
const status = (change: Partial<DeploymentSight["status"]>) => ({ status: { ...well.status, ...change } });

describe("The judgement of a Deployment", () => {
  const table: [what: string, seen: Partial<DeploymentSight>, decision: string][] = [
    ["passes when the new pods alone are there and ready", {}, "pass"],
    ["waits until the change was taken up", { observedGeneration: 2 }, "wait"],
    ["waits while a pod is not of the new revision", status({ updated: 0 }), "wait"],
    ["waits while a pod is not ready by the Deployment's word", status({ ready: 0 }), "wait"],
    ["waits while a pod is not available", status({ available: 0 }), "wait"],
    ["waits while an old pod is left", status({ replicas: 2 }), "wait"],
    ["waits while a pod is not ready by its own word", { pods: [{ ...pod, isReady: false }] }, "wait"],
    ["waits while a pod of the new revision has not been seen", { pods: [] }, "wait"],
    ["does not count a pod that is leaving", { pods: [{ ...pod, isLeaving: true }] }, "wait"],
    [
      "passes beside a pod that is leaving, whatever has become of its container",
      { pods: [pod, { ...withContainer({ state: "ended" }).pods[0], isLeaving: true } as PodSight] },
      "pass",
    ],
    [
      "passes with as many as an autoscaler wants",
      { wantedReplicas: undefined as never, replicas: 1 },
      "pass",
    ],
    [
      "passes a node's other name for the image that was asked for by digest",
      { pods: [{ ...pod, containers: [{ ...container, imageId: `ghcr.io/acme/old@${other}` }] }] },
      "pass",
    ],
    [
      "passes what was made to ask for a tag and runs the digest all the same",
      { pods: [{ ...pod, containers: [{ ...container, image: "mirror/server:dev" }] }] },
      "pass",
    ],
    [
      "fails what was made to ask for another digest",
      { pods: [{ ...pod, containers: [{ ...container, image: `mirror/server@${other}` }] }] },
      `server-1 runs mirror/server@${other} (${wanted}) instead of ${wanted}: something in the cluster changes the pods that are made`,
    ],
    [
      "fails what was made to ask for a tag and runs another digest",
      {
        pods: [
          { ...pod, containers: [{ ...container, image: "mirror/server:dev", imageId: `mirror@${other}` }] },
        ],
      },
      `server-1 runs mirror/server:dev (mirror@${other}) instead of ${wanted}: something in the cluster changes the pods that are made`,
    ],
    [
      "fails a container that has ended",
      withContainer({ state: "ended", ended: { exitCode: 0, reason: "Completed", message: "" } }),
      "image: server-1 exited with code 0",
    ],
    [
      "fails a container that was started again",
      withContainer({ restarts: 1, ended: { exitCode: 137, reason: "OOMKilled", message: "" } }),
      "image: server-1 ran out of memory",
    ],
    [
      "fails a container that the kubelet gives up on",
      withContainer({
        ...waits("CrashLoopBackOff"),
        ended: { exitCode: 1, reason: "Error", message: "" },
      }),
      "image: server-1 exited with code 1",
    ],
    [
      "fails a container that cannot be started, with the runtime's words",
      withContainer({
        state: "ended",
        ended: { exitCode: 128, reason: "StartError", message: "exec: no such file\nat runc" },
      }),
      "image: server-1 could not be started: exec: no such file",
    ],
    [
      "leaves a container beside ours its restarts",
      withContainer({ name: "proxy", isOurs: false, restarts: 3 }),
      "wait",
    ],
    [
      "does not blame the image for a container beside ours",
      withContainer({
        ...waits("CrashLoopBackOff"),
        ...{ name: "proxy", isOurs: false, ended: { exitCode: 2, reason: "Error", message: "" } },
      }),
      "the container proxy of server-1 exited with code 2",
    ],
    ["gives an image that is not found a moment", hindered({ forMs: grace.startMs - 1 }), "wait"],
    [
      "fails an image that is not found",
      hindered({ forMs: grace.startMs }),
      "image: server-1 cannot pull its image: not found",
    ],
    [
      "fails an image that was not found twice",
      hindered({ failures: 2 }),
      "image: server-1 cannot pull its image: not found",
    ],
    [
      "gives a registry that is out of reach a second try, however long that takes",
      hindered({ message: "connection refused", forMs: 60_000 }),
      "wait",
    ],
    [
      "fails a registry that is out of reach, and blames no image",
      hindered({ message: "connection refused", failures: 2 }),
      "server-1 cannot pull its image: connection refused",
    ],
    [
      "blames no image for credentials that a registry does not take",
      hindered({ message: "not found: pull access denied, authorization failed", failures: 2 }),
      "server-1 cannot pull its image: not found: pull access denied, authorization failed",
    ],
    [
      "blames no image for that of a container beside ours",
      hindered({ isOurs: false, failures: 2 }),
      "server-1 cannot pull its image: not found",
    ],
    [
      "gives what a container is made from a moment to arrive",
      hindered({ kind: "configuration", forMs: grace.startMs - 1 }),
      "wait",
    ],
    [
      "fails a user that may not be",
      hindered({ kind: "configuration", forMs: grace.startMs, message: "image will run as root" }),
      "image: server-1 cannot be started: image will run as root",
    ],
    [
      "blames no image for a Secret that is missing",
      hindered({ kind: "configuration", forMs: grace.startMs, message: 'secret "x" not found' }),
      'server-1 cannot be started: secret "x" not found',
    ],
    [
      "gives an autoscaler time to see that a node is missing",
      hindered({ kind: "node", forMs: grace.nodeMs - 1 }),
      "wait",
    ],
    [
      "fails what no node takes, and blames no image",
      hindered({ kind: "node", forMs: grace.nodeMs, message: "0/1 nodes are available" }),
      "no node takes server-1: 0/1 nodes are available",
    ],
    [
      "waits for a node that an autoscaler has announced",
      hindered({ kind: "node", forMs: 60_000 }, { isAwaitingNode: true }),
      "wait",
    ],
    [
      "gives a quota a moment to be freed",
      { refusal: { message: "exceeded quota", forMs: grace.refusalMs - 1 }, ...status({ updated: 0 }) },
      "wait",
    ],
    [
      "fails what may not have its pods",
      { refusal: { message: "exceeded quota", forMs: grace.refusalMs }, ...status({ updated: 0 }) },
      "the cluster does not let it have its pods: exceeded quota",
    ],
    [
      "waits where fewer pods at once are allowed, and one of them starts",
      {
        refusal: { message: "exceeded quota", forMs: grace.refusalMs },
        pods: [{ ...pod, isReady: false }],
      },
      "wait",
    ],
    [
      "fails a rollout that is paused, with the command",
      { isPaused: true },
      "its rollout is paused: run `kubectl rollout resume deployment/server`",
    ],
    [
      "fails an image that somebody has changed, and names who",
      { image: "evil:1", imageBy: "kubectl-set" },
      "somebody (kubectl-set) changed the image of server to evil:1 while it was rolling out: run `pulumi up --refresh`",
    ],
    [
      "fails replicas that somebody has changed, and passes none for having none",
      {
        replicas: 0,
        replicasBy: "",
        ...status({ replicas: 0, updated: 0, ready: 0, available: 0 }),
        pods: [],
      },
      "somebody scaled server to 0 instead of 1 while it was rolling out: run `pulumi up --refresh`",
    ],
  ];
  for (const [what, seen, decision] of table)
    it(what, () => {
      assert.equal(said(judgeDeployment("server", { ...well, ...seen })), decision);
    });

  it("fails a Deployment that is gone", () => {
    assert.equal(
      said(judgeDeployment("server", undefined)),
      "the Deployment server was removed while it was rolling out",
    );
  });

  it("names the pod whose log says more", () => {
    const decision = judgeDeployment("server", { ...well, ...withContainer({ state: "ended" }) });
    assert.equal(decision.kind === "fail" && decision.replica, "server-1");
  });

  it("says nothing of a Deployment that is as it was declared", () => {
    assert.equal(foreignChange(well), undefined);
  });
});

describe("The judgement of a Deployment at its deadline", () => {
  const table: [what: string, seen: Partial<DeploymentSight>, answer: string | undefined, reason: RegExp][] =
    [
      [
        "names the last answer of a pod that runs",
        withContainer({}),
        "503",
        /^image: server-1 was not ready within 6\.0 s: 503$/,
      ],
      [
        "says that there was none",
        withContainer({}),
        undefined,
        /^image: server-1 was not ready within 6\.0 s: its readiness probe did not succeed$/,
      ],
      [
        "names what keeps a pod from starting",
        hindered({ message: "connection refused" }),
        undefined,
        /^server-1 could not be started within 6\.0 s: connection refused$/,
      ],
      [
        "names what a container waits for",
        withContainer(waits("ContainerCreating")),
        undefined,
        /^server-1 was not started within 6\.0 s: ContainerCreating$/,
      ],
      [
        "tells of a node that has not taken the pod up",
        { pods: [{ ...pod, isReady: false, containers: [] }] },
        undefined,
        /^server-1 was not started within 6\.0 s: its node has not taken it up$/,
      ],
      [
        "does not blame the image for a node that does not answer",
        { pods: [{ ...pod, isReady: false }] },
        undefined,
        /^server-1 was not ready within 6\.0 s: its node does not answer/,
      ],
      [
        "counts the pods where each seen is ready",
        status({ replicas: 2 }),
        undefined,
        /^server had 1 new pods, 1 of them available, and 1 old ones within 6\.0 s, instead of 1 new ones/,
      ],
      [
        "tells of a change that nobody took up",
        { observedGeneration: 2 },
        undefined,
        /^the cluster did not take up the change of server within 6\.0 s/,
      ],
    ];
  for (const [what, seen, answer, reason] of table)
    it(what, () => {
      assert.match(said(tooLate({ ...well, ...seen }, 6_000, answer)), reason);
    });
});
