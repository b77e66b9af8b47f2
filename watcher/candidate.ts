// What a `pulumi up` by hand would bring an environment to now, and what is on record of that: all of it asked of the
// registry, so that anybody gets the same answer on any machine.
import type { EnvironmentConfig } from "../config";
import { admission, describe, Ledger, resolveRelease } from "../ledger";
import { atDigest, formatReference, type Reference, type RegistryClient } from "../registry";
import type { Admission } from "../rollout/admission";
import { configurationIn } from "../rollout/configuration";
import { type Course, courseOf, movedIn } from "../rollout/course";
import type { Hold, Receipt } from "../rollout/record";
import type { Release } from "../rollout/release";
import { decideRelease, followed } from "./decide";

export interface Candidate {
  environment: string;
  /** As the config names it; "" where the environment follows its tag. */
  release: string;
  /** The release's images, or what the tag carries, as they are to run in the environment. */
  images: Release;
  /** By image. */
  admissions: Readonly<Record<string, Admission>>;
  /** By image: what its services are made from, apart from the image. */
  configurations: Readonly<Record<string, string>>;
  hold?: Hold;
  /** The roll that brought the environment to where it is; left out before the first. */
  running?: Receipt;
  /** Images that would get another digest than they run. */
  moved: readonly string[];
  course: Course;
  /** When the registry had said which digests these are, and when what is on record of them, in milliseconds since the epoch. */
  observedAt: number;
  admittedAt: number;
}

/** Where the releases of each image are that the environment runs. */
export function sources(config: EnvironmentConfig): Record<string, Reference> {
  return Object.fromEntries(
    Object.keys(followed(config)).flatMap((image) => {
      const of = config.images[image];
      return of ? [[image, of.source ?? of.repository]] : [];
    }),
  );
}

/** Where the environment before must have found a digest healthy; undefined where none must have. */
export function afterOf(
  config: EnvironmentConfig,
  client: RegistryClient,
): { environment: string; forMs: number; ledger: Ledger } | undefined {
  const { after: environment, for: forMs = 0 } = config.rollout;
  if (environment === undefined) return undefined;
  return { environment, forMs, ledger: new Ledger(client, environment, sources(config)) };
}

/**
 * @param secretTexts the encrypted texts of the stack's secrets, by name
 * @throws ReleaseError, RegistryError: what is not known is no candidate
 */
export async function findCandidate(
  config: EnvironmentConfig,
  client: RegistryClient,
  secretTexts: Readonly<Record<string, unknown>>,
): Promise<Candidate> {
  const { stack: environment, release = "" } = config;
  const tags = followed(config);
  const ledger = new Ledger(client, environment, tags);
  const [hold, receipts] = await Promise.all([ledger.hold(), ledger.receipts()]);
  const running = receipts.find(({ outcome }) => outcome === "live" || outcome === "healthy");
  const good = receipts.find(({ outcome }) => outcome === "healthy");
  const stays = hold && release === "" ? await bringBack(client, tags, running) : undefined;
  const images = stays ?? (await proposed(config, client, tags));
  const observedAt = Date.now();

  const moved = movedIn({ digests: digestsOf(images), ...(running ? { running } : {}) });
  const configurations = Object.fromEntries(
    Object.keys(images).map((image) => [image, configurationIn(config, image, secretTexts)]),
  );
  const after = afterOf(config, client);
  const admissions = Object.fromEntries(
    await Promise.all(
      Object.entries(images).map(async ([image, { digest }]) => {
        const configuration = configurations[image] ?? "";
        // What runs here already has been let in; it may still have failed with this configuration.
        const before = after && moved.includes(image) ? { after } : {};
        const question = { image, digest, configuration, ...before, now: observedAt };
        return [image, await admission(ledger, question)] as const;
      }),
    ),
  );
  const refused = Object.entries(admissions).flatMap(([image, one]) =>
    one.admitted ? [] : [[image, one.reason] as const],
  );
  const course = courseOf({
    environment,
    release,
    digests: digestsOf(images),
    refused: Object.fromEntries(refused),
    lockstep: config.rollout.lockstep,
    ...(hold ? { hold } : {}),
    ...(running ? { running } : {}),
    ...(good ? { good } : {}),
  });
  return {
    environment,
    release,
    images,
    admissions,
    configurations,
    ...(hold ? { hold } : {}),
    ...(running ? { running } : {}),
    moved,
    course,
    observedAt,
    admittedAt: Date.now(),
  };
}

/** What each of them is, as it runs in the environment. @throws RegistryError where one cannot be had any more */
export async function describeAll(
  client: RegistryClient,
  config: EnvironmentConfig,
  digests: Readonly<Record<string, string>>,
): Promise<Release> {
  const tags = followed(config);
  const described = Object.entries(digests).map(async ([image, digest]) => {
    const tag = tags[image];
    return tag ? [[image, await describe(client, tag, digest)] as const] : [];
  });
  return Object.fromEntries((await Promise.all(described)).flat());
}

export const digestsOf = (release: Release): Record<string, string> =>
  Object.fromEntries(Object.entries(release).map(([image, { digest }]) => [image, digest]));

/** What the config names, else what the tag carries. */
async function proposed(
  config: EnvironmentConfig,
  client: RegistryClient,
  tags: Readonly<Record<string, Reference>>,
): Promise<Release> {
  if (config.release === undefined) return decideRelease(config, client);
  const resolved = await resolveRelease(client, sources(config), config.release);
  return Object.fromEntries(
    Object.entries(resolved).map(([image, one]) => {
      const tag = tags[image];
      const reference = tag ? formatReference(atDigest(tag, one.digest)) : one.reference;
      return [image, { ...one, reference }];
    }),
  );
}

/** What runs, where that is known of every image. */
async function bringBack(
  client: RegistryClient,
  tags: Readonly<Record<string, Reference>>,
  running: Receipt | undefined,
): Promise<Release | undefined> {
  const images = Object.entries(tags).map(async ([image, tag]) => {
    const digest = running?.images[image]?.to;
    return [image, digest ? await describe(client, tag, digest) : undefined] as const;
  });
  const found = await Promise.all(images);
  return found.some(([, one]) => one === undefined)
    ? undefined
    : (Object.fromEntries(found) as Record<string, Release[string]>);
}
