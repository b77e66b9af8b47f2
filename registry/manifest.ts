/**
 * Manifests as data: the four kinds that a container image's name can lead to. Promises that what parses here is
 * unambiguous (one kind, its media type and its content type agree), since a digest says nothing about how its
 * bytes are to be read.
 */
import { type Digest, isDigest } from "./digest";
import { RegistryError } from "./errors";

const imageTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;
const indexTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
] as const;

/** Media types of a manifest: Docker's schema 2 and list, OCI's manifest and index. */
export type ManifestType = (typeof imageTypes)[number] | (typeof indexTypes)[number];

/** The Accept header of every question: an index that it does not list answers 404 and looks like a vanished tag. */
export const acceptedTypes = [...imageTypes, ...indexTypes].join(", ");

/** What an image runs on, in Go's words: `linux`, `arm64`, `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** A pointer to content: its type, digest and length in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One platform's image (or an artifact): a config and layers. */
export interface ImageManifest {
  readonly kind: "image";
  readonly mediaType: ManifestType;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** Several platforms' images under one digest. */
export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: ManifestType;
  readonly manifests: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * @param contentType the answer's Content-Type header; undefined if it had none
 * @throws RegistryError (invalid) if the bytes are not one of the four kinds, or could be read as two
 */
export function parseManifest(bytes: Buffer, contentType: string | undefined): ImageManifest | ImageIndex {
  const sentAs = contentType?.split(";")[0]?.trim().toLowerCase();
  const body = parseObject(bytes);
  if (body === undefined)
    throw invalid(`the answer is no manifest (${sentAs ?? "no content type"}); look for a proxy`);
  if (body.schemaVersion !== 2)
    throw invalid("it is a manifest of schema 1; push it again with a current Docker");
  const written = body.mediaType;
  const mediaType = typeof written === "string" && written !== "" ? written : (sentAs ?? "");
  if (!isManifestType(mediaType)) {
    throw invalid(`its media type "${mediaType}" is none of an image's; push an image, not another artifact`);
  }
  if (sentAs !== undefined && isManifestType(sentAs) && sentAs !== mediaType) {
    throw invalid(`it was sent as ${sentAs} and says that it is ${mediaType}; push it again`);
  }
  const annotations = strings(body.annotations);
  const isIndex = isIndexType(mediaType);
  if (isIndex ? "config" in body || "layers" in body : "manifests" in body) {
    throw invalid("it can be read as an image and as an index; push it again");
  }
  if (isIndex) return { kind: "index", mediaType, manifests: descriptors(body.manifests), annotations };
  return {
    kind: "image",
    mediaType,
    config: descriptor(body.config),
    layers: descriptors(body.layers),
    annotations,
  };
}

/** Parses a JSON object; undefined for everything else. */
export function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The entries of a JSON object whose values are strings; empty for everything else. */
export function strings(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** Reads a platform; undefined where it has no system or no architecture. */
export function parsePlatform(value: unknown): Platform | undefined {
  const { os, architecture, variant } = strings(value);
  if (!os || !architecture) return undefined;
  return variant ? { os, architecture, variant } : { os, architecture };
}

function isManifestType(text: string): text is ManifestType {
  return isImageType(text) || isIndexType(text);
}

/** Whether the media type is that of one platform's image. */
export function isImageType(text: string): boolean {
  return (imageTypes as readonly string[]).includes(text);
}

function isIndexType(text: string): boolean {
  return (indexTypes as readonly string[]).includes(text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function descriptors(value: unknown): Descriptor[] {
  if (!Array.isArray(value)) throw invalid("a list of descriptors is missing; push it again");
  return value.map(descriptor);
}

function descriptor(value: unknown): Descriptor {
  const { mediaType, digest, size, platform, annotations } = isObject(value) ? value : {};
  if (typeof mediaType !== "string" || typeof digest !== "string" || !isDigest(digest)) {
    throw invalid("one of its descriptors has no media type or no digest; push it again");
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`the size of its descriptor ${digest} is no number of bytes; push it again`);
  }
  const on = parsePlatform(platform);
  return { mediaType, digest, size, annotations: strings(annotations), ...(on ? { platform: on } : {}) };
}

function invalid(problem: string): RegistryError {
  return new RegistryError("invalid", problem);
}
