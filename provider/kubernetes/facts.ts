// What is kept of each object while a roll is looked at: a few fields of it, so that a thousand pods are a megabyte.
import type {
  V1ContainerStatus,
  V1Deployment,
  V1ObjectMeta,
  V1Pod,
  V1ReplicaSet,
} from "@kubernetes/client-node";
import type { ContainerSight } from "../../rollout/deployment";
import { labels } from "./layout";
import { imagePath, managerOf, replicasPath } from "./managers";

export interface DeploymentFacts {
  uid: string;
  name: string;
  generation: number;
  observedGeneration: number;
  /** Image of the service's container, and who has set it; the same for the replicas. */
  image: string;
  imageBy: string;
  replicas: number;
  replicasBy: string;
  isPaused: boolean;
  status: { replicas: number; updated: number; ready: number; available: number };
  /** Its current ReplicaSet has the same one. */
  revision: string;
}

export interface ReplicaSetFacts {
  uid: string;
  name: string;
  /** The Deployment's uid. */
  owner: string;
  revision: string;
  /** Why it cannot make pods, and since when. */
  refusal?: { message: string; since: number };
}

/** The API's own words for what hinders a pod, without how long and how often. */
export interface Obstacle {
  kind: "image" | "configuration" | "node";
  isOurs: boolean;
  message: string;
  since: number;
  failures: number;
  /** The kubelet's word when it was last seen, by which a new failure is told from the old one. */
  word: string;
}

export interface PodFacts {
  uid: string;
  name: string;
  /** The ReplicaSet's uid. */
  owner: string;
  isLeaving: boolean;
  isReady: boolean;
  /** Where it is not ready: whether it is so no more, rather than not yet. */
  wasReady: boolean;
  containers: ContainerSight[];
  /** Restarts by container from before this look-out, which say nothing about this roll. */
  formerRestarts: Record<string, number>;
  obstacle?: Obstacle;
}

const revisionOf = ({ annotations }: V1ObjectMeta): string =>
  annotations?.["deployment.kubernetes.io/revision"] ?? "";
const ownerOf = ({ ownerReferences = [] }: V1ObjectMeta): string =>
  ownerReferences.find(({ controller }) => controller)?.uid ?? "";

export function deploymentFacts({ metadata = {}, spec, status = {} }: V1Deployment): DeploymentFacts {
  const service = metadata.labels?.[labels.service] ?? metadata.name ?? "";
  const containers = spec?.template.spec?.containers ?? [];
  return {
    uid: metadata.uid ?? "",
    name: metadata.name ?? "",
    generation: metadata.generation ?? 0,
    observedGeneration: status.observedGeneration ?? 0,
    image: containers.find(({ name }) => name === service)?.image ?? "",
    imageBy: managerOf(metadata.managedFields, imagePath(service)),
    replicas: spec?.replicas ?? 1,
    replicasBy: managerOf(metadata.managedFields, replicasPath),
    isPaused: spec?.paused ?? false,
    status: {
      replicas: status.replicas ?? 0,
      updated: status.updatedReplicas ?? 0,
      ready: status.readyReplicas ?? 0,
      available: status.availableReplicas ?? 0,
    },
    revision: revisionOf(metadata),
  };
}

export function replicaSetFacts(
  { metadata = {}, status }: V1ReplicaSet,
  former: ReplicaSetFacts | undefined,
  now = Date.now(),
): ReplicaSetFacts {
  const refused = status?.conditions?.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  return {
    uid: metadata.uid ?? "",
    name: metadata.name ?? "",
    owner: ownerOf(metadata),
    revision: revisionOf(metadata),
    ...(refused
      ? { refusal: { message: oneLine(refused.message ?? ""), since: former?.refusal?.since ?? now } }
      : {}),
  };
}

/** @param youngMs a pod that is older had its restarts before the roll */
export function podFacts(
  pod: V1Pod,
  former: PodFacts | undefined,
  youngMs: number,
  now = Date.now(),
): PodFacts {
  const { metadata = {}, spec, status = {} } = pod;
  const service = metadata.labels?.[labels.service] ?? "";
  const asked = new Map(
    [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map((one) => [one.name, one]),
  );
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const age = now - timeOf(metadata.creationTimestamp);
  const formerRestarts =
    former?.formerRestarts ??
    Object.fromEntries(statuses.map(({ name, restartCount }) => [name, age > youngMs ? restartCount : 0]));
  const containers = statuses.map((one) =>
    containerSight(
      one,
      asked.get(one.name)?.image ?? "",
      one.name === service,
      formerRestarts[one.name] ?? 0,
    ),
  );
  const condition = (wanted: string) => status.conditions?.find(({ type }) => type === wanted);
  const ready = condition("Ready");
  const isReady = ready?.status === "True";
  const obstacle = obstacleOf(containers, condition("PodScheduled"), former?.obstacle, now);
  return {
    uid: metadata.uid ?? "",
    name: metadata.name ?? "",
    owner: ownerOf(metadata),
    // A pod of a Deployment fails only by its node's or the cluster's doing, and is then replaced.
    isLeaving:
      metadata.deletionTimestamp !== undefined ||
      status.phase === "Failed" ||
      condition("DisruptionTarget")?.status === "True",
    isReady,
    // The condition has one time from when the node took the pod up, and another one once it was ready.
    wasReady: isReady || timeOf(ready?.lastTransitionTime) > timeOf(status.startTime) + 1000,
    containers,
    formerRestarts,
    ...(obstacle ? { obstacle } : {}),
  };
}

function containerSight(
  { name, imageID, ready, restartCount, state = {}, lastState }: V1ContainerStatus,
  image: string,
  isOurs: boolean,
  former: number,
): ContainerSight {
  const { waiting, running, terminated } = state;
  const last = terminated ?? lastState?.terminated;
  return {
    ...{ name, isOurs, image, imageId: imageID ?? "" },
    isReady: ready,
    state: running ? "running" : terminated ? "ended" : "waiting",
    ...(waiting
      ? { waiting: { reason: waiting.reason ?? "", message: oneLine(waiting.message ?? "") } }
      : {}),
    ...(last
      ? { ended: { exitCode: last.exitCode, reason: last.reason ?? "", message: last.message ?? "" } }
      : {}),
    restarts: restartCount - former,
  };
}

const imageWords =
  /^(ErrImage\w+|ImagePullBackOff|InvalidImageName|ImageInspectError|RegistryUnavailable|SignatureValidationFailed)$/;
const configurationWords = /^(CreateContainerConfigError|CreateContainerError|RunContainerError)$/;

function obstacleOf(
  containers: readonly ContainerSight[],
  scheduled: { status: string; reason?: string; message?: string } | undefined,
  former: Obstacle | undefined,
  now: number,
): Obstacle | undefined {
  const goOn = (kind: Obstacle["kind"], isOurs: boolean, word: string, message: string): Obstacle => {
    const before = former?.kind === kind ? former : undefined;
    const hasFailed = word.startsWith("Err") && before?.word !== word;
    return {
      ...{ kind, isOurs, word },
      // While it backs off, older kubelets no longer say what has failed.
      message: /^Back-off pulling image "[^"]*"$/.test(message) && before ? before.message : message,
      since: before?.since ?? now,
      failures: (before?.failures ?? 0) + (hasFailed ? 1 : 0),
    };
  };
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable")
    return goOn("node", false, "Unschedulable", oneLine(scheduled.message ?? ""));
  for (const { waiting, isOurs } of containers) {
    if (!waiting) continue;
    const { reason, message } = waiting;
    if (imageWords.test(reason)) return goOn("image", isOurs, reason, message || reason);
    if (configurationWords.test(reason)) return goOn("configuration", isOurs, reason, message || reason);
  }
  return undefined;
}

/** Answers of the API have times as texts, whatever the library's types say. */
const timeOf = (time: Date | undefined): number => (time === undefined ? 0 : Date.parse(String(time)));

const longest = 600;
const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, longest);
