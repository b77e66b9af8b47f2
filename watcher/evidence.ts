// The evidence for a promotion: of each image that would get another digest, what it is and what it was, the commits
// between them, where it runs, what is on record of it, and whether `up` would refuse. Gathered from the registry, Git and
// GitHub; data only, evidenceText.ts says it.
import type { EnvironmentConfig } from "../config";
import { describe } from "../ledger";
import { type Reference, type RegistryClient, RegistryError } from "../registry";
import type { Findings, Hold } from "../rollout/record";
import { type Candidate, findCandidate } from "./candidate";
import { type Commits, type Compare, commitsBetween } from "./commits";
import { followed } from "./decide";

/** One image at one digest. */
export interface Side {
  digest: string;
  version?: string;
  revision?: string;
}

/** What an environment has on record of the new digest, as far as it counts. */
export interface Standing {
  environment: string;
  verdict: "healthy" | "rejected" | "none";
  /** RFC 3339 time of the verdict. */
  at?: string;
  reason?: string;
}

export interface ImageEvidence {
  image: string;
  /** Left out before the first roll. */
  from?: Side;
  to: Side & { platforms: readonly string[] };
  /** Platforms that the old one has and the new one lacks. */
  lostPlatforms: readonly string[];
  /** Left out where there is nothing to compare with. */
  commits?: Commits;
  /** In the environment where it must have been healthy before, else in this one. */
  standing: Standing;
  /** Why it may not roll; left out where it may. */
  refusal?: string;
  /** Whether somebody has said that it may in spite of what is on record. */
  isOverridden: boolean;
}

export interface Evidence {
  environment: string;
  /** As the config names it; "" where the environment follows its tag. */
  release: string;
  /** Those that would get another digest, and those that may not roll. */
  images: ImageEvidence[];
  /** Those that keep theirs, and may. */
  unchanged: readonly string[];
  hold?: Hold;
  /** What `up` would do, and why, where that is not just to roll. */
  course: { kind: "go" } | { kind: "stay" | "refuse"; why: string };
}

export interface EvidenceOptions {
  /** The project's folder: its Git repository knows the commits. */
  directory: string;
  /** In place of GitHub. */
  compare?: Compare;
}

/**
 * The evidence for what an `up` would do now.
 * @param options.secretTexts the encrypted texts of the stack's secrets, by name
 * @throws ReleaseError, RegistryError where it is not known what it would do
 */
export async function gatherEvidence(
  config: EnvironmentConfig,
  client: RegistryClient,
  options: EvidenceOptions & { secretTexts: Readonly<Record<string, unknown>> },
): Promise<Evidence> {
  return evidenceFor(await findCandidate(config, client, options.secretTexts), config, client, options);
}

/** The evidence for a candidate that was found already. */
export async function evidenceFor(
  candidate: Candidate,
  config: EnvironmentConfig,
  client: RegistryClient,
  { directory, compare }: EvidenceOptions,
): Promise<Evidence> {
  const { environment, release, images, moved, admissions, hold, course } = candidate;
  const comparisons = new Map<string, Promise<Commits>>();
  // Of a monorepo all images have the same commits between them.
  const between = (from: string | undefined, to: string | undefined) => {
    const key = `${from} ${to}`;
    const known = comparisons.get(key) ?? commitsBetween(from, to, directory, compare);
    comparisons.set(key, known);
    return known;
  };
  const shown = Object.keys(images).filter((image) => moved.includes(image) || !admissions[image]?.admitted);
  const gathered = shown.map(async (image): Promise<ImageEvidence[]> => {
    const [to, admission, tag] = [images[image], admissions[image], followed(config)[image]];
    if (!to || !admission || !tag) return [];
    const from = await sideBefore(candidate, image, tag, client);
    const { after, own, isOverridden } = admission.evidence;
    return [
      {
        image,
        ...(from ? { from: sideOf(from) } : {}),
        to: { ...sideOf(to), platforms: to.platforms },
        lostPlatforms: (from?.platforms ?? []).filter((platform) => !to.platforms.includes(platform)),
        ...(from ? { commits: await between(from.revision, to.revision) } : {}),
        standing: after ? standingOf(after.environment, after.findings) : standingOf(environment, own),
        ...(admission.admitted ? {} : { refusal: admission.reason }),
        isOverridden,
      },
    ];
  });
  return {
    environment,
    release,
    images: (await Promise.all(gathered)).flat(),
    unchanged: Object.keys(images).filter((image) => !shown.includes(image)),
    ...(hold ? { hold } : {}),
    course: course.kind === "go" ? { kind: "go" } : { kind: course.kind, why: course.why },
  };
}

const sideOf = ({ digest, version, revision }: Side): Side => ({
  digest,
  ...(version ? { version } : {}),
  ...(revision ? { revision } : {}),
});

/** What runs, as the last receipt has it; before there is one, what the tag carries that a release is to take. */
async function sideBefore(
  { running, release }: Candidate,
  image: string,
  tag: Reference,
  client: RegistryClient,
): Promise<(Side & { platforms: readonly string[] }) | undefined> {
  const noted = running?.images[image];
  if (!noted && release === "") return undefined;
  try {
    const found = noted ? { kind: "found" as const, digest: noted.to } : await client.resolve(tag);
    return found.kind === "found" ? await describe(client, tag, found.digest) : undefined;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    // The old one may be gone from the registry: what was noted of it will do.
    return noted && { ...sideOf({ ...noted, digest: noted.to }), platforms: [] };
  }
}

function standingOf(environment: string, { healthy, rejected }: Findings): Standing {
  const isRejected = rejected && !(healthy && Date.parse(healthy.at) > Date.parse(rejected.at));
  const last = isRejected ? rejected : healthy;
  if (!last) return { environment, verdict: "none" };
  const { at, reason, outcome } = last;
  return { environment, verdict: outcome, at, ...(reason ? { reason } : {}) };
}
