// How the gate looks at Deployments on a cluster: one watch a kind for all services of the environment. What it judges is
// what the watches have brought, so a look asks the API nothing.
import { setTimeout as pause } from "node:timers/promises";
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
import { pathOf, type Resource, resources } from "./api";
import { type Cluster, connectCluster } from "./cluster";
import type { ClusterError } from "./errors";
import {
  type DeploymentFacts,
  deploymentFacts,
  type PodFacts,
  podFacts,
  type ReplicaSetFacts,
  replicaSetFacts,
} from "./facts";
import { Follower } from "./follower";
import { labels } from "./layout";
import { isNodeComing, lastBadAnswer, lastLines } from "./told";

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

export class ClusterLookout implements Lookout {
  private readonly namespace: string;
  private readonly deployments: Follower<DeploymentFacts>;
  private readonly replicaSets: Follower<ReplicaSetFacts>;
  private readonly pods: Follower<PodFacts>;
  /** When it was last asked of a pod that no node takes, by uid, whether a node is coming, and the answer. */
  private readonly stranded = new Map<string, { askedAt: number; isComing: boolean }>();
  private hasRead = false;
  private index = { version: -1, ...indexOf([], [], []) };

  constructor(
    private readonly inputs: ClusterGateInputs,
    private readonly cluster: Cluster = connectCluster(inputs.cluster),
  ) {
    this.namespace = inputs.cluster.namespace;
    const follow = <F>(resource: Resource, trim: (object: never, former: F | undefined) => F) =>
      new Follower<F>(
        cluster,
        pathOf(resource, this.namespace),
        { labelSelector: labels.service },
        trim as (object: unknown, former: F | undefined) => F,
      );
    this.deployments = follow(resources.deployments, deploymentFacts);
    this.replicaSets = follow(resources.replicaSets, replicaSetFacts);
    this.pods = follow<PodFacts>(resources.pods, (pod, former) => podFacts(pod, former, inputs.deadlineMs));
  }

  /** Names of the pods of all services. */
  get replicas(): string[] {
    return Object.keys(this.inputs.services).flatMap((service) =>
      this.podsOf(this.deploymentOf(service)).map(({ name }) => name),
    );
  }

  get verdict(): string {
    const count = this.replicas.length;
    return `${count} ${count === 1 ? "pod" : "pods"} ready, each with its digest`;
  }

  async judge(passed: ReadonlySet<string>, patience: AbortSignal): Promise<Judged[]> {
    if (!(await this.isReady(patience))) throw this.trouble ?? (await this.cluster.silence());
    if (patience.aborted && this.trouble) throw this.trouble;
    const waiting = Object.entries(this.inputs.services).filter(([service]) => !passed.has(service));
    return Promise.all(
      waiting.map(async ([service, { reference }]): Promise<Judged> => {
        const sight = await this.sightOf(service);
        const decision = judgeDeployment(service, sight);
        if (decision.kind !== "wait" || !patience.aborted || !sight)
          return { id: service, service, reference, decision };
        const unready = sight.pods.find(({ isLeaving, isReady }) => !isLeaving && !isReady);
        const answer = unready && (await lastBadAnswer(this.cluster, this.namespace, unready.name));
        const late = tooLate(sight, this.inputs.deadlineMs, answer);
        return { id: service, service, reference, decision: late };
      }),
    );
  }

  /** One look at each pod of the current ReplicaSets; a pod that is being replaced is none of them any more. */
  async look(signal: AbortSignal): Promise<[string, ReplicaSight][]> {
    await this.isSure(signal);
    return Object.entries(this.inputs.services).flatMap(([service, plan]): [string, ReplicaSight][] => {
      const deployment = this.deploymentOf(service);
      const { reference: wanted, replicas } = plan;
      const asDeclared = { service, wanted, ...(replicas === undefined ? {} : { wantedReplicas: replicas }) };
      if (!deployment || foreignChange({ ...deployment, ...asDeclared }))
        return [[service, { ...replicaSight(service, wanted, undefined), state: "gone" }]];
      return this.podsOf(deployment)
        .filter(({ isLeaving }) => !isLeaving)
        .map((pod) => [pod.name, replicaSight(service, wanted, pod)]);
    });
  }

  /** What the pod's container last wrote, before its last exit where it had one. */
  async lastLines(pod: string, count: number): Promise<string[]> {
    const facts = [...this.pods.items.values()].find(({ name }) => name === pod);
    const container = facts?.containers.find(({ isOurs }) => isOurs);
    return container ? lastLines(this.cluster, this.namespace, pod, container, count) : [];
  }

  close(): void {
    for (const one of this.followers) one.close();
  }

  private get followers() {
    return [this.deployments, this.replicaSets, this.pods] as const;
  }

  /** Why nothing is known of the cluster at the moment. */
  private get trouble(): ClusterError | undefined {
    return this.followers.map(({ trouble }) => trouble).find((trouble) => trouble !== undefined);
  }

  /** Whether all lists were read; with `signal` it is not waited for any longer. */
  private async isReady(signal: AbortSignal): Promise<boolean> {
    if (this.trouble?.isFinal) throw this.trouble;
    if (!this.hasRead && !signal.aborted) {
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
        Promise.all(this.followers.map(({ ready }) => ready)).then(() => {
          this.hasRead = true;
          resolve();
        }, reject);
      });
    }
    return this.hasRead;
  }

  /** Waits where the API stays away for a moment: what it does not tell is not taken for well. */
  private async isSure(signal: AbortSignal): Promise<void> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(blinkMs)]);
    while (!(await this.isReady(patience)) || this.trouble) {
      if (patience.aborted) throw this.trouble ?? (await this.cluster.silence());
      await pause(100, undefined, { signal: patience }).catch(() => {});
    }
  }

  private deploymentOf(service: string): DeploymentFacts | undefined {
    return this.indexed.deployments.get(this.inputs.services[service]?.deployment ?? "");
  }

  private currentOf(deployment: DeploymentFacts): ReplicaSetFacts | undefined {
    const sets = this.indexed.replicaSets.get(deployment.uid) ?? [];
    return sets.find(({ revision }) => revision !== "" && revision === deployment.revision);
  }

  private podsOf(deployment: DeploymentFacts | undefined): PodFacts[] {
    const current = deployment && this.currentOf(deployment);
    return (current && this.indexed.pods.get(current.uid)) ?? [];
  }

  private get indexed() {
    const version = this.followers.reduce((sum, one) => sum + one.version, 0);
    if (version !== this.index.version) {
      const [deployments, replicaSets, pods] = this.followers;
      const lists = [deployments.items.values(), replicaSets.items.values(), pods.items.values()] as const;
      this.index = { version, ...indexOf(...lists) };
    }
    return this.index;
  }

  private async sightOf(service: string): Promise<DeploymentSight | undefined> {
    const plan = this.inputs.services[service];
    const deployment = this.deploymentOf(service);
    if (!deployment || !plan) return undefined;
    const { observedGeneration, image, imageBy, isPaused, replicas, replicasBy, status } = deployment;
    const refusal = this.currentOf(deployment)?.refusal;
    const now = Date.now();
    return {
      ...{
        service,
        wanted: plan.reference,
        // One that was made anew begins to count again: it is not what the update has made.
        newestGeneration: Math.max(deployment.generation, plan.generation),
      },
      ...{ observedGeneration, image, imageBy, isPaused, replicas, replicasBy, status },
      ...(plan.replicas === undefined ? {} : { wantedReplicas: plan.replicas }),
      ...(refusal ? { refusal: { message: refusal.message, forMs: now - refusal.since } } : {}),
      pods: await Promise.all(this.podsOf(deployment).map((pod) => this.podSight(pod, now))),
    };
  }

  private async podSight(pod: PodFacts, now: number): Promise<PodSight> {
    const { name, isLeaving, isReady, containers, obstacle } = pod;
    const forMs = obstacle ? now - obstacle.since : 0;
    const isStranded = obstacle?.kind === "node" && forMs >= grace.nodeMs;
    return {
      ...{ name, isLeaving, isReady, containers },
      ...(obstacle ? { hindrance: { ...obstacle, forMs } } : {}),
      isAwaitingNode: isStranded && (await this.isAwaitingNode(pod, now)),
    };
  }

  private async isAwaitingNode({ uid, name }: PodFacts, now: number): Promise<boolean> {
    for (const one of this.stranded.keys()) if (!this.pods.items.has(one)) this.stranded.delete(one);
    const known = this.stranded.get(uid);
    if (known && now - known.askedAt < askEveryMs) return known.isComing;
    const isComing = await isNodeComing(this.cluster, this.namespace, name);
    this.stranded.set(uid, { askedAt: now, isComing });
    return isComing;
  }
}

/** Deployments by name, ReplicaSets and pods by the uid of their owner. */
function indexOf(
  deployments: Iterable<DeploymentFacts>,
  replicaSets: Iterable<ReplicaSetFacts>,
  pods: Iterable<PodFacts>,
) {
  return {
    deployments: new Map([...deployments].map((one) => [one.name, one])),
    replicaSets: byOwner(replicaSets),
    pods: byOwner(pods),
  };
}

function byOwner<F extends { owner: string }>(all: Iterable<F>): Map<string, F[]> {
  const owned = new Map<string, F[]>();
  for (const one of all) {
    const siblings = owned.get(one.owner);
    if (siblings) siblings.push(one);
    else owned.set(one.owner, [one]);
  }
  return owned;
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
