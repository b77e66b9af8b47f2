// What a `pulumi up` by hand runs, decided before anything is declared: it obeys what is on record as the watcher does.
// A release that may not run is refused in plain words; a tag that carries one is not followed.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EnvironmentConfig } from "../config";
import { nameRelease, ReleaseError } from "../ledger";
import type { TaggedImage } from "../provider/environmentTag";
import type { HandRoll } from "../provider/handRoll";
import { formatReference, type Reference, type RegistryClient, RegistryError } from "../registry";
import { heldText } from "../rollout/course";
import type { Receipt } from "../rollout/record";
import type { Release } from "../rollout/release";
import { type Candidate, describeAll, digestsOf, findCandidate, sources } from "./candidate";
import { followed } from "./decide";
import { evidenceFor } from "./evidence";
import { evidenceTable } from "./evidenceText";
import { commitOf, whoAmI } from "./hand";
import { receiptId } from "./receipts";
import { readSecretTexts } from "./stackFiles";

/** What the program declares, and what it tells the provider. */
export interface ByHand {
  release: Release;
  promotion: { release: string; images: Record<string, TaggedImage> };
  /** Records of the rejections that the release has on it already, and is tried in spite of. */
  tried: string[];
  roll: HandRoll;
}

/** What a watcher has decided: it moves no tag, and writes down by itself what comes of it. */
export const decidedBefore = (release: Release): Omit<ByHand, "roll"> & { roll?: undefined } => ({
  release,
  promotion: { release: "", images: {} },
  tried: [],
});

/** Where a person reads it: Pulumi's log. */
export interface Say {
  info: (text: string) => Promise<unknown>;
  warn: (text: string) => Promise<unknown>;
}

/**
 * @param options.directory the project's folder
 * @throws ReleaseError where it may not run, and where there is nothing else to stay with; RegistryError where that is
 *   not known
 */
export async function decideByHand(
  config: EnvironmentConfig,
  client: RegistryClient,
  options: { directory: string; isPreview: boolean; say: Say },
): Promise<ByHand> {
  const { directory, isPreview, say } = options;
  const { stack } = config;
  const candidate = await findCandidate(config, client, secretTextsIn(directory, stack));
  const { course, hold, release } = candidate;
  if (course.kind === "refuse" || (isPreview && candidate.moved.length > 0)) {
    const evidence = await evidenceFor(candidate, config, client, { directory });
    await say.info(evidenceTable(evidence, candidate.observedAt));
  }
  if (course.kind === "refuse") throw new ReleaseError(course.why);
  if (course.kind === "stay") await say.warn(course.why);
  else if (hold && release === "") await say.warn(`${heldText(stack, hold)}; it stays as it is`);
  const images =
    course.kind === "stay" ? await describeAll(client, config, course.digests) : candidate.images;
  return {
    release: images,
    promotion: { release, images: release === "" ? {} : tagged(config, images) },
    tried: triedBefore(candidate, images),
    roll: rollTo(images, candidate, config, {
      name: isPreview ? undefined : await nameOf(images, candidate, config, client),
      commit: await commitOf(directory),
      directory,
    }),
  };
}

/** None where the config comes from elsewhere, as with `--config-file`. */
const secretTextsIn = (directory: string, stack: string): Record<string, unknown> =>
  existsSync(join(directory, `Pulumi.${stack}.yaml`)) ? readSecretTexts({ directory, stack }) : {};

function tagged(config: EnvironmentConfig, images: Release): Record<string, TaggedImage> {
  const [tags, from] = [followed(config), sources(config)];
  return Object.fromEntries(
    Object.entries(images).map(([image, { digest }]) => {
      const [tag, source] = [tags[image], from[image]].map((one) => (one ? formatReference(one) : ""));
      return [image, { tag: tag ?? "", source: source ?? "", digest }];
    }),
  );
}

/** The release as the config names it; else the name that leads to all of what changes, where one is found. */
async function nameOf(
  images: Release,
  { release, moved }: Candidate,
  config: EnvironmentConfig,
  client: RegistryClient,
): Promise<string | undefined> {
  if (release !== "" || moved.length === 0) return release;
  const said = (label: "version" | "revision") =>
    Object.values(images).flatMap((image) => image[label] ?? []);
  const candidates = { versions: said("version"), revisions: said("revision") };
  try {
    return await nameRelease(client, sources(config), digestsOf(images), candidates);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return undefined; // only a name: the digests are known
  }
}

/** Of what it stays with instead of the candidate, nothing was asked. */
function triedBefore(candidate: Candidate, images: Release): string[] {
  return Object.entries(images)
    .filter(([image, { digest }]) => candidate.images[image]?.digest === digest)
    .flatMap(([image]) => candidate.admissions[image]?.evidence.own.rejected?.record ?? [])
    .sort();
}

function rollTo(
  images: Release,
  candidate: Candidate,
  config: EnvironmentConfig,
  about: { name: string | undefined; commit: string | undefined; directory: string },
): HandRoll {
  const { name, commit, directory } = about;
  const { environment, release, running, admissions, configurations } = candidate;
  const rolled = Object.entries(images).map(([image, { digest }]) => {
    const { registry, repository } = followed(config)[image] as Reference;
    const configuration = configurations[image] ?? "";
    const isMoved = running?.images[image]?.to !== digest;
    const isAsked = candidate.images[image]?.digest === digest;
    const healthy = admissions[image]?.evidence.own.healthy;
    const isNew = isMoved || (isAsked && healthy?.configuration !== configuration);
    const services = Object.entries(config.services)
      .filter(([, service]) => service.image === image)
      .map(([service]) => service);
    const place = formatReference({ registry, repository });
    return [image, { repository: place, digest, configuration, services, isMoved, isNew }] as const;
  });
  const isMoved = rolled.some(([, one]) => one.isMoved);
  const receipt: Receipt = {
    id: receiptId(Date.now()),
    environment,
    trigger: release === "" && isMoved ? "tag" : "config",
    by: whoAmI(),
    via: "up",
    ...(name ? { release: name } : {}),
    ...(commit ? { configRevision: commit } : {}),
    images: Object.fromEntries(
      Object.entries(images).map(([image, { digest, version, revision }]) => {
        const from = running?.images[image]?.to;
        const labels = { ...(version ? { version } : {}), ...(revision ? { revision } : {}) };
        return [image, { ...(from ? { from } : {}), to: digest, ...labels }];
      }),
    ),
    hops: {
      observed: new Date(candidate.observedAt).toISOString(),
      admitted: new Date(candidate.admittedAt).toISOString(),
    },
    outcome: "rolling",
  };
  return { environment, directory, images: Object.fromEntries(rolled), receipt };
}
