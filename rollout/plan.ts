// What an environment should do next, given what runs, what its tag carries and what is known: a pure decision.
import type { Agreement } from "./lockstep";

/** One image at one digest, as far as a decision needs it. */
export interface Candidate {
  digest: string;
  revision?: string;
}

/** Whether a digest of an image may roll, as far as is known. */
export type Clearance =
  | { kind: "clear" }
  /** Until somebody overrides it, or changes the config or the tag. */
  | { kind: "refused"; reason: string }
  /** It may be cleared by itself. `untilMs`: how long that takes at least, where that is known. */
  | { kind: "open"; reason: string; untilMs?: number };

/** What the environment tag carries on one image. */
export interface Carried<Image extends Candidate> {
  image: Image;
  /** When it was first seen there, milliseconds since the epoch. */
  movedAt: number;
}

export interface Situation<Image extends Candidate> {
  /** By image; empty before the first roll. */
  running: Readonly<Record<string, Image>>;
  /** By image; one that was never surely seen is missing. */
  carried: Readonly<Record<string, Carried<Image>>>;
  /** Images of which the last look said nothing sure: what is carried may be out of date. */
  unsure: readonly string[];
  /** The images the environment is made of. */
  images: readonly string[];
  /** Asked of digests that do not run. */
  clearance: (image: string, digest: string) => Clearance;
  lockstep: boolean;
  agreement: Agreement;
  settleMs: number;
  now: number;
}

export type Plan<Image extends Candidate> =
  | { kind: "stay" }
  /** `untilMs`: how long at least; left out where only a move of a tag can end it. */
  | { kind: "wait"; reason: string; untilMs?: number }
  | { kind: "refuse"; refused: { image: string; digest: string; reason: string }[] }
  | { kind: "roll"; release: Record<string, Image> };

export function plan<Image extends Candidate>(situation: Situation<Image>): Plan<Image> {
  const { running, carried, images, now } = situation;
  const unseen = images.filter((image) => !carried[image] && !running[image]);
  if (unseen.length > 0) return { kind: "wait", reason: `nothing is known yet of ${unseen.join(", ")}` };

  const moved = images.filter(
    (image) => carried[image] && carried[image].image.digest !== running[image]?.digest,
  );
  if (moved.length === 0) return { kind: "stay" };

  // What is not known may have moved as well, and belongs to the same release.
  const doubt = situation.lockstep
    ? situation.unsure
    : situation.unsure.filter((image) => moved.includes(image));
  if (doubt.length > 0) return { kind: "wait", reason: `nothing sure is known now of ${doubt.join(", ")}` };

  const asked = moved.map((image) => {
    const digest = carried[image]?.image.digest ?? "";
    return { image, digest, clearance: situation.clearance(image, digest) };
  });
  const admitted = asked.filter(({ clearance }) => clearance.kind === "clear").map(({ image }) => image);
  // In lockstep one image keeps all of its release back, and so does one that there is nothing else of to run.
  const isWhole = situation.lockstep || images.some((image) => !running[image]);
  if (admitted.length === 0 || (isWhole && admitted.length < moved.length)) {
    const refused = asked.flatMap(({ image, digest, clearance }) =>
      clearance.kind === "refused" ? [{ image, digest, reason: clearance.reason }] : [],
    );
    return refused.length > 0 ? { kind: "refuse", refused } : waitFor(asked);
  }

  if (situation.lockstep && situation.agreement.kind === "apart") {
    return { kind: "wait", reason: situation.agreement.reason };
  }
  // One commit on every label proves that the images belong together; without that, only quiet tells.
  const proven =
    situation.lockstep &&
    images.every((image) => (carried[image]?.image ?? running[image])?.revision !== undefined);
  const quietFor = now - Math.max(...admitted.map((image) => carried[image]?.movedAt ?? 0));
  if (!proven && quietFor < situation.settleMs) {
    return { kind: "wait", reason: "the tags have just moved", untilMs: situation.settleMs - quietFor };
  }
  const next = (image: string) =>
    admitted.includes(image) ? carried[image]?.image : (running[image] ?? carried[image]?.image);
  return {
    kind: "roll",
    release: Object.fromEntries(
      images.flatMap((image) => {
        const one = next(image);
        return one ? [[image, one]] : [];
      }),
    ),
  };
}

function waitFor(asked: { image: string; digest: string; clearance: Clearance }[]): Plan<never> {
  const open = asked.flatMap(({ image, digest, clearance }) =>
    clearance.kind === "open" ? [{ image, digest, ...clearance }] : [],
  );
  const reason = open.map((one) => `${one.image} ${short(one.digest)}: ${one.reason}`).join("; ");
  const known = open.flatMap(({ untilMs }) => (untilMs === undefined ? [] : [untilMs]));
  // Where the end of one is not known, only another look tells.
  if (known.length < open.length) return { kind: "wait", reason };
  return { kind: "wait", reason, untilMs: Math.max(...known) };
}

const short = (digest: string): string => digest.slice(0, "sha256:".length + 12);
