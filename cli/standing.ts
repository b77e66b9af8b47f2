// How an environment stands, from what could be found out of it, and the sentences that say why: a pure decision.
import { startedAt } from "../rollout/past";
import type { Findings } from "../rollout/record";
import type { ImageSight, Known, Sight } from "./sight";
import { ago } from "./times";

/**
 * - `steady`: it runs what it should
 * - `rolling`: a roll is under way
 * - `pending`: it is to run something else, and nothing is in the way
 * - `refused`: its tag carries, or its config names, what may not roll
 * - `unauthorised`: its tag carries something else than its config names
 * - `held`: somebody holds it
 * - `empty`: it has not run anything yet
 * - `unknown`: a registry did not say
 */
export type State =
  | "steady"
  | "rolling"
  | "pending"
  | "refused"
  | "unauthorised"
  | "held"
  | "empty"
  | "unknown";

export interface Standing {
  state: State;
  /** Sentences for a person, the most important first. */
  reasons: string[];
}

/** What an environment found out about what it runs. */
export interface Finding {
  outcome: "healthy" | "rejected" | "none";
  at?: string;
  reason?: string;
}

/** The last word on a digest, see rollout/admission.ts. */
export function findingOf({ healthy, rejected }: Findings): Finding {
  const isHealthyAgain =
    healthy &&
    rejected &&
    Date.parse(healthy.at) > Date.parse(rejected.at) &&
    healthy.configuration !== rejected.configuration;
  const verdict = rejected && !isHealthyAgain ? rejected : healthy;
  if (!verdict) return { outcome: "none" };
  const { outcome, at, reason } = verdict;
  return { outcome, at, ...(reason === "" ? {} : { reason }) };
}

/** An image by its version, where it has one, and its digest. */
export const titleOf = ({ version, digest }: Known): string =>
  version ? `${version} (${shortDigest(digest)})` : shortDigest(digest);

/** A digest as a person can take it in. */
export const shortDigest = (digest: string): string => digest.replace(/^sha\d+:/, "").slice(0, 12);

const order: readonly State[] = [
  "unknown",
  "held",
  "rolling",
  "unauthorised",
  "refused",
  "pending",
  "empty",
  "steady",
];

/** What is said of something, with the images or services that it is said of. */
interface Remark {
  state: State;
  of?: string;
  reason: string;
}

export function standing(sight: Sight, now: number): Standing {
  const { environment, hold, rolling, unknown, mistakes } = sight;
  const held = hold && `put on hold by ${hold.by} ${ago(hold.at, now)}: ${hold.reason}`;
  const remarks: Remark[] = [
    ...unknown.map((reason) => ({ state: "unknown" as const, reason })),
    ...(held
      ? [{ state: "held" as const, reason: `${held}; it goes on with: tagalong resume ${environment}` }]
      : []),
    ...(rolling
      ? [
          {
            state: "rolling" as const,
            reason: `${rolling.by} began to roll it ${ago(startedAt(rolling), now)}`,
          },
        ]
      : []),
    ...mistakes.map((reason) => ({ state: "refused" as const, reason })),
    ...Object.entries(sight.images).flatMap(([image, one]) => standingOf(image, one, sight)),
    ...differences(sight),
  ];
  const sorted = order.flatMap((state) => remarks.filter((remark) => remark.state === state));
  return { state: sorted[0]?.state ?? "steady", reasons: told(sorted) };
}

/** One sentence for all that it is said of. */
function told(remarks: readonly Remark[]): string[] {
  const together = new Map<string, string[]>();
  for (const { of, reason } of remarks)
    together.set(reason, [...(together.get(reason) ?? []), ...(of ? [of] : [])]);
  return [...together].map(([reason, names]) =>
    names.length > 0 ? `${names.join(", ")}: ${reason}` : reason,
  );
}

function standingOf(image: string, sight: ImageSight, { environment, tag, release }: Sight): Remark[] {
  const { running, carried, named, admission } = sight;
  const say = (state: State, reason: string): Remark[] => [{ state, of: image, reason }];
  if (carried === undefined) return [];
  const stays = running ? `; it stays at ${titleOf(running)}` : "";
  if (carried === "none") {
    if (named)
      return say(
        "pending",
        `the config names ${release}, and there is no tag ${tag} yet; pulumi up -s ${environment} makes it`,
      );
    return say("empty", `there is no tag ${tag} yet: push one, or name a release`);
  }
  if (named && carried.digest !== named.digest) {
    if (carried.digest === running?.digest)
      return say(
        "pending",
        `the config names ${release}, which is ${shortDigest(named.digest)}, and the tag does not carry it yet; pulumi up -s ${environment} moves it`,
      );
    return say(
      "unauthorised",
      `the tag carries ${titleOf(carried)}, the config names ${release}, which is ${shortDigest(named.digest)}: not authorised${stays}`,
    );
  }
  if (carried.digest === running?.digest) return [];
  if (admission && !admission.admitted)
    return say("refused", `the tag carries ${titleOf(carried)}${stays}: ${admission.reason}`);
  return say(
    "pending",
    `the tag carries ${titleOf(carried)}, which is to roll${running ? ` from ${titleOf(running)}` : ""}`,
  );
}

/** Where the containers are not what the receipts say. */
function differences({ services, images, hasContainers, rolling }: Sight): Remark[] {
  if (!hasContainers || rolling) return [];
  return Object.entries(services).flatMap(([service, { image, containers }]) => {
    const { running } = images[image] ?? {};
    if (!running) return [];
    const say = (reason: string): Remark[] => [{ state: "pending", of: service, reason }];
    if (!containers || containers.running === 0)
      return say(`its receipts say ${titleOf(running)}, and no container of it runs on the engine here`);
    const others = containers.digests.filter((digest) => digest !== running.digest).map(shortDigest);
    return others.length === 0
      ? []
      : say(`its receipts say ${titleOf(running)}, and containers run ${others.join(", ")}`);
  });
}
