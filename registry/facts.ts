/**
 * What an image says of itself: platforms, labels, commit, version. Promises that every fact comes from content
 * whose hash was verified, and that attestations beside an image are not taken for platforms of it.
 */
import type { Digest } from "./digest";
import { RegistryError } from "./errors";
import { fetchBlob, type Manifest } from "./fetching";
import {
  type Descriptor,
  type ImageManifest,
  isImageType,
  type ManifestType,
  type Platform,
  parseObject,
  parsePlatform,
  strings,
} from "./manifest";
import { atDigest, type Reference } from "./reference";
import type { Transport } from "./transport";

/** An image by digest. The optional facts are its OCI labels' (`org.opencontainers.image.*`), or annotations'. */
export interface ImageFacts {
  /** What the reference pointed at: the index's where there is one. */
  readonly digest: Digest;
  readonly mediaType: ManifestType;
  readonly platforms: readonly Platform[];
  /** Labels of one platform's config: the preferred platform's, or else the first one's. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of the index, overridden by those of the platform's manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Commit that it was built from. */
  readonly revision?: string;
  readonly version?: string;
  /** RFC 3339 time of its build: the label's, or else the config's own. */
  readonly created?: string;
  /** URL of its source. */
  readonly source?: string;
}

const configTypes = new Set([
  "application/vnd.docker.container.image.v1+json",
  "application/vnd.oci.image.config.v1+json",
]);

/**
 * @param manifest what the reference points at
 * @param child fetches a manifest of the same repository by digest
 * @throws RegistryError; `invalid` if it is no container image
 */
export async function readFacts(
  transport: Transport,
  reference: Reference,
  manifest: Manifest,
  child: (reference: Reference) => Promise<Manifest>,
  preferred: Platform | undefined,
): Promise<ImageFacts> {
  const { digest, mediaType, parsed } = manifest;
  if (parsed.kind === "image") {
    const config = await readConfig(transport, reference, parsed);
    return facts(digest, mediaType, config.platform ? [config.platform] : [], config, parsed.annotations);
  }
  const images = parsed.manifests.filter(isImage);
  const chosen =
    images.find(({ platform }) => preferred && platform && matches(platform, preferred)) ?? images[0];
  if (!chosen)
    throw new RegistryError("invalid", "its index lists no platform; push it with at least one image");
  const image = (await child(atDigest(reference, chosen.digest))).parsed;
  if (image.kind !== "image")
    throw new RegistryError("invalid", "its index lists another index; push a flat one");
  const config = await readConfig(transport, reference, image);
  const platforms = images.flatMap(
    (listed) => listed.platform ?? (listed === chosen ? (config.platform ?? []) : []),
  );
  return facts(digest, mediaType, platforms, config, { ...parsed.annotations, ...image.annotations });
}

/** Whether the platforms agree; a variant counts only where both name one. */
export function matches(one: Platform, other: Platform): boolean {
  if (one.os !== other.os || one.architecture !== other.architecture) return false;
  return !one.variant || !other.variant || one.variant === other.variant;
}

interface Config {
  readonly platform: Platform | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly created: string | undefined;
}

async function readConfig(transport: Transport, reference: Reference, image: ImageManifest): Promise<Config> {
  const { digest, mediaType } = image.config;
  if (!configTypes.has(mediaType)) {
    throw new RegistryError(
      "invalid",
      `it is no container image but an artifact (${mediaType}); name an image`,
    );
  }
  const body = parseObject(await fetchBlob(transport, reference, digest));
  if (!body) throw new RegistryError("invalid", `its config ${digest} is no JSON object; push it again`);
  const labels = strings((body.config as { Labels?: unknown } | null | undefined)?.Labels);
  return { platform: parsePlatform(body), labels, created: strings(body).created };
}

/** Attestation manifests (BuildKit's provenance and SBOM) are marked by annotation and by the platform unknown/unknown. */
function isImage({ mediaType, annotations, platform }: Descriptor): boolean {
  const isAttestation =
    annotations["vnd.docker.reference.type"] !== undefined ||
    (platform?.os === "unknown" && platform.architecture === "unknown");
  return isImageType(mediaType) && !isAttestation;
}

function facts(
  digest: Digest,
  mediaType: ManifestType,
  platforms: readonly Platform[],
  config: Config,
  annotations: Readonly<Record<string, string>>,
): ImageFacts {
  const said = (key: string) => {
    const name = `org.opencontainers.image.${key}`;
    return config.labels[name] || annotations[name] || undefined;
  };
  const [revision, version, source] = [said("revision"), said("version"), said("source")];
  const created = said("created") ?? config.created;
  return {
    digest,
    mediaType,
    platforms,
    labels: config.labels,
    annotations,
    ...(revision ? { revision } : {}),
    ...(version ? { version } : {}),
    ...(created ? { created } : {}),
    ...(source ? { source } : {}),
  };
}
