// What the cluster runs of an environment: asked once, and no matter if it does not answer.
import type { V1Pod } from "@kubernetes/client-node";
import { namespaceOf } from "../config";
import { pathOf, resources } from "../provider/kubernetes/api";
import { connectCluster } from "../provider/kubernetes/cluster";
import { labels } from "../provider/kubernetes/layout";
import type { Containers } from "./containers";
import type { Environment } from "./project";

const patienceMs = 3_000;

/** Undefined where no cluster answers, or it may not be asked. */
export async function podsOf({ config, project }: Environment): Promise<Containers | undefined> {
  const cluster = connectCluster({ context: config.kubernetes.context ?? "" });
  const path = pathOf(resources.pods, namespaceOf(project, config));
  const query = { labelSelector: labels.claim };
  try {
    const { items } = await cluster.list<V1Pod>(path, { query, signal: AbortSignal.timeout(patienceMs) });
    return podsIn(items);
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
