/**
 * The same image under another tag. Promises that the digest is kept, because the manifest's own bytes and media type
 * are put; that nothing is written where the tag carries it already; and that the tag moves last, when everything
 * that it leads to is in its repository.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Digest } from "./digest";
import { RegistryError } from "./errors";
import { longestManifest, type Manifest, refusal } from "./fetching";
import type { Descriptor } from "./manifest";
import { atDigest, formatReference, type Reference } from "./reference";
import type { Transport } from "./transport";
import {
  digestAt,
  hasBlob,
  lacksContent,
  openUpload,
  putManifest,
  type Session,
  upload,
  writing,
} from "./writing";

const deepestIndex = 3;
const blobsAtOnce = 4;
const mostTries = 4;
/** Layers that stand elsewhere, by URL: a registry has none of them. */
const isElsewhere = /foreign|nondistributable/;

type Fetch = (reference: Reference) => Promise<Manifest>;

/**
 * @param from with a digest
 * @param to with a tag, on the same registry
 * @param manifest fetches a manifest by digest, verified
 */
export async function retag(transport: Transport, from: Reference, to: Reference, manifest: Fetch) {
  const { registry, repository, tag } = to;
  if (tag === undefined) throw new RegistryError("invalid", "it has no tag to move; write one");
  const digest = digestOnSameRegistry(from, to);
  if (await carries(transport, to, digest)) return;
  const whole = await manifest(atDigest(from, digest));
  await place({ transport, from, to, manifest }, whole, { registry, repository, tag });
}

interface Job {
  readonly transport: Transport;
  readonly from: Reference;
  readonly to: Reference;
  readonly manifest: Fetch;
}

/**
 * All of an image into the repository, under its digest alone. Its manifest is put also where it is there already: no
 * other answer says for sure that a tag of the repository may be moved to it.
 * @param from with a digest
 * @param to on the same registry; a tag beside it does not matter
 */
export async function copy(transport: Transport, from: Reference, to: Reference, manifest: Fetch) {
  const digest = digestOnSameRegistry(from, to);
  const whole = await manifest(atDigest(from, digest));
  await place({ transport, from, to, manifest }, whole, atDigest(to, digest));
}

function digestOnSameRegistry(from: Reference, { registry, repository }: Reference): Digest {
  if (from.digest === undefined)
    throw new RegistryError("invalid", "it has no digest to put under a tag; write one");
  if (registry === from.registry) return from.digest;
  throw new RegistryError(
    "refused",
    `${formatReference(from)} is on another registry, and content is not carried between registries; push it to ${registry}/${repository} first`,
  );
}

/** Who may not look may still be allowed to write: the write itself says so, or which permission it takes. */
async function carries(transport: Transport, reference: Reference, digest: Digest): Promise<boolean> {
  try {
    return (await digestAt(transport, reference)) === digest;
  } catch (error) {
    if (error instanceof RegistryError && error.reason === "access") return false;
    throw error;
  }
}

/** Puts the manifest under the name, after everything that it leads to. */
async function place(job: Job, whole: Manifest, name: Reference, depth = 1): Promise<void> {
  const { transport, from, to } = job;
  for (let tries = 1; ; tries += 1) {
    try {
      if (from.repository !== to.repository) await bring(job, whole, depth);
      await putManifest(transport, name, whole.bytes, whole.mediaType);
      return;
    } catch (error) {
      if (!lacksContent(error) || from.repository === to.repository || tries >= mostTries) throw error;
      await pause(Math.random() * 100 * tries);
    }
  }
}

/** Brings what the manifest leads to into the other repository. */
async function bring(job: Job, { parsed }: Manifest, depth: number): Promise<void> {
  const { transport, from, to } = job;
  if (parsed.kind === "image") {
    const blobs = new Map([parsed.config, ...parsed.layers].map((blob) => [blob.digest, blob]));
    await some([...blobs.values()], (blob) => bringBlob(transport, from, to, blob));
    return;
  }
  if (depth > deepestIndex)
    throw new RegistryError("invalid", "its indexes are nested too deep; push a flat one");
  for (const { digest } of parsed.manifests) {
    const there = atDigest(to, digest);
    if (await carries(transport, there, digest)) continue;
    await place(job, await job.manifest(atDigest(from, digest)), there, depth + 1);
  }
}

async function bringBlob(
  transport: Transport,
  from: Reference,
  to: Reference,
  blob: Descriptor,
): Promise<void> {
  if (isElsewhere.test(blob.mediaType)) return;
  const { digest } = blob;
  await writing(
    () => hasBlob(transport, to, digest),
    async () => {
      const session = await openUpload(transport, to, { digest, from: from.repository });
      if (session !== undefined) await carry(transport, from, to, blob, session);
    },
  );
}

/** Where the registry does not take a blob over by itself: through us, piece by piece. */
async function carry(
  transport: Transport,
  from: Reference,
  to: Reference,
  { digest, size }: Descriptor,
  session: Session,
): Promise<void> {
  const { registry, repository } = from;
  const answer = await transport.ask({
    registry,
    repository,
    method: "GET",
    path: `/v2/${repository}/blobs/${digest}`,
    headers: {},
    limit: longestManifest,
    sink: (body) => upload(transport, to, session, digest, body, size),
  });
  if (answer.status !== 200)
    throw refusal(transport, from, answer).about(formatReference(atDigest(from, digest)));
}

/** Does the work for each, a few at a time; the first failure is thrown when those under way have ended. */
async function some<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined && failures.length === 0; item = rest.shift()) {
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(blobsAtOnce, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
