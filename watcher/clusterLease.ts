// One watcher an environment on a cluster, wherever its process is: a Lease in the environment's namespace, held as
// Kubernetes' own controllers hold theirs. A second one waits until it is released, or not renewed for its duration. The
// holder that cannot renew it in time is told to stop before that, so that two never roll at once.
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { performance } from "node:perf_hooks";
import type { V1Lease, V1LeaseSpec } from "@kubernetes/client-node";
import { type Labelled, pathOf, resources } from "../provider/kubernetes/api";
import type { Cluster } from "../provider/kubernetes/cluster";
import { isClusterError } from "../provider/kubernetes/errors";
import { environmentAnnotation, watcherName } from "../provider/kubernetes/layout";
import { type Log, messageOf } from "./log";
import { pause } from "./pause";
import type { Hold } from "./place";

export interface ClusterLeaseOptions {
  cluster: Cluster;
  namespace: string;
  /** `<project>/<stack>` */
  environment: string;
  log: Log;
  /** Ends the waiting. */
  stop: AbortSignal;
  /** Overrides what a test need not wait for. */
  times?: Partial<typeof usual>;
}

/** Those of Kubernetes' own controllers (client-go, leaderelection), in milliseconds. */
const usual = { duration: 15_000, renewWithin: 10_000, retry: 2_000 };

type Found = V1Lease & Labelled;

export class ClusterLease implements Hold {
  /** Aborted when it may be another's soon, with the reason. */
  readonly lost: AbortSignal;
  readonly handOverMs: number;
  private readonly losing = new AbortController();
  private readonly ending = new AbortController();
  private readonly identity = identityOf();
  private readonly path: string;
  private readonly times: typeof usual;
  /** Of what the API has; undefined while the namespace is not there. */
  private version: string | undefined;
  /** Since when it has been held, and how often it changed hands. */
  private spec: V1LeaseSpec = {};
  /** When the last renewal that went well was sent, by a clock that nobody sets. */
  private renewedAt = 0;
  private renewing: Promise<void> = Promise.resolve();

  private constructor(private readonly options: ClusterLeaseOptions) {
    this.lost = this.losing.signal;
    this.times = { ...usual, ...options.times };
    // A second less than there is, since timers are late on a busy machine.
    this.handOverMs = this.times.duration - this.times.renewWithin - 1_000;
    this.path = pathOf(resources.leases, options.namespace, watcherName);
  }

  /**
   * Takes the Lease, and renews it until it is released. Where the namespace is yet to be made, there is nothing to be
   * held, and it is taken as soon as there is.
   * @returns undefined where `stop` came first
   * @throws Error where it is another environment's; ClusterError where the cluster refuses
   */
  static async take(options: ClusterLeaseOptions): Promise<ClusterLease | undefined> {
    const lease = new ClusterLease(options);
    if (!(await lease.acquire())) return undefined;
    lease.renewing = lease.keepRenewing();
    return lease;
  }

  /** Lets the next one have it at once; what the holder did must be over by then. */
  async release(): Promise<void> {
    this.ending.abort();
    await this.renewing;
    if (this.version === undefined) return;
    // Where another has it by now, this is refused for its version.
    const signal = AbortSignal.timeout(this.times.retry);
    await this.write({ holderIdentity: "", leaseDurationSeconds: 1 }, signal).catch(() => {
      // Then the next one waits for it to expire.
    });
  }

  private async acquire(): Promise<boolean> {
    const { cluster, log, stop, namespace } = this.options;
    let [seen, seenAt, told] = ["", 0, ""];
    for (; !stop.aborted; await pause(Math.min(this.times.retry, 1_000), stop)) {
      const found = await this.find();
      const { holderIdentity = "", leaseDurationSeconds = 0, leaseTransitions = 0 } = found?.spec ?? {};
      if (found && holderIdentity) {
        const state = found.metadata.resourceVersion ?? "";
        // How long ago it was renewed is counted from when that was seen: the holder's clock may be any.
        if (state !== seen) [seen, seenAt] = [state, performance.now()];
        if (performance.now() - seenAt < leaseDurationSeconds * 1000) {
          if (told !== holderIdentity)
            log(
              "waiting",
              `another watcher has the environment (${holderIdentity}, by the Lease ${watcherName} in the namespace ${namespace} of ${await cluster.name()}): taking over when that ends`,
            );
          told = holderIdentity;
          continue;
        }
      }
      if (await this.claim(found, leaseTransitions + (found ? 1 : 0))) return true;
    }
    return false;
  }

  /** @returns false where another was faster */
  private async claim(found: Found | undefined, leaseTransitions: number): Promise<boolean> {
    this.version = found?.metadata.resourceVersion;
    this.spec = { acquireTime: microTime(), leaseTransitions };
    this.renewedAt = performance.now();
    try {
      if (found) await this.write(this.held);
      else await this.create();
      return true;
    } catch (error) {
      if (isClusterError(error, "Conflict", "AlreadyExists", "NotFound")) return false;
      throw error;
    }
  }

  private async keepRenewing(): Promise<void> {
    const { retry, renewWithin } = this.times;
    for (;;) {
      await pause(retry, this.ending.signal);
      if (this.ending.signal.aborted) return;
      const endsAt = this.renewedAt + renewWithin;
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), endsAt - performance.now());
      let problem = "the cluster gives no answer in time";
      try {
        const taken = await Promise.race([this.renew(late.signal), aborted(late.signal)]);
        if (taken === "") continue;
        if (taken !== undefined) return this.lose(taken);
      } catch (error) {
        if (!late.signal.aborted) problem = messageOf(error);
      } finally {
        clearTimeout(timer);
      }
      if (performance.now() + retry >= endsAt) return this.lose(problem);
    }
  }

  /** @returns why it is not to be renewed any more; "" where it was */
  private async renew(signal: AbortSignal): Promise<string> {
    const sentAt = performance.now();
    try {
      await (this.version === undefined ? this.create(signal) : this.write(this.held, signal));
    } catch (error) {
      // A Lease that somebody removed was just made again, and a namespace is not.
      if (isClusterError(error, "NotFound")) return "the namespace is gone";
      if (!isClusterError(error, "Conflict", "AlreadyExists")) throw error;
      // An answer that was lost, or somebody's label: what counts is whose it is.
      const found = await this.find(signal);
      const { holderIdentity } = found?.spec ?? {};
      if (holderIdentity !== this.identity) return `${holderIdentity || "somebody"} has taken it`;
      this.version = found?.metadata.resourceVersion;
      await this.write(this.held, signal);
    }
    this.renewedAt = sentAt;
    return "";
  }

  private lose(why: string): void {
    const { namespace } = this.options;
    this.losing.abort(
      new Error(
        `the Lease ${watcherName} in the namespace ${namespace} cannot be held any longer, and another watcher may take over: ${why}`,
      ),
    );
  }

  private get held(): V1LeaseSpec {
    return {
      holderIdentity: this.identity,
      leaseDurationSeconds: Math.ceil(this.times.duration / 1000),
    };
  }

  /** @throws Error where it is another environment's */
  private async find(signal?: AbortSignal): Promise<Found | undefined> {
    const { cluster, environment, namespace } = this.options;
    const found = await cluster.get<Found>(this.path, { signal }).catch((error: unknown) => {
      if (isClusterError(error, "NotFound")) return undefined;
      throw error;
    });
    const owner = found?.metadata.annotations?.[environmentAnnotation];
    if (found && owner !== environment) {
      throw new Error(
        `the Lease ${watcherName} in the namespace ${namespace} is of ${owner ? `the environment ${owner}` : "somebody else"}: give this one another namespace in tagalong:kubernetes.namespace`,
      );
    }
    return found;
  }

  private async create(signal?: AbortSignal): Promise<void> {
    const { cluster, namespace } = this.options;
    try {
      const { metadata } = await cluster.post<Found>(
        pathOf(resources.leases, namespace),
        this.object(this.held),
        { signal },
      );
      this.version = metadata.resourceVersion;
    } catch (error) {
      // Without a namespace there is nothing in it that another could change.
      if (!isClusterError(error, "NotFound")) throw error;
    }
  }

  private async write(spec: V1LeaseSpec, signal?: AbortSignal): Promise<void> {
    const { metadata } = await this.options.cluster.put<Found>(this.path, this.object(spec), { signal });
    this.version = metadata.resourceVersion;
  }

  private object(spec: V1LeaseSpec): object {
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name: watcherName,
        namespace: this.options.namespace,
        annotations: { [environmentAnnotation]: this.options.environment },
        labels: { "app.kubernetes.io/managed-by": "tagalong" },
        ...(this.version === undefined ? {} : { resourceVersion: this.version }),
      },
      spec: { ...this.spec, ...spec, renewTime: microTime() },
    };
  }
}

/** No other process has the same; a person knows by it which it is. */
const identityOf = (): string =>
  `${process.env["TAGALONG_POD"] ?? hostname()}_${process.pid}_${randomBytes(4).toString("hex")}`;

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));

/** As Kubernetes writes it: microseconds. */
const microTime = (): Date => new Date().toISOString().replace("Z", "000Z") as unknown as Date;
