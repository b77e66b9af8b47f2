// What the environment's tags carry, as far as the registries have said it for sure.

import { describe } from "../ledger";
import { connectEngine } from "../provider/docker/engine";
import { pullImage } from "../provider/docker/pull";
import {
  type CredentialLookup,
  credentialLookup,
  type ExplicitCredentials,
  formatReference,
  type Reference,
  RegistryClient,
  RegistryError,
} from "../registry";
import type { Agreement } from "../rollout/lockstep";
import type { Carried } from "../rollout/plan";
import type { Release, ReleasedImage } from "../rollout/release";
import { agreement } from "./decide";
import { type Log, title } from "./log";

type IsRejected = (image: string, digest: string) => boolean;

export class Tags {
  /** Image → its environment tag. */
  references: Readonly<Record<string, Reference>> = {};
  /** Image → what its tag was last surely seen to carry. */
  readonly carried: Record<string, Carried<ReleasedImage>> = {};
  /** Image → why the last look was not sure. */
  readonly unsure = new Map<string, string>();
  private credentials: CredentialLookup = credentialLookup();
  private client = new RegistryClient();
  private agreed: { key: string; agreement: Agreement; at: number } | undefined;

  /** @param options.stop nothing is said of looks that it cut short; `abort` ends pulls */
  constructor(private readonly options: { log: Log; stop: AbortSignal; abort: AbortSignal }) {}

  /** Follows these from now on; what is known of the ones that stay is kept. */
  async follow(
    references: Readonly<Record<string, Reference>>,
    explicit: ExplicitCredentials,
  ): Promise<void> {
    for (const image of Object.keys(this.carried)) {
      const [now, before] = [references[image], this.references[image]];
      if (!now || !before || formatReference(now) !== formatReference(before)) delete this.carried[image];
    }
    for (const image of this.unsure.keys()) if (!references[image]) this.unsure.delete(image);
    this.references = references;
    this.credentials = credentialLookup(explicit);
    await this.client.close();
    this.client = new RegistryClient({ credentials: this.credentials });
  }

  /**
   * One look at every tag, all at once.
   * @param running what a tag that was never seen is compared with
   * @returns whether one of them has moved since the last look
   */
  async look(running: Release, isRejected: IsRejected): Promise<boolean> {
    const looks = Object.entries(this.references).map(([image, tag]) =>
      this.lookAt(image, tag, running, isRejected),
    );
    return (await Promise.all(looks)).some((moved) => moved);
  }

  private async lookAt(
    image: string,
    reference: Reference,
    running: Release,
    isRejected: IsRejected,
  ): Promise<boolean> {
    const { log, stop, abort } = this.options;
    const name = formatReference(reference);
    const notSure = (reason: string, detail: string): false => {
      if (stop.aborted) return false;
      if (this.unsure.get(image) !== reason) log("unknown", `${name}: ${detail}`, { image, reason });
      this.unsure.set(image, reason);
      return false;
    };
    const known = this.carried[image]?.image.digest ?? running[image]?.digest;
    const seen = await this.client.observe(reference, known);
    if (seen.kind === "unknown") return notSure(seen.reason, seen.detail);
    const moved = seen.digest !== this.carried[image]?.image.digest;
    if (moved) {
      let described: ReleasedImage;
      try {
        described = await describe(this.client, reference, seen.digest);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        return notSure(error.reason, error.detail);
      }
      this.carried[image] = { image: described, movedAt: Date.now() };
      const from = running[image]?.digest;
      if (from !== seen.digest) {
        log("moved", `${name} to ${title(described)}`, { image, digest: seen.digest, from });
        // Pulled while the others move: it is on the engine when the roll starts, or the roll says why not.
        if (!isRejected(image, seen.digest))
          void pullImage(connectEngine(), described.reference, this.credentials, abort).catch(() => {});
      }
    }
    if (this.unsure.delete(image)) log("sure", `${name}: the registry answers again`, { image });
    return moved;
  }

  /** Whether images belong together: asked once for what the tags carry, and of images that are apart again after a time. */
  async agreement(release: Release, againAfterMs: number): Promise<Agreement> {
    const key = JSON.stringify(Object.values(release).map(({ digest }) => digest));
    const fresh =
      this.agreed?.key === key &&
      (this.agreed.agreement.kind === "agreed" || Date.now() - this.agreed.at < againAfterMs);
    if (!this.agreed || !fresh) {
      this.agreed = {
        key,
        agreement: await agreement(this.client, this.references, release),
        at: Date.now(),
      };
    }
    return this.agreed.agreement;
  }

  /** Ends every connection; looks under way end unsure. */
  close(): Promise<void> {
    return this.client.close();
  }
}
