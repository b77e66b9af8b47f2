// When a Deployment passes the gate, when it cannot any more, and how that is said: pure decisions over what was seen of
// it and of the pods of its current ReplicaSet. What a former roll left in its conditions is not looked at.
import { type GateDecision, seconds } from "./gate";

/** What was seen of one container of a pod. */
export interface ContainerSight {
  name: string;
  /** Whether it runs the service's image; others are what the cluster puts beside it. */
  isOurs: boolean;
  /** As the pod asks for it, and what its node says that it runs; "" while it says nothing. */
  image: string;
  imageId: string;
  state: "waiting" | "running" | "ended";
  /** As its own node sees it, which does not say whether the node still answers. */
  isReady: boolean;
  /** Why it does not run: the kubelet's word and its sentence. */
  waiting?: { reason: string; message: string };
  /** How it last ended. */
  ended?: { exitCode: number; reason: string; message: string };
  /** Restarts since the roll began. */
  restarts: number;
}

/** What keeps a pod from starting, which may pass by itself. */
export interface Hindrance {
  kind: "image" | "configuration" | "node";
  /** Of the container that runs the service's image. */
  isOurs: boolean;
  forMs: number;
  /** Of an image: how often it could not be pulled. */
  failures: number;
  message: string;
}

/** What was seen of one pod. */
export interface PodSight {
  name: string;
  /** Deleted, evicted, or given up by its node: its ReplicaSet makes another. */
  isLeaving: boolean;
  isReady: boolean;
  containers: ContainerSight[];
  hindrance?: Hindrance;
  /** An autoscaler of the cluster has said that a node is coming. */
  isAwaitingNode: boolean;
}

/** What was seen of one service's Deployment, in one look. */
export interface DeploymentSight {
  service: string;
  /** repository@digest that each pod must run. */
  wanted: string;
  /** Of its newest change, and of the one that its status is about. */
  newestGeneration: number;
  observedGeneration: number;
  /** What its template asks for, and who has asked for that last. */
  image: string;
  imageBy: string;
  isPaused: boolean;
  /** As the config has it; left out where an autoscaler decides. */
  wantedReplicas?: number;
  replicas: number;
  replicasBy: string;
  /** How many pods there are, old ones included, and how many of the new ones are how far. */
  status: { replicas: number; updated: number; ready: number; available: number };
  /** Why its current ReplicaSet cannot make pods. */
  refusal?: { message: string; forMs: number };
  /** Of the current ReplicaSet alone. */
  pods: PodSight[];
}

/** How long what may pass by itself is given. */
export const grace = {
  /** A registry may not have all of its copies yet, and a Secret may arrive a moment later. */
  startMs: 2_000,
  /** A quota may be freed by what is just ending. */
  refusalMs: 3_000,
  /** An autoscaler that adds a node looks every ten seconds whether one is missing. */
  nodeMs: 15_000,
} as const;

const fail = (reason: string, replica?: string): GateDecision => ({
  kind: "fail",
  reason,
  ...(replica === undefined ? {} : { replica }),
});
/** Something else is to blame than the image. */
const blameless = (reason: string): GateDecision => ({ kind: "fail", reason, isBlameless: true });

/** Judges one service; `undefined` is a Deployment that is gone. */
export function judgeDeployment(service: string, sight: DeploymentSight | undefined): GateDecision {
  if (!sight) return blameless(`the Deployment ${service} was removed while it was rolling out`);
  const foreign = foreignChange(sight);
  if (foreign) return blameless(`${foreign} while it was rolling out: run \`pulumi up --refresh\``);
  if (sight.isPaused)
    return blameless(`its rollout is paused: run \`kubectl rollout resume deployment/${service}\``);
  if (sight.observedGeneration < sight.newestGeneration) return { kind: "wait" };
  const pods = sight.pods.filter(({ isLeaving }) => !isLeaving);
  for (const pod of pods) {
    const failure = judgePod(pod, sight.wanted);
    if (failure) return failure;
  }
  const isStarting = pods.some(({ isReady }) => !isReady);
  if (sight.refusal && !isStarting && sight.refusal.forMs >= grace.refusalMs)
    return blameless(`the cluster does not let it have its pods: ${sight.refusal.message}`);
  const { replicas, status } = sight;
  const areAll = [status.updated, status.ready, status.available, status.replicas, pods.length].every(
    (count) => count === replicas,
  );
  return areAll && !isStarting ? { kind: "pass" } : { kind: "wait" };
}

/** What somebody else has made of the Deployment; undefined where it is as it was declared. */
export function foreignChange(
  sight: Pick<
    DeploymentSight,
    "service" | "wanted" | "image" | "imageBy" | "wantedReplicas" | "replicas" | "replicasBy"
  >,
): string | undefined {
  const { service, wantedReplicas, replicas } = sight;
  if (sight.image !== sight.wanted)
    return `somebody${by(sight.imageBy)} changed the image of ${service} to ${sight.image || "none"}`;
  if (wantedReplicas !== undefined && replicas !== wantedReplicas)
    return `somebody${by(sight.replicasBy)} scaled ${service} to ${replicas} instead of ${wantedReplicas}`;
  return undefined;
}

const by = (manager: string): string => (manager === "" ? "" : ` (${manager})`);

function judgePod(pod: PodSight, wanted: string): GateDecision | undefined {
  for (const container of pod.containers) {
    const crash = crashOf(pod.name, container);
    if (crash) return container.isOurs ? fail(crash, pod.name) : blameless(crash);
    if (container.isOurs && container.imageId !== "" && !runs(container, wanted))
      return blameless(
        `${pod.name} runs ${container.image} (${container.imageId}) instead of ${wanted}: something in the cluster changes the pods that are made`,
      );
  }
  return pod.hindrance ? judgeHindrance(pod, pod.hindrance) : undefined;
}

/** A container that has ended cannot get better; one beside ours may, as long as the kubelet does not give up on it. */
function crashOf(pod: string, container: ContainerSight): string | undefined {
  const { state, waiting, ended, restarts, isOurs } = container;
  const isLooping = waiting?.reason === "CrashLoopBackOff";
  if (!isLooping && !(isOurs && (state === "ended" || restarts > 0))) return undefined;
  const name = isOurs ? pod : `the container ${container.name} of ${pod}`;
  if (!ended) return `${name} exited`;
  if (ended.reason === "OOMKilled") return `${name} ran out of memory`;
  if (["StartError", "ContainerCannotRun"].includes(ended.reason))
    return `${name} could not be started: ${firstLine(ended.message)}`;
  return `${name} exited with code ${ended.exitCode}`;
}

/**
 * Whether a container runs the digest. A node starts what is asked for by digest from content with that digest alone; the
 * image ID that it reports may be another name of the same image, and counts where the pod was made to ask for a tag.
 */
export function runs({ image, imageId }: Pick<ContainerSight, "image" | "imageId">, wanted: string): boolean {
  return (digestIn(image) ?? digestIn(imageId)) === digestIn(wanted);
}

const digestIn = (text: string): string | undefined => /sha256:[0-9a-f]{64}$/.exec(text)?.[0];

/** What a registry answers where the image is the reason; anything else is the way there, or who may go it. */
const imageAtFault =
  /couldn't parse image|invalid reference|not found|manifest unknown|no match(ing manifest)? for platform|no matching manifest|failed to extract layer|unexpected commit digest|failed size validation/i;
const accessAtFault = /denied|unauthorized|forbidden|authorization/i;

function judgeHindrance(pod: PodSight, hindrance: Hindrance): GateDecision | undefined {
  const { kind, isOurs, forMs, failures, message } = hindrance;
  if (kind === "node") {
    if (forMs < grace.nodeMs || pod.isAwaitingNode) return undefined;
    return blameless(`no node takes ${pod.name}: ${message}`);
  }
  if (kind === "configuration") {
    if (forMs < grace.startMs) return undefined;
    const reason = `${pod.name} cannot be started: ${message}`;
    // What a container is made from may be missing for a while, and says nothing about the image.
    const isMissing = /\b(secret|configmap)\b.*not found/i.test(message);
    return isOurs && !isMissing ? fail(reason) : blameless(reason);
  }
  const reason = `${pod.name} cannot pull its image: ${message}`;
  if (isOurs && !accessAtFault.test(message) && imageAtFault.test(message))
    return forMs >= grace.startMs || failures > 1 ? fail(reason) : undefined;
  return failures > 1 ? blameless(reason) : undefined;
}

/**
 * Judges a Deployment that has not passed when the deadline is over.
 * @param lastAnswer what the last bad answer of a pod that runs was, where somebody knows
 */
export function tooLate(sight: DeploymentSight, deadlineMs: number, lastAnswer?: string): GateDecision {
  const within = `within ${seconds(deadlineMs)}`;
  const { service, status, replicas } = sight;
  if (sight.observedGeneration < sight.newestGeneration)
    return blameless(
      `the cluster did not take up the change of ${service} ${within}: look whether its controllers run`,
    );
  const pod = sight.pods.find(({ isLeaving, isReady }) => !isLeaving && !isReady);
  if (!pod)
    return blameless(
      `${service} had ${status.updated} new pods, ${status.available} of them available, and ${status.replicas - status.updated} old ones ${within}, instead of ${replicas} new ones: ${sight.refusal?.message ?? "look at its events"}`,
    );
  if (pod.hindrance) return blameless(`${pod.name} could not be started ${within}: ${pod.hindrance.message}`);
  const waits = pod.containers.find(({ state }) => state !== "running");
  if (waits || pod.containers.length === 0)
    return blameless(
      `${pod.name} was not started ${within}: ${waits?.waiting?.message || waits?.waiting?.reason || "its node has not taken it up"}`,
    );
  if (pod.containers.every(({ isReady }) => isReady))
    return blameless(
      `${pod.name} was not ready ${within}: its node does not answer, or a readiness gate is shut`,
    );
  return fail(
    `${pod.name} was not ready ${within}: ${lastAnswer ?? "its readiness probe did not succeed"}`,
    pod.name,
  );
}

const firstLine = (text: string): string => text.trim().split("\n")[0] ?? "";
