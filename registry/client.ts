/**
 * The room's front desk: everything the rest of Tagalong asks of registries. Promises that what it says of a digest
 * is verified and cached, that what it says of a tag is fresh, and that it writes only where it is told to `put`,
 * `retag` or `proveWrite`.
 */
import { BoundedCache } from "./bounded-cache";
import type { Digest } from "./digest";
import { RegistryError } from "./errors";
import { type ImageFacts, readFacts } from "./facts";
import { fetchManifest, type Manifest } from "./fetching";
import type { ManifestType, Platform } from "./manifest";
import { type Observation, observe } from "./observe";
import { atDigest, formatReference, type Reference } from "./reference";
import { copy, retag } from "./retag";
import { Transport, type TransportOptions } from "./transport";
import { proveWrite, putBlob, putManifest } from "./writing";

/** What a name leads to. `none` is the registry's own 404 and nothing else. */
export type Resolved =
  | { readonly kind: "found"; readonly digest: Digest; readonly mediaType: ManifestType }
  | { readonly kind: "none" };

const cachedManifestBytes = 16 * 1024 * 1024;
const cachedFacts = 1_000;

export class RegistryClient {
  readonly #transport: Transport;
  readonly #manifests = new BoundedCache<Manifest>(cachedManifestBytes);
  readonly #facts = new BoundedCache<ImageFacts>(cachedFacts);

  constructor(options: TransportOptions = {}) {
    this.#transport = new Transport(options);
  }

  /**
   * One look at a tag; one conditional HEAD while nothing moves. A host that asked for patience is not contacted.
   * @param known the digest that the tag was last seen at; without it the first sure answer is "moved"
   * @returns never rejects for what a registry or a network does: that is `unknown`
   */
  observe(reference: Reference, known?: string): Promise<Observation> {
    return observe(this.#transport, reference, known);
  }

  /**
   * The manifest of a digest (cached) or else of a tag (fetched), its hash verified.
   * @throws RegistryError naming the reference and the fix
   */
  manifest(reference: Reference): Promise<Manifest> {
    return naming(reference, () => this.#manifest(reference));
  }

  /**
   * What an image says of itself. Two requests by digest the first time (three for an index), none after.
   * @param options.platform whose config the labels are read from, where there are several
   * @throws RegistryError naming the reference and the fix; `invalid` if it is no container image
   */
  image(reference: Reference, options: { readonly platform?: Platform } = {}): Promise<ImageFacts> {
    return naming(reference, async () => {
      const { platform } = options;
      const known = reference.digest && this.#facts.get(factsKey(reference, reference.digest, platform));
      if (known) return known;
      const manifest = await this.#manifest(reference);
      const key = factsKey(reference, manifest.digest, platform);
      const cached = this.#facts.get(key);
      if (cached) return cached;
      const child = (of: Reference) => this.#manifest(of);
      const facts = await readFacts(this.#transport, reference, manifest, child, platform);
      this.#facts.set(key, facts, 1);
      return facts;
    });
  }

  /**
   * What a tag or digest leads to, by its name alone (never by listing), the hash of its manifest verified.
   * Only the registry's 404 is `none`.
   * @throws RegistryError for every other answer, naming the reference and the fix
   */
  resolve(reference: Reference): Promise<Resolved> {
    return naming(reference, async () => {
      try {
        const { digest, mediaType } = await fetchManifest(this.#transport, reference);
        return { kind: "found", digest, mediaType };
      } catch (error) {
        if (error instanceof RegistryError && error.reason === "absent") return { kind: "none" };
        throw error;
      }
    });
  }

  /**
   * Puts a manifest under the reference's tag, or else under its digest; a lost answer is looked up.
   * @throws RegistryError naming the reference and the fix; `access` names the permission that it takes
   */
  put(reference: Reference, bytes: Buffer, mediaType: string): Promise<Digest> {
    return naming(reference, () => putManifest(this.#transport, reference, bytes, mediaType));
  }

  /** Puts a blob into the reference's repository, unless it is there. */
  putBlob(reference: Reference, bytes: Buffer): Promise<Digest> {
    return naming(reference, () => putBlob(this.#transport, reference, bytes));
  }

  /**
   * Proves that the reference's repository may be written to, by opening an upload and cancelling it.
   * @throws RegistryError naming the reference and the fix; `access` names the permission that it takes
   */
  proveWrite(reference: Reference): Promise<void> {
    return naming(reference, () => proveWrite(this.#transport, reference));
  }

  /**
   * Moves a tag to an image of the same registry, by the image's own bytes: the digest is kept, layers do not travel.
   * From another repository its blobs are taken over first, and an index's images; the tag moves last. Nothing is
   * written where the tag carries the digest already. What was interrupted is completed by doing it again.
   * @param from with a digest
   * @param to with a tag
   */
  retag(from: Reference, to: Reference): Promise<void> {
    const manifest = (of: Reference) => naming(of, () => this.#manifest(of));
    return naming(to, () => retag(this.#transport, from, to, manifest));
  }

  /**
   * Brings all of an image into a repository of the same registry, under its digest alone; no tag moves. Writes the
   * manifest in any case, so that it proves the permission to.
   * @param from with a digest
   */
  copy(from: Reference, to: Reference): Promise<void> {
    const manifest = (of: Reference) => naming(of, () => this.#manifest(of));
    return naming(to, () => copy(this.#transport, from, to, manifest));
  }

  /** Ends every connection; questions under way fail. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  async #manifest(reference: Reference): Promise<Manifest> {
    const cached = reference.digest && this.#manifests.get(manifestKey(reference, reference.digest));
    if (cached) return cached;
    const manifest = await fetchManifest(this.#transport, reference);
    this.#manifests.set(manifestKey(reference, manifest.digest), manifest, manifest.bytes.length);
    return manifest;
  }
}

/** Keyed by repository too: that one repository shows a digest says nothing about access to it in another. */
function manifestKey(reference: Reference, digest: Digest): string {
  return formatReference(atDigest(reference, digest));
}

function factsKey(reference: Reference, digest: Digest, platform: Platform | undefined): string {
  const { os = "", architecture = "", variant = "" } = platform ?? {};
  return `${manifestKey(reference, digest)} ${os}/${architecture}/${variant}`;
}

async function naming<T>(reference: Reference, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isNameless = error instanceof RegistryError && error.reference === undefined;
    throw isNameless ? error.about(formatReference(reference)) : error;
  }
}
