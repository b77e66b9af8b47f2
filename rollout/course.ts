// What a `pulumi up` by hand does with what it finds: goes there, stays with what was good, or refuses. A pure decision.
import type { Hold, Receipt } from "./record";

export interface Proposal {
  environment: string;
  /** As the config names it; "" where the environment follows its tag. */
  release: string;
  /** By image: the release's digests, or what the tag carries. */
  digests: Readonly<Record<string, string>>;
  /** Image → why it may not roll. */
  refused: Readonly<Record<string, string>>;
  /** One refused image keeps all of its release back. */
  lockstep: boolean;
  hold?: Hold;
  /** The roll that brought the environment to where it is; left out before the first. */
  running?: Receipt;
  /** The last one that stayed well. */
  good?: Receipt;
}

export type Course =
  | { kind: "go" }
  /** `digests`: by image, what to run instead. */
  | { kind: "stay"; digests: Record<string, string>; why: string }
  | { kind: "refuse"; why: string };

/** Images that would get another digest than they run. */
export const movedIn = ({ digests, running }: Pick<Proposal, "digests" | "running">): string[] =>
  Object.keys(digests).filter((image) => running?.images[image]?.to !== digests[image]);

export function courseOf(proposal: Proposal): Course {
  const { environment, release, digests, refused, hold, running, good } = proposal;
  const images = Object.keys(digests);
  if (hold && movedIn(proposal).length > 0) {
    const held = heldText(environment, hold);
    if (release !== "") return { kind: "refuse", why: held };
    const stays = digestsIn(running, images);
    if (stays) return { kind: "stay", digests: stays, why: `${held}; it stays with ${nameOf(running)}` };
    return {
      kind: "refuse",
      why: `${held}; nothing is known of what it runs, so there is nothing to stay with`,
    };
  }
  const reasons = Object.entries(refused).map(([image, reason]) => `\n  ${image}: ${reason}`);
  if (reasons.length === 0) return { kind: "go" };
  if (release !== "")
    return { kind: "refuse", why: `${environment} does not take the release ${release}:${reasons.join("")}` };

  const kept = proposal.lockstep ? images : Object.keys(refused);
  const before = digestsIn(good, kept);
  const isWayBack = before && Object.keys(refused).every((image) => before[image] !== digests[image]);
  const what = `${environment} does not take what its tag carries:${reasons.join("")}`;
  if (!isWayBack)
    return { kind: "refuse", why: `${what}\nNothing else that stayed well is on record to stay with` };
  return { kind: "stay", digests: { ...digests, ...before }, why: `${what}\nIt stays with ${nameOf(good)}` };
}

export function heldText(environment: string, { at, by, reason }: Hold): string {
  const why = reason === "" ? "" : `: ${reason}`;
  return `${environment} is held since ${at} by ${by}${why}; lift that with \`tagalong resume ${environment}\``;
}

function digestsIn(
  receipt: Receipt | undefined,
  images: readonly string[],
): Record<string, string> | undefined {
  const digests = images.map((image) => [image, receipt?.images[image]?.to] as const);
  return digests.some(([, digest]) => digest === undefined)
    ? undefined
    : (Object.fromEntries(digests) as Record<string, string>);
}

function nameOf(receipt: Receipt | undefined): string {
  const at = receipt?.endedAt ?? receipt?.hops.switched ?? "";
  return `what it was brought to${at === "" ? "" : ` at ${at}`}${receipt?.release ? `, ${receipt.release}` : ""}`;
}
