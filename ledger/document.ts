// A record as an OCI manifest: an artifact without content, beside the image that it is about, whose one annotation is
// the record's JSON. One PUT writes it whole; only the registry's own 404 means that there is none.
import { setTimeout as pause } from "node:timers/promises";
import type { z } from "zod";
import {
  again,
  type Digest,
  digestOf,
  formatReference,
  lacksContent,
  type Manifest,
  type Reference,
  type RegistryClient,
  RegistryError,
} from "../registry";
import { recordVersion } from "./schema";

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const emptyType = "application/vnd.oci.empty.v1+json";
const empty = Buffer.from("{}");
const emptyDescriptor = { mediaType: emptyType, digest: digestOf(empty), size: empty.length };
const annotation = "dev.tagalong.record";
/** Beside which a registry's own limit on manifests (4 MiB) leaves room. */
const longestRecord = 2 * 1024 * 1024;
const mostTries = 6;

export type Kind = "healthy" | "rejected" | "override" | "hold" | "receipts";

/** What a record is about, written into it: a record that stands under the wrong name is not believed. */
export interface About {
  kind: Kind;
  environment: string;
  /** Of the image; left out where the record is about the environment as a whole. */
  digest?: string;
}

export interface Found<T> {
  record: T;
  /** Of the record's own manifest. */
  digest: Digest;
}

/**
 * The record under a tag; undefined where the registry says that there is none.
 * @throws RegistryError for every other answer, and for what is no such record or a newer Tagalong's
 */
export async function readRecord<T>(
  client: RegistryClient,
  at: Reference,
  about: About,
  schema: z.ZodType<T>,
): Promise<Found<T> | undefined> {
  let manifest: Manifest;
  try {
    manifest = await again(() => client.manifest(at));
  } catch (error) {
    if (error instanceof RegistryError && error.reason === "absent") return undefined;
    throw error;
  }
  const text = manifest.parsed.annotations[annotation];
  const written = text === undefined || text.length > longestRecord ? undefined : parse(text);
  if (typeof written?.["version"] === "number" && written["version"] > recordVersion) {
    throw unreadable(at, "was written by a newer version of Tagalong; update this one");
  }
  const result = schema.safeParse(written?.["record"]);
  const isAbout =
    written?.["version"] === recordVersion &&
    written["kind"] === about.kind &&
    written["environment"] === about.environment &&
    written["digest"] === about.digest;
  if (isAbout && result.success) return { record: result.data, digest: manifest.digest };
  throw unreadable(
    at,
    `is no record "${about.kind}" of ${about.environment} that can be read; look who wrote it, and delete the tag`,
  );
}

/**
 * Writes a record under its tag.
 * @param subject the image that it is about
 * @returns the digest of the record's own manifest
 */
export async function writeRecord(
  client: RegistryClient,
  at: Reference,
  about: About,
  record: unknown,
  subject?: { mediaType: string; digest: Digest; size: number },
): Promise<Digest> {
  const text = JSON.stringify({ version: recordVersion, ...about, record });
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType: `application/vnd.tagalong.${about.kind}.v1+json`,
    config: emptyDescriptor,
    layers: [emptyDescriptor],
    ...(subject ? { subject } : {}),
    annotations: { [annotation]: text },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  for (let tries = 1; ; tries += 1) {
    try {
      return await client.put(at, bytes, manifestType);
    } catch (error) {
      // The first record of a repository comes before the two bytes that all of them refer to.
      if (!lacksContent(error) || tries > mostTries) throw error;
      await client.putBlob(at, empty);
      if (tries > 1) await pause(Math.random() * 100 * tries);
    }
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(at: Reference, problem: string): RegistryError {
  return new RegistryError("invalid", `what stands here ${problem}`, { reference: formatReference(at) });
}
