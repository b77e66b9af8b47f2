// Where records stand: tags at fixed names beside the image, read by name and never listed.
import { atTag, type Reference } from "../registry";

export type Finding = "healthy" | "rejected" | "override";

/**
 * The tag of what an environment found out about a digest: `sha256-<64 hex>.<environment>.rejected`. Like OCI's own
 * tags for referrers it takes the first 64 digits of a longer digest; the record itself names it whole.
 */
export function findingTag(digest: string, environment: string, finding: Finding): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  return `${algorithm}-${hex.slice(0, 64)}.${environment}.${finding}`;
}

/** Tags of an environment as a whole. */
export function environmentTag(environment: string, record: "hold" | "receipts"): string {
  return `tagalong.${environment}.${record}`;
}

/**
 * The repositories of an environment's images, each once, the home first: that of the first image by name. What
 * belongs to the environment as a whole is written at home, and looked for in all, since an image that comes or goes
 * may move the home.
 */
export function homes(images: Readonly<Record<string, Reference>>): Reference[] {
  const byName = new Map<string, Reference>();
  for (const image of Object.keys(images).sort()) {
    const { registry, repository } = images[image] as Reference;
    byName.set(`${registry}/${repository}`, { registry, repository });
  }
  return [...byName.values()];
}

/** The same repository at the tag of a record. */
export function at(repository: Reference, tag: string): Reference {
  return atTag(repository, tag);
}
