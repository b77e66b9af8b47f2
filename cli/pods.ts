// What the cluster runs of an environment: asked once, and no matter if it does not answer.
import type { V1Lease, V1Pod } from "@kubernetes/client-node";
import { namespaceOf } from "../config";
import { pathOf, resources } from "../provider/kubernetes/api";
import { connectCluster } from "../provider/kubernetes/cluster";
import { labels, watcherName } from "../provider/kubernetes/layout";
import type { Containers } from "./containers";
import type { Environment } from "./project";

const patienceMs = 3_000;
/** After so long without a sign of life a watcher is not taken to be there: four times its Lease, for clocks differ. */
const silentMs = 60_000;

/** Undefined where no cluster answers, or it may not be asked. */
export async function podsOf({ config, project }: Environment): Promise<Containers | undefined> {
  const cluster = connectCluster({ context: config.kubernetes.context ?? "" });
  const namespace = namespaceOf(project, config);
  const query = { labelSelector: labels.claim };
  const signal = AbortSignal.timeout(patienceMs);
  try {
    const [{ items }, lease] = await Promise.all([
      cluster.list<V1Pod>(pathOf(resources.pods, namespace), { query, signal }),
      // Whoever may not read it is told of pods alone.
      cluster
        .get<V1Lease>(pathOf(resources.leases, namespace, watcherName), { signal })
        .catch(() => undefined),
    ]);
    const found = podsIn(items);
    const elsewhere = found.watcher?.isRunning ? undefined : lease && holderOf(lease, Date.now());
    return elsewhere ? { ...found, watcher: { where: elsewhere, isRunning: true } } : found;
  } catch {
    return undefined;
  }
}

/** What the pods of an environment say of it; those that are about to end do not count. */
export function podsIn(list: readonly V1Pod[]): Containers {
  const found: Containers = { services: {} };
  for (const { metadata = {}, spec, status } of list) {
    if (metadata.deletionTimestamp) continue;
    const isRunning = status?.containerStatuses?.some(({ state }) => state?.running !== undefined) ?? false;
    const service = metadata.labels?.[labels.service];
    if (service === undefined) {
      if (isRunning || !found.watcher) found.watcher = { where: `pod ${metadata.name}`, isRunning };
      continue;
    }
    const known = found.services[service] ?? { running: 0, digests: [] };
    const digest = /@(sha\d+:[0-9a-f]+)$/.exec(spec?.containers[0]?.image ?? "")?.[1];
    const isNew = isRunning && digest !== undefined && !known.digests.includes(digest);
    found.services[service] = {
      running: known.running + (isRunning ? 1 : 0),
      digests: isNew ? [...known.digests, digest] : known.digests,
    };
  }
  return found;
}

/**
 * Where the watcher is that holds the environment, as its Lease tells; undefined where none has renewed it lately.
 * @param now milliseconds since the epoch
 */
export function holderOf({ spec = {} }: V1Lease, now: number): string | undefined {
  const [, host, pid] = /^(.+)_(\d+)_[0-9a-f]+$/.exec(spec.holderIdentity ?? "") ?? [];
  if (host === undefined || now - Date.parse(String(spec.renewTime)) > silentMs) return undefined;
  return `${host}, process ${pid}`;
}
