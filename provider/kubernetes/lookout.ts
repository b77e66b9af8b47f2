// How the gate looks at Deployments on a cluster, and the soak time at their pods: what it judges is what the watches of
// the namespace have brought, so a look asks the API nothing.
import { performance } from "node:perf_hooks";
import { within } from "../../registry/within";
import {
  type DeploymentSight,
  foreignChange,
  grace,
  judgeDeployment,
  type PodSight,
  tooLate,
} from "../../rollout/deployment";
import { enoughAnswers, type ReplicaSight } from "../../rollout/gate";
import type { Judged, Lookout } from "../lookout";
import { type Cluster, connectCluster } from "./cluster";
import type { PodFacts } from "./facts";
import { isNodeComing, lastBadAnswer, lastLines } from "./told";
import { ClusterView } from "./view";

export interface ClusterService extends Record<string, unknown> {
  /** repository@digest that each pod must run. */
  reference: string;
  /** The Deployment's name. */
  deployment: string;
  /** `metadata.generation` of the Deployment after the change that is to be rolled out. */
  generation: number;
  /** Left out where an autoscaler decides. */
  replicas?: number;
}

export interface ClusterGateInputs extends Record<string, unknown> {
  cluster: { context: string; namespace: string };
  services: Record<string, ClusterService>;
  deadlineMs: number;
  /** Records of the rejections that the images have on them already: with another one, it is another try. */
  tried?: string[];
}

/** How often it is asked whether a node is coming. */
const askEveryMs = 5_000;
/** How long the API may be away while what serves is looked at. */
const blinkMs = 30_000;
/** What is given some time gets it to the half second. */
const judgeEveryMs = 500;
/** Of many Deployments something changes all the time: a look rests so many times as long as it took, up to a second. */
const restRatio = 60;
const longestRestMs = 1_000;

export class ClusterLookout implements Lookout {
  private readonly view: ClusterView;
  /** When it was last asked of a pod that no node takes, by uid, whether a node is coming, and the answer. */
  private readonly stranded = new Map<string, { askedAt: number; isComing: boolean }>();
  private judged = { version: -1, at: 0, tookMs: 0 };

  constructor(
    private readonly inputs: ClusterGateInputs,
    private readonly cluster: Cluster = connectCluster(inputs.cluster),
  ) {
    this.view = new ClusterView(cluster, inputs.cluster.namespace, inputs.deadlineMs);
  }

  get verdict(): string {
    const pods = Object.values(this.inputs.services).flatMap(({ deployment }) => {
      const facts = this.view.deployment(deployment);
      return facts ? this.view.podsOf(facts) : [];
    });
    const count = pods.filter(({ isLeaving }) => !isLeaving).length;
    return `${count} ${count === 1 ? "pod" : "pods"} ready, each with its digest`;
  }

  async judge(passed: ReadonlySet<string>, patience: AbortSignal): Promise<Judged[]> {
    const { view } = this;
    if (!(await view.isReady(patience))) throw view.trouble ?? (await this.cluster.silence());
    if (patience.aborted && view.trouble) throw view.trouble;
    const waiting = Object.entries(this.inputs.services).filter(([service]) => !passed.has(service));
    const named = waiting.map(([service, { reference }]) => ({ id: service, service, reference }));
    if (!this.isDue() && !patience.aborted)
      return named.map((one) => ({ ...one, decision: { kind: "wait" } }));
    const { version } = view;
    const [began, now] = [performance.now(), Date.now()];
    const judged = await Promise.all(
      named.map(async (one): Promise<Judged> => {
        const sight = await this.sightOf(one.service, now);
        const decision = judgeDeployment(one.service, sight);
        if (decision.kind !== "wait" || !patience.aborted || !sight) return { ...one, decision };
        return { ...one, decision: await this.late(sight) };
      }),
    );
    const ended = performance.now();
    this.judged = { version, at: ended, tookMs: ended - began };
    return judged;
  }

  /** One look at each pod of the current ReplicaSets; a pod that is being replaced is none of them any more. */
  async look(signal: AbortSignal): Promise<[string, ReplicaSight][]> {
    const patience = within(blinkMs, signal);
    const isSure = await this.view.isSure(patience.signal).finally(patience.clear);
    // What the API does not tell is not taken for well.
    if (!isSure) throw this.view.trouble ?? (await this.cluster.silence());
    return Object.entries(this.inputs.services).flatMap(([service, plan]): [string, ReplicaSight][] => {
      const deployment = this.view.deployment(plan.deployment);
      const { reference: wanted, replicas } = plan;
      const declared = { service, wanted, ...(replicas === undefined ? {} : { wantedReplicas: replicas }) };
      if (!deployment || foreignChange({ ...deployment, ...declared }))
        return [[service, { ...replicaSight(service, wanted, undefined), state: "gone" }]];
      return this.view
        .podsOf(deployment)
        .filter(({ isLeaving }) => !isLeaving)
        .map((pod) => [pod.name, replicaSight(service, wanted, pod)]);
    });
  }

  /** What the pod's container last wrote, before its last exit where it had one. */
  async lastLines(pod: string, count: number): Promise<string[]> {
    const container = this.view.pod(pod)?.containers.find(({ isOurs }) => isOurs);
    return container ? lastLines(this.cluster, this.namespace, pod, container, count) : [];
  }

  close(): void {
    this.view.close();
  }

  private get namespace(): string {
    return this.inputs.cluster.namespace;
  }

  /** Whether another judgement may say something else than the last one. */
  private isDue(): boolean {
    const { version, at, tookMs } = this.judged;
    const forMs = performance.now() - at;
    if (forMs < Math.min(restRatio * tookMs, longestRestMs)) return false;
    return version !== this.view.version || forMs >= judgeEveryMs;
  }

  private async late(sight: DeploymentSight) {
    const unready = sight.pods.find(({ isLeaving, isReady }) => !isLeaving && !isReady);
    const answer = unready && (await lastBadAnswer(this.cluster, this.namespace, unready.name));
    return tooLate(sight, this.inputs.deadlineMs, answer);
  }

  private async sightOf(service: string, now: number): Promise<DeploymentSight | undefined> {
    const plan = this.inputs.services[service];
    const facts = plan && this.view.deployment(plan.deployment);
    if (!facts) return undefined;
    const { uid: _uid, name: _name, generation, revision: _revision, ...seen } = facts;
    const refusal = this.view.currentOf(facts)?.refusal;
    const pods = this.view.podsOf(facts);
    const awaiting = await this.awaitingNodes(pods, now);
    return {
      ...{ ...seen, service, wanted: plan.reference },
      // One that was made anew begins to count again: it is not what the update has made.
      newestGeneration: Math.max(generation, plan.generation),
      ...(plan.replicas === undefined ? {} : { wantedReplicas: plan.replicas }),
      ...(refusal ? { refusal: { message: refusal.message, forMs: now - refusal.since } } : {}),
      pods: pods.map((pod) => podSight(pod, awaiting.has(pod.uid), now)),
    };
  }

  /** The uids of those that no node takes while one is coming. */
  private async awaitingNodes(pods: readonly PodFacts[], now: number): Promise<Set<string>> {
    const awaiting = new Set<string>();
    for (const { uid, name, obstacle } of pods) {
      if (obstacle?.kind !== "node" || now - obstacle.since < grace.nodeMs) continue;
      let known = this.stranded.get(uid);
      if (!known || now - known.askedAt >= askEveryMs) {
        known = { askedAt: now, isComing: await isNodeComing(this.cluster, this.namespace, name) };
        this.stranded.set(uid, known);
      }
      if (known.isComing) awaiting.add(uid);
    }
    return awaiting;
  }
}

function podSight(pod: PodFacts, isAwaitingNode: boolean, now: number): PodSight {
  const { name, isLeaving, isReady, containers, obstacle } = pod;
  return {
    ...{ name, isLeaving, isReady, containers, isAwaitingNode },
    ...(obstacle ? { hindrance: { ...obstacle, forMs: now - obstacle.since } } : {}),
  };
}

/** A pod as the soak time sees it: its readiness is the probe. */
function replicaSight(service: string, wanted: string, pod: PodFacts | undefined): ReplicaSight {
  const container = pod?.containers.find(({ isOurs }) => isOurs);
  const isLooping = container?.waiting?.reason === "CrashLoopBackOff";
  const hasStarted = container?.state === "running" && pod?.wasReady === true;
  return {
    ...{ service, name: pod?.name ?? service, wanted, runs: wanted },
    state: isLooping
      ? "restarting"
      : container?.state === "ended"
        ? "exited"
        : hasStarted
          ? "running"
          : "starting",
    ...(container?.ended ? { exitCode: container.ended.exitCode } : {}),
    outOfMemory: container?.ended?.reason === "OOMKilled",
    restarts: container?.restarts ?? 0,
    upForMs: 0,
    probe: "readiness",
    goodAnswers: container?.isReady ? enoughAnswers : 0,
    lastAnswer: "its readiness probe fails",
  };
}
