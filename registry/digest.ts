/**
 * Digests: the only names of content that cannot lie. Promises that a `Digest` is well formed, and that
 * `verifies` says yes only to the bytes it names.
 */
import { createHash } from "node:crypto";

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const wellFormed = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether the text is a digest of an algorithm that can be verified here. */
export function isDigest(text: string | undefined): text is Digest {
  return text !== undefined && wellFormed.test(text);
}

/** The sha256 digest of the bytes: what a registry names them, unless it was pushed under sha512. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Whether the bytes are what the digest names, by the digest's own algorithm. */
export function verifies(bytes: Uint8Array, digest: Digest): boolean {
  const [algorithm, hex] = digest.split(":") as ["sha256" | "sha512", string];
  return createHash(algorithm).update(bytes).digest("hex") === hex;
}
