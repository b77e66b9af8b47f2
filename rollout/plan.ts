// What an environment should do next, given what runs, what its tag carries and what is known: a pure decision.
import type { Agreement } from "./lockstep";

/** One image at one digest, as far as a decision needs it. */
export interface Candidate {
  digest: string;
  revision?: string;
}

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
  /** Why a digest of an image may not roll; undefined where it may. */
  rejection: (image: string, digest: string) => string | undefined;
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

  const refused = moved.flatMap((image) => {
    const digest = carried[image]?.image.digest ?? "";
    const reason = situation.rejection(image, digest);
    return reason === undefined ? [] : [{ image, digest, reason }];
  });
  const admitted = moved.filter((image) => !refused.some((one) => one.image === image));
  // In lockstep one rejected image keeps all of its release back.
  if (admitted.length === 0 || (situation.lockstep && refused.length > 0)) return { kind: "refuse", refused };

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
