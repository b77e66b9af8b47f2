/**
 * Content from a registry. Promises that bytes are handed on only after their hash was verified, and that every
 * status but 200 is a RegistryError with its meaning, the reference and the fix.
 */
import { type Digest, digestOf, isDigest, verifies } from "./digest";
import { RegistryError } from "./errors";
import {
  acceptedTypes,
  type ImageIndex,
  type ImageManifest,
  type ManifestType,
  parseManifest,
  parseObject,
} from "./manifest";
import { formatReference, type Reference } from "./reference";
import type { Transport } from "./transport";
import type { Answer } from "./wire";

/** A manifest whose bytes hash to its digest. */
export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: ManifestType;
  /** As the registry sent them: put them back unchanged and the digest stays. */
  readonly bytes: Buffer;
  readonly parsed: ImageManifest | ImageIndex;
}

/** Longest manifest or config accepted, in bytes: what registries accept themselves. */
export const longestManifest = 4 * 1024 * 1024;

/** Asks about a manifest by digest, or else by tag. */
export function askManifest(
  transport: Transport,
  reference: Reference,
  method: "HEAD" | "GET",
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { registry, repository } = reference;
  const name = reference.digest ?? reference.tag;
  if (name === undefined)
    throw new RegistryError("invalid", "it names neither a tag nor a digest; write one");
  return transport.ask({
    registry,
    repository,
    method,
    path: `/v2/${repository}/manifests/${name}`,
    headers: { accept: acceptedTypes, ...headers },
    limit: longestManifest,
  });
}

/**
 * Fetches a manifest and verifies it: against the reference's digest, or else against the digest header if the
 * registry sent one.
 * @throws RegistryError
 */
export async function fetchManifest(transport: Transport, reference: Reference): Promise<Manifest> {
  const answer = await askManifest(transport, reference, "GET");
  if (answer.status !== 200) throw refusal(transport, reference, answer);
  const { body, headers } = answer;
  const header = headers["docker-content-digest"];
  if (header !== undefined && !isDigest(header)) throw lie(`the registry calls it "${header.slice(0, 100)}"`);
  const digest = reference.digest ?? (header as Digest | undefined) ?? digestOf(body);
  if (!verifies(body, digest)) throw lie(`its ${body.length} bytes do not hash to ${digest}`);
  const parsed = parseManifest(body, headers["content-type"]);
  return { digest, mediaType: parsed.mediaType, bytes: body, parsed };
}

/**
 * Fetches a blob of the reference's repository and verifies it.
 * @throws RegistryError
 */
export async function fetchBlob(transport: Transport, reference: Reference, digest: Digest): Promise<Buffer> {
  const { registry, repository } = reference;
  const path = `/v2/${repository}/blobs/${digest}`;
  const question = {
    registry,
    repository,
    method: "GET",
    path,
    headers: {},
    limit: longestManifest,
  } as const;
  const answer = await transport.ask(question);
  if (answer.status !== 200) throw refusal(transport, reference, answer);
  if (!verifies(answer.body, digest)) throw lie(`its ${answer.body.length} bytes do not hash to ${digest}`);
  return answer.body;
}

/** What a status other than 200 (or 304) means. */
export function refusal(transport: Transport, reference: Reference, answer: Answer): RegistryError {
  const { status, headers, retryAfterMs } = answer;
  const { registry } = reference;
  if (status === 401 || status === 403) {
    return new RegistryError(
      "access",
      `missing or no access (HTTP ${status}), asked ${transport.identity(registry)}. Registries answer the same for ` +
        `both: check the name, then "docker login ${registry}" and "docker manifest inspect ${formatReference(reference)}"`,
    );
  }
  if (status === 404 && isRegistrys(answer)) {
    return new RegistryError(
      "absent",
      "the registry has no such tag, manifest or repository; check the name, or push it",
    );
  }
  if (status === 429) {
    return new RegistryError(
      "rate-limited",
      "the registry limits our rate (HTTP 429); it is asked again later",
      {
        retryAfterMs,
      },
    );
  }
  if (status >= 500 || status === 408) {
    return new RegistryError(
      "server",
      `the registry failed (HTTP ${status}); it is asked again at the next check`,
      {
        retryAfterMs,
      },
    );
  }
  return new RegistryError(
    "invalid",
    `the answer is no registry's (HTTP ${status}${headers["content-type"] ? `, ${headers["content-type"].slice(0, 50)}` : ""}); look for a proxy in between`,
  );
}

/** A registry's own 404, told from that of a proxy or web server that never asked one. */
function isRegistrys({ headers, body }: Answer): boolean {
  if (headers["docker-distribution-api-version"] !== undefined) return true;
  return /[/+]json\b/i.test(headers["content-type"] ?? "") || Array.isArray(parseObject(body)?.errors);
}

function lie(problem: string): RegistryError {
  return new RegistryError(
    "invalid",
    `the answer does not verify: ${problem}; it is asked again at the next check`,
  );
}
