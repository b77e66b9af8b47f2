// An environment's Deployments with their ReplicaSets and pods, as three watches of its namespace have brought them.
import { setTimeout as pause } from "node:timers/promises";
import { pathOf, type Resource, resources } from "./api";
import type { Cluster } from "./cluster";
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

export class ClusterView {
  private readonly deployments: Follower<DeploymentFacts>;
  private readonly replicaSets: Follower<ReplicaSetFacts>;
  private readonly pods: Follower<PodFacts>;
  private hasRead = false;
  private index = { version: -1, ...indexOf([], [], []) };

  /** @param youngMs a pod that is older than that had its restarts before */
  constructor(cluster: Cluster, namespace: string, youngMs: number) {
    const follow = <F>(resource: Resource, trim: (object: never, former: F | undefined) => F) =>
      new Follower<F>(
        cluster,
        pathOf(resource, namespace),
        { labelSelector: labels.service },
        trim as (object: unknown, former: F | undefined) => F,
      );
    this.deployments = follow(resources.deployments, deploymentFacts);
    this.replicaSets = follow(resources.replicaSets, replicaSetFacts);
    this.pods = follow<PodFacts>(resources.pods, (pod, former) => podFacts(pod, former, youngMs));
  }

  close(): void {
    for (const one of this.followers) one.close();
  }

  /** Goes up with each change. */
  get version(): number {
    return this.followers.reduce((sum, one) => sum + one.version, 0);
  }

  /** Why nothing is known of the cluster at the moment. */
  get trouble(): ClusterError | undefined {
    return this.followers.map(({ trouble }) => trouble).find((trouble) => trouble !== undefined);
  }

  /**
   * Whether all there was has been read; with `patience` it is not waited for any longer.
   * @throws ClusterError where the API will not have it
   */
  async isReady(patience: AbortSignal): Promise<boolean> {
    if (this.trouble?.isFinal) throw this.trouble;
    if (this.hasRead || patience.aborted) return this.hasRead;
    await new Promise<void>((resolve, reject) => {
      patience.addEventListener("abort", () => resolve(), { once: true });
      Promise.all(this.followers.map(({ ready }) => ready)).then(() => {
        this.hasRead = true;
        resolve();
      }, reject);
    });
    return this.hasRead;
  }

  /** Waits until what is known is what there is now. @returns false where that was not to be waited for any longer */
  async isSure(patience: AbortSignal): Promise<boolean> {
    while (!(await this.isReady(patience)) || this.trouble) {
      if (patience.aborted) return false;
      await pause(100, undefined, { signal: patience }).catch(() => {});
    }
    return true;
  }

  deployment(name: string): DeploymentFacts | undefined {
    return this.indexed.deployments.get(name);
  }

  /** The ReplicaSet of the Deployment's own revision. */
  currentOf({ uid, revision }: DeploymentFacts): ReplicaSetFacts | undefined {
    const sets = this.indexed.replicaSets.get(uid) ?? [];
    return sets.find((one) => one.revision !== "" && one.revision === revision);
  }

  /** Those of the Deployment's own revision. */
  podsOf(deployment: DeploymentFacts): PodFacts[] {
    const current = this.currentOf(deployment);
    return (current && this.indexed.pods.get(current.uid)) ?? [];
  }

  /** Any pod of the environment. */
  pod(name: string): PodFacts | undefined {
    return [...this.pods.items.values()].find((one) => one.name === name);
  }

  private get followers() {
    return [this.deployments, this.replicaSets, this.pods] as const;
  }

  private get indexed() {
    const { version } = this;
    if (version !== this.index.version) {
      const [deployments, replicaSets, pods] = this.followers;
      const lists = [deployments.items.values(), replicaSets.items.values(), pods.items.values()] as const;
      this.index = { version, ...indexOf(...lists) };
    }
    return this.index;
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
