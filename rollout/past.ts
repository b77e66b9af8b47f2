// What receipts tell of an environment: what it runs, since when, and what it could go back to. Receipts are newest
// first, as the ledger keeps them.
import type { Receipt } from "./record";

/** What an environment ran from one receipt to the next, image by image. */
export interface Period {
  /** When the traffic went to it. */
  since: string;
  images: Record<string, { digest: string; version?: string; revision?: string }>;
  /** The release that its receipts name. */
  release?: string;
  /** Whether it stayed well for its soak time. */
  isGood: boolean;
  /** The receipts that kept it there, newest first. */
  receipts: Receipt[];
}

/** After these the environment runs what the roll brought; after the others what it ran before. */
const serving: readonly Receipt["outcome"][] = ["live", "healthy"];

/** When what a receipt is about began to serve, or else when it ended. */
export const liveAt = ({ hops, endedAt, id }: Receipt): string =>
  hops.switched ?? hops.healthy ?? endedAt ?? timeOf(id);

/** When a roll began. */
export const startedAt = ({ hops, id, endedAt }: Receipt): string =>
  hops.observed ?? hops.admitted ?? endedAt ?? timeOf(id);

/** `20261121T161500.123Z-4f9a01` as RFC 3339; "" where it is no such id. */
function timeOf(id: string): string {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d(?:\.\d+)?)Z/.exec(id);
  const [, year, month, day, hour, minute, second] = match ?? [];
  return match ? `${year}-${month}-${day}T${hour}:${minute}:${second}Z` : "";
}

/**
 * What the environment runs now and ran before, newest first; a period ends where a digest changed. A receipt need not
 * name every image: what it leaves out stays as it was.
 * @param among the images that count; one that the environment no longer runs is no difference
 */
export function periods(receipts: readonly Receipt[], among?: readonly string[]): Period[] {
  const found: Period[] = [];
  let now: Period["images"] = {};
  for (const receipt of [...receipts].reverse()) {
    if (!serving.includes(receipt.outcome)) continue;
    const counting = Object.entries(receipt.images).filter(([image]) => among?.includes(image) ?? true);
    const rolled = counting.map(([image, { to, version, revision }]) => [
      image,
      { digest: to, ...(version ? { version } : {}), ...(revision ? { revision } : {}) },
    ]);
    now = { ...now, ...Object.fromEntries(rolled) };
    const isGood = receipt.outcome === "healthy";
    const release = receipt.release === undefined ? {} : { release: receipt.release };
    const last = found[0];
    if (last && sameDigests(last.images, now)) {
      found[0] = {
        ...last,
        ...release,
        images: now,
        isGood: last.isGood || isGood,
        receipts: [receipt, ...last.receipts],
      };
    } else found.unshift({ since: liveAt(receipt), images: now, ...release, isGood, receipts: [receipt] });
  }
  return found;
}

/** Since when an image has had the digest that it has now; it may be longer than the others. */
export function sinceWhen(all: readonly Period[], image: string): string | undefined {
  const digest = all[0]?.images[image]?.digest;
  if (digest === undefined) return undefined;
  const other = all.findIndex((period) => period.images[image]?.digest !== digest);
  return all.at((other < 0 ? all.length : other) - 1)?.since;
}

/** What the environment could go back to, newest first: each set of digests once, the one it runs now left out. */
export function earlier(all: readonly Period[]): Period[] {
  const [now, ...rest] = all;
  return rest.filter(
    (period, index) =>
      period.isGood &&
      !(now && sameDigests(now.images, period.images)) &&
      rest.findIndex((other) => other.isGood && sameDigests(other.images, period.images)) === index,
  );
}

/** The roll that is under way, if one is. */
export function underWay([newest]: readonly Receipt[]): Receipt | undefined {
  return newest?.outcome === "rolling" ? newest : undefined;
}

function sameDigests(one: Period["images"], other: Period["images"]): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => one[name]?.digest === other[name]?.digest);
}
