/**
 * By what a file in somebody's repository is known to be ours, and to be as we wrote it: its header says so, with a
 * checksum of all the rest. Promises to need nothing else: no state, no history, no other file. Pure.
 */
import { createHash } from "node:crypto";

/** The first words of the header. */
export const SIGN = "Rendered by Tagalong";
/** What the header has for its checksum before there is one. */
export const UNSEALED = "Checksum: 0000000000000000";

const checksum = /Checksum: [0-9a-f]{16}/;
/** Characters in which a header must begin, whatever stands before it. */
const reach = 500;

/** The text with its checksum in its header. */
export function sealed(text: string): string {
  return text.replace(checksum, `Checksum: ${checksumOf(text)}`);
}

/**
 * - `none`: without our header
 * - `whole`: as we wrote it, this version or another
 * - `broken`: ours, and changed since
 */
export function sealOf(text: string): "none" | "whole" | "broken" {
  const header = text.slice(0, reach);
  if (!header.includes(SIGN)) return "none";
  return checksum.exec(header)?.[0] === `Checksum: ${checksumOf(text)}` ? "whole" : "broken";
}

/** Whoever checks a repository out may have its lines ended otherwise. */
function checksumOf(text: string): string {
  const plain = text.replaceAll("\r\n", "\n").replace(checksum, UNSEALED);
  return createHash("sha256").update(plain).digest("hex").slice(0, 16);
}
