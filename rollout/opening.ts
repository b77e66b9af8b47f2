// What a watcher that starts may take for true of its environment, given what is on record: whether what runs is known
// to be well, or to be no good, or nobody has said yet, and where the way back leads. A pure decision.
import { admit } from "./admission";
import type { Findings, Receipt } from "./record";

export interface RunningImage {
  digest: string;
  /** What its services are configured like, see configurationOf. */
  configuration: string;
  findings: Findings;
}

export interface Opening {
  /** Images whose digest may not run here, and why. */
  rejected: { image: string; digest: string; reason: string }[];
  /** Images that nobody has found to stay well: the last watcher ended before their soak time was over. */
  open: string[];
  /** The receipt of the roll that brought what runs, where it waits for its end. */
  receipt?: Receipt;
  /** Those that wait for their end, of any roll, and whose own process may be gone. */
  unended: Receipt[];
}

export function opening(
  environment: string,
  running: Readonly<Record<string, RunningImage>>,
  receipts: readonly Receipt[],
): Opening {
  const images = Object.entries(running);
  const rejected = images.flatMap(([image, { digest, configuration, findings }]) => {
    const admission = admit({ image, digest, environment, configuration, own: findings, now: 0 });
    return admission.admitted ? [] : [{ image, digest, reason: findings.rejected?.reason ?? "" }];
  });
  const open = images
    .filter(([image, { findings }]) => !rejected.some((one) => one.image === image) && !isWell(findings))
    .map(([image]) => image);
  const receipt = receipts.find(
    ({ via, outcome, endedAt, images: rolled }) =>
      via === "watcher" &&
      outcome === "live" &&
      endedAt === undefined &&
      images.every(([image, { digest }]) => rolled[image]?.to === digest),
  );
  const unended = receipts.filter(({ endedAt }) => endedAt === undefined);
  return { rejected, open, ...(receipt ? { receipt } : {}), unended };
}

/** How the receipt of a roll ends whose own process is gone: as it is known, and no better. */
export function cutShort({ outcome }: Receipt): { outcome: "live" | "failed"; reason: string } {
  return outcome === "live"
    ? { outcome, reason: "its watcher ended before its soak time was over" }
    : { outcome: "failed", reason: "it was cut short, or failed before anything of it could be judged" };
}

/** A rejection of the same configuration that came later takes the word back, also where somebody overrides it. */
function isWell({ healthy, rejected }: Findings): boolean {
  if (!healthy || !rejected || rejected.configuration !== healthy.configuration) return healthy !== undefined;
  return Date.parse(healthy.at) > Date.parse(rejected.at);
}

/** Digests by image, the newest first, of what stayed well here before, apart from what runs. */
export function waysBack(
  running: Readonly<Record<string, { digest: string }>>,
  receipts: readonly Receipt[],
): Record<string, string>[] {
  const images = Object.keys(running);
  const ways = receipts
    .filter(({ outcome, images: rolled }) => outcome === "healthy" && images.every((image) => rolled[image]))
    .map(({ images: rolled }) => Object.fromEntries(images.map((image) => [image, rolled[image]?.to ?? ""])))
    .filter((digests) => images.some((image) => digests[image] !== running[image]?.digest));
  const seen = new Set<string>();
  return ways.filter((digests) => {
    const key = JSON.stringify(digests);
    return !seen.has(key) && seen.add(key);
  });
}
