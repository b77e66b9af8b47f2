/**
 * Manifests and blobs to a registry. Promises that what is reported as written is there, under the digest of the very
 * bytes that were sent; that an answer which was lost is looked up and not guessed; and that a blob which is there
 * already is not sent again.
 */
import { setTimeout as pause } from "node:timers/promises";
import { again } from "./again";
import { type Digest, digestOf, isDigest, verifies } from "./digest";
import { RegistryError } from "./errors";
import { askManifest, fetchManifest, longestManifest, refusal } from "./fetching";
import type { Reference } from "./reference";
import type { Question, Transport } from "./transport";
import type { Answer, Body } from "./wire";
import { neededToWrite, writeRefusal } from "./write-refusal";

/** When a lost write is looked for: at once, and later again, since the registry may still be at it. */
const looksAfterMs = [0, 250, 1_000];
/** After the last byte of a blob, a registry may take its time to move it to where it stays. */
const uploadPatience = 6;

/**
 * Puts a manifest under the reference's tag, or else under its digest.
 * @throws RegistryError; after it, nothing was written unless the message says that this is not known
 */
export async function putManifest(
  transport: Transport,
  reference: Reference,
  bytes: Buffer,
  mediaType: string,
): Promise<Digest> {
  const { repository, tag } = reference;
  const digest = reference.digest ?? digestOf(bytes);
  if (!verifies(bytes, digest))
    throw new RegistryError("invalid", `the bytes to put do not hash to ${digest}`);
  const isThere = async () => (await lookAt(transport, reference)) === digest;
  await writing(isThere, async () => {
    const answer = await write(transport, reference, {
      method: "PUT",
      path: `/v2/${repository}/manifests/${tag ?? digest}`,
      headers: { "content-type": mediaType },
      body: bytes,
    });
    if (answer.status < 200 || answer.status > 202) throw writeRefusal(transport, reference, answer);
    const stored = answer.headers["docker-content-digest"];
    if (stored === undefined ? await isThere() : isDigest(stored) && verifies(bytes, stored)) return;
    throw new RegistryError("invalid", `the registry stored something else than what was put (${digest})`);
  });
  return digest;
}

/** Puts a blob into the reference's repository, unless it is there. */
export async function putBlob(transport: Transport, reference: Reference, bytes: Buffer): Promise<Digest> {
  const digest = digestOf(bytes);
  const isThere = () => hasBlob(transport, reference, digest);
  if (await isThere()) return digest;
  await writing(isThere, async () => {
    const session = await openUpload(transport, reference);
    if (session !== undefined) await upload(transport, reference, session, digest, bytes, bytes.length);
  });
  return digest;
}

/** Where a blob is to be sent. */
export interface Session {
  readonly url: string;
  readonly mountFrom?: string;
}

/**
 * Opens a session to upload a blob.
 * @param mount a blob that the registry may take over from another repository of its own instead
 * @returns where to send it; undefined if the registry took it over
 */
export async function openUpload(
  transport: Transport,
  reference: Reference,
  mount?: { digest: Digest; from: string },
): Promise<Session | undefined> {
  const query = mount ? `?${new URLSearchParams({ mount: mount.digest, from: mount.from })}` : "";
  const other = mount ? { mountFrom: mount.from } : {};
  const path = `/v2/${reference.repository}/blobs/uploads/${query}`;
  const answer = await write(transport, reference, { method: "POST", path, headers: {}, body: "", ...other });
  if (answer.status === 201 && mount) return undefined;
  if (answer.status !== 202) throw writeRefusal(transport, reference, answer, mount?.from);
  const { location } = answer.headers;
  // Relative to where the answer came from; whether it may be followed is judged when it is.
  if (location !== undefined && URL.canParse(location, answer.origin)) {
    return { url: new URL(location, answer.origin).href, ...other };
  }
  throw new RegistryError(
    "invalid",
    "the registry opened an upload and does not say where; look for a proxy",
  );
}

/**
 * Proves that the reference's repository may be written to: opens an upload, and cancels it. Nothing stays of it.
 * @throws RegistryError: `access` names the permission that it takes
 */
export async function proveWrite(transport: Transport, reference: Reference): Promise<void> {
  const session = await openUpload(transport, reference);
  if (session === undefined) return;
  try {
    await write(transport, reference, { method: "DELETE", path: session.url, headers: {} });
  } catch (error) {
    // The proof is done. An upload that nobody ends, or a registry that cancels none, ends by itself.
    if (!(error instanceof RegistryError)) throw error;
  }
}

/** Sends a blob to its session; the registry holds it against its digest. */
export async function upload(
  transport: Transport,
  reference: Reference,
  { url, ...other }: Session,
  digest: Digest,
  body: Body,
  length: number,
): Promise<void> {
  const target = new URL(url);
  target.searchParams.set("digest", digest);
  const answer = await write(transport, reference, {
    method: "PUT",
    path: target.href,
    headers: { "content-type": "application/octet-stream", "content-length": String(length) },
    body,
    patience: uploadPatience,
    ...other,
  });
  if (answer.status < 200 || answer.status > 202) throw writeRefusal(transport, reference, answer);
}

/** Whether the repository has the blob. */
export async function hasBlob(transport: Transport, reference: Reference, digest: Digest): Promise<boolean> {
  const { registry, repository } = reference;
  const path = `/v2/${repository}/blobs/${digest}`;
  const answer = await transport.ask({
    registry,
    repository,
    method: "HEAD",
    path,
    headers: {},
    limit: longestManifest,
  });
  if (answer.status === 404) return false;
  if (answer.status === 200) return true;
  throw refusal(transport, reference, answer);
}

/** What the reference's tag (or else its digest) leads to; undefined for the registry's own 404. */
export function digestAt(transport: Transport, reference: Reference): Promise<Digest | undefined> {
  return again(() => lookAt(transport, reference));
}

async function lookAt(transport: Transport, reference: Reference): Promise<Digest | undefined> {
  const { registry, repository, tag } = reference;
  const name = tag === undefined ? reference : { registry, repository, tag };
  try {
    const head = await askManifest(transport, name, "HEAD");
    if (head.status !== 200) throw refusal(transport, reference, head);
    const announced = head.headers["docker-content-digest"];
    return isDigest(announced) ? announced : (await fetchManifest(transport, name)).digest;
  } catch (error) {
    if (error instanceof RegistryError && error.reason === "absent") return undefined;
    throw error;
  }
}

/**
 * Whether a manifest was refused for want of what it leads to. While several write the same, a registry may for a
 * moment not know what it has.
 */
export function lacksContent(error: unknown): boolean {
  return (
    error instanceof RegistryError &&
    error.codes.some((code) => /^(MANIFEST_|BLOB_|MANIFEST_BLOB_)UNKNOWN$/.test(code))
  );
}

/** Runs a write; where its answer was lost, looks whether it came through. */
export async function writing(isThere: () => Promise<boolean>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RegistryError) || !isLost(error)) throw error;
    let unknown: RegistryError | undefined;
    for (const afterMs of looksAfterMs) {
      await pause(afterMs);
      try {
        if (await isThere()) return;
        unknown = undefined;
      } catch (failure) {
        if (!(failure instanceof RegistryError)) throw failure;
        unknown = failure;
        if (failure.reason === "timeout") break;
      }
    }
    if (unknown) throw neitherNor(error, unknown);
    throw error;
  }
}

/** The request was sent, or may have been, and nobody knows what came of it. */
function isLost({ reason }: RegistryError): boolean {
  return reason === "network" || reason === "timeout" || reason === "server" || reason === "invalid";
}

function neitherNor(lost: RegistryError, unknown: RegistryError): RegistryError {
  const detail = `${lost.detail}. Whether it was written is not known, since looking failed too (${unknown.detail}); doing it again does no harm`;
  return new RegistryError(lost.reason, detail, { retryAfterMs: unknown.retryAfterMs ?? lost.retryAfterMs });
}

type Write = Pick<Question, "method" | "path" | "headers" | "body" | "mountFrom" | "patience">;

async function write(transport: Transport, reference: Reference, wanted: Write): Promise<Answer> {
  const { registry, repository } = reference;
  try {
    return await transport.ask({ registry, repository, limit: longestManifest, ...wanted });
  } catch (error) {
    if (!(error instanceof RegistryError) || error.reason !== "access") throw error;
    throw new RegistryError("access", `${error.detail}. ${neededToWrite(reference, wanted.mountFrom)}`);
  }
}
