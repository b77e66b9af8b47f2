// What an update that was killed may leave in the namespace: Secrets, whose names are their own each time. Everything
// else has one name, and the next update finds it by that.
import { labelled, pathOf, remove, resources } from "./api";
import type { Cluster } from "./cluster";
import { labels } from "./layout";

/**
 * Removes what carries the claim and is not among what is known.
 * @param known ids of all resources that the state knows: `<namespace>/<name>`
 * @returns the names of those removed
 */
export async function removeOrphans(
  cluster: Cluster,
  namespace: string,
  claim: string,
  known: ReadonlySet<string>,
): Promise<string[]> {
  const removed: string[] = [];
  for (const { metadata } of await labelled(cluster, resources.secrets, namespace, {
    [labels.claim]: claim,
  })) {
    const name = metadata.name ?? "";
    if (known.has(`${namespace}/${name}`)) continue;
    const isGone = await remove(cluster, pathOf(resources.secrets, namespace, name), metadata);
    if (isGone) removed.push(`the Secret ${name}`);
  }
  return removed;
}
