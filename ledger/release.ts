// What a release's name leads to, on every image, and the name that leads to what is known by digest. Promises all
// images or none, and that a name is only given where it leads to exactly these digests.
import { setTimeout as pause } from "node:timers/promises";
import {
  atDigest,
  atTag,
  formatReference,
  InvalidReferenceError,
  isDigest,
  type Reference,
  type RegistryClient,
  RegistryError,
  type Resolved,
} from "../registry";
import type { ReleasedImage } from "../rollout/release";

/** Images that cannot be released together, or not under that name. The message is a sentence for a person. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}

type References = Readonly<Record<string, Reference>>;

/** What is known of one image at one digest. */
export async function describe(
  client: RegistryClient,
  reference: Reference,
  digest: string,
): Promise<ReleasedImage> {
  const pinned = atDigest(reference, digest);
  const facts = await client.image(pinned);
  return {
    reference: formatReference(pinned),
    digest,
    platforms: facts.platforms.map((platform) =>
      [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/"),
    ),
    ...(facts.revision ? { revision: facts.revision } : {}),
    ...(facts.version ? { version: facts.version } : {}),
  };
}

/**
 * What a release is, image by image.
 * @param images where each image is; a tag or digest beside it does not matter
 * @param release a version's tag, `sha-<commit>`, or the digest of a single image
 * @throws ReleaseError naming every image that lacks it, or that no sure answer could be had for (`cause`)
 */
export async function resolveRelease(
  client: RegistryClient,
  images: References,
  release: string,
): Promise<Record<string, ReleasedImage>> {
  const names = Object.keys(images);
  if (isDigest(release) && names.length > 1) {
    throw new ReleaseError(
      `${release} is the digest of one image, and there are ${names.length} (${names.join(", ")}); name a version's tag or sha-<commit>, which all of them carry`,
    );
  }
  const problems: string[] = [];
  let cause: unknown;
  const found = await Promise.all(
    Object.entries(images).map(async ([image, reference]): Promise<[string, ReleasedImage][]> => {
      try {
        const resolved = await surely(client, named(reference, release));
        if (resolved.kind === "found") return [[image, await describe(client, reference, resolved.digest)]];
        problems.push(`  ${image}: ${await lacking(client, reference, release)}`);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        cause ??= error;
        problems.push(`  ${image}: ${error.message}`);
      }
      return [];
    }),
  );
  if (problems.length === 0) return Object.fromEntries(found.flat());
  const missing =
    problems.length === names.length
      ? `no image has release ${release}`
      : `release ${release} is not on every image`;
  const what =
    cause === undefined
      ? `${missing}; name one that all images have, or push what is missing`
      : `it is not known what release ${release} is`;
  throw new ReleaseError(`${what}:\n${problems.sort().join("\n")}`, { cause });
}

/**
 * The name of what is known by digest: the first of the versions that all of these digests carry as a tag (with or
 * without a "v"), else the commit's tag, else the digest where there is one image; undefined where there is none.
 * @param candidates from the images' labels; a version is looked for only if it is one that tags do not move along with
 * @throws RegistryError where an answer is not sure
 */
export async function nameRelease(
  client: RegistryClient,
  images: References,
  digests: Readonly<Record<string, string>>,
  candidates: { versions: readonly string[]; revisions: readonly string[] },
): Promise<string | undefined> {
  const versions = [...new Set(candidates.versions)].filter((version) => fixedVersion.test(version));
  const revisions = [...new Set(candidates.revisions)].filter((revision) => commit.test(revision));
  const names = [
    ...versions.flatMap((version) => [version, version.startsWith("v") ? version.slice(1) : `v${version}`]),
    ...revisions.map((revision) => `sha-${revision}`),
  ];
  for (const name of names) if (await leadsTo(client, images, digests, name)) return name;
  const [only, ...others] = Object.keys(images);
  return only !== undefined && others.length === 0 ? digests[only] : undefined;
}

/** As config/values.ts has releases: not `1.4`, which moves, and not a branch's name. */
const fixedVersion = /^v?\d+\.\d+\.\d+(?:[.-][A-Za-z0-9._-]+)?$/;
const commit = /^[0-9a-f]{40}$/;

async function leadsTo(
  client: RegistryClient,
  images: References,
  digests: Readonly<Record<string, string>>,
  tag: string,
): Promise<boolean> {
  for (const [image, reference] of Object.entries(images)) {
    const resolved = await client.resolve(named(reference, tag));
    if (resolved.kind === "none" || resolved.digest !== digests[image]) return false;
  }
  return true;
}

/** Distribution loses sight of a manifest for a moment while it is put again, under another tag: "none" is asked twice. */
async function surely(client: RegistryClient, reference: Reference): Promise<Resolved> {
  const resolved = await client.resolve(reference);
  if (resolved.kind === "found") return resolved;
  await pause(100);
  return client.resolve(reference);
}

function named(reference: Reference, release: string): Reference {
  try {
    return isDigest(release) ? atDigest(reference, release) : atTag(reference, release);
  } catch (error) {
    if (!(error instanceof InvalidReferenceError)) throw error;
    const fix = "write a version's tag such as 1.4.2, sha-<commit>, or a digest where there is one image";
    throw new ReleaseError(`${JSON.stringify(release.slice(0, 200))} names no release; ${fix}`);
  }
}

/** What an image lacks, and what it has instead if that is only spelled otherwise. */
async function lacking(client: RegistryClient, reference: Reference, release: string): Promise<string> {
  const { registry, repository } = reference;
  const place = formatReference({ registry, repository });
  if (isDigest(release)) return `${place} has no such digest; it may be another repository's`;
  const other = release.startsWith("v") ? release.slice(1) : `v${release}`;
  const hasOther =
    fixedVersion.test(release) && (await client.resolve(atTag(reference, other))).kind === "found";
  return `${place} has no tag ${release}${hasOther ? `; it has ${other}` : ""}`;
}
