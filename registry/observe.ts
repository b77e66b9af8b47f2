/**
 * One look at a tag. Promises one conditional HEAD while nothing moves, "moved" only for a digest whose bytes were
 * fetched and verified, "unmoved" only on the registry's word for a digest that we sent or hold, and "unknown" for
 * everything else: an error never rolls and never looks up to date.
 */
import { type Digest, isDigest, verifies } from "./digest";
import { type Reason, RegistryError } from "./errors";
import { askManifest, fetchManifest, refusal } from "./fetching";
import type { ManifestType } from "./manifest";
import type { Reference } from "./reference";
import type { Transport } from "./transport";
import type { Answer } from "./wire";

/** What the registry said of a tag. `at`: Unix time in milliseconds when it had said it. */
export type Observation =
  | { readonly kind: "moved"; readonly digest: Digest; readonly mediaType: ManifestType; readonly at: number }
  | { readonly kind: "unmoved"; readonly digest: Digest; readonly at: number }
  | {
      readonly kind: "unknown";
      readonly reason: Reason;
      /** What happened and the fix; carries no secret. */
      readonly detail: string;
      /** Milliseconds until the host may be asked again; missing where it did not say. */
      readonly retryAfterMs?: number;
      readonly at: number;
    };

/**
 * @param reference with a tag; a digest beside it is not looked at
 * @param known the digest that the tag was last seen at; without it (or with a malformed one) the first sure
 *   answer is "moved"
 * @returns never rejects for anything a registry or a network does
 */
export async function observe(
  transport: Transport,
  reference: Reference,
  known?: string,
): Promise<Observation> {
  try {
    const { registry, repository, tag } = reference;
    if (tag === undefined) throw new RegistryError("invalid", "it has no tag to follow; write one");
    const seen = await look(transport, { registry, repository, tag }, isDigest(known) ? known : undefined);
    return { ...seen, at: Date.now() };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const { reason, detail, retryAfterMs } = error;
    return {
      kind: "unknown",
      reason,
      detail,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      at: Date.now(),
    };
  }
}

type Seen = { kind: "moved"; digest: Digest; mediaType: ManifestType } | { kind: "unmoved"; digest: Digest };

async function look(transport: Transport, tag: Reference, known: Digest | undefined): Promise<Seen> {
  const condition: Record<string, string> = known === undefined ? {} : { "if-none-match": `"${known}"` };
  const head = await askManifest(transport, tag, "HEAD", condition);
  if (head.status === 304) return { kind: "unmoved", digest: confirmed(head, known) };
  if (head.status !== 200) throw refusal(transport, tag, head);
  const announced = head.headers["docker-content-digest"];
  if (known !== undefined && announced === known && !isPage(head)) return { kind: "unmoved", digest: known };

  const { digest, mediaType, bytes } = await fetchManifest(transport, tag);
  if (isDigest(announced) && !verifies(bytes, announced)) {
    throw new RegistryError(
      "invalid",
      `the registry announced ${announced} and sent ${digest}; it is asked again at the next check`,
    );
  }
  if (known !== undefined && verifies(bytes, known)) return { kind: "unmoved", digest: known };
  return { kind: "moved", digest, mediaType };
}

/** A 304 counts only for the digest that we sent, and only if the answer names no other. */
function confirmed({ headers }: Answer, known: Digest | undefined): Digest {
  const etag = headers.etag?.replace(/^W\//, "").replace(/^"|"$/g, "");
  const named = headers["docker-content-digest"] ?? (isDigest(etag) ? etag : undefined);
  if (known !== undefined && (named === undefined || named === known)) return known;
  throw new RegistryError(
    "invalid",
    `"not modified" (HTTP 304) for ${named ?? "nothing"} while we asked for ${known ?? "nothing"}; look for a cache in between`,
  );
}

function isPage({ headers }: Answer): boolean {
  return headers["content-type"]?.toLowerCase().startsWith("text/html") ?? false;
}
