// What the environment's tags carry, as far as the registries have said it for sure.
import { describe } from "../ledger";
import { formatReference, type Reference, RegistryClient, RegistryError } from "../registry";
import type { Agreement } from "../rollout/lockstep";
import type { Carried } from "../rollout/plan";
import type { Release, ReleasedImage } from "../rollout/release";
import { agreement } from "./decide";
import { type Log, title } from "./log";

export class Tags {
  /** Image → its environment tag. */
  references: Readonly<Record<string, Reference>> = {};
  /** Image → what its tag was last surely seen to carry. */
  readonly carried: Record<string, Carried<ReleasedImage>> = {};
  /** Image → why the last look was not sure. */
  readonly unsure = new Map<string, string>();
  private client = new RegistryClient();
  private agreed: { key: string; agreement: Agreement; at: number } | undefined;

  /**
   * @param options.stop nothing is said of looks that it cut short
   * @param options.onMoved told at once of what a tag carries that does not run
   */
  constructor(
    private readonly options: {
      log: Log;
      stop: AbortSignal;
      onMoved: (image: string, carried: ReleasedImage) => void;
    },
  ) {}

  /** Follows these from now on; what is known of the ones that stay is kept. */
  follow(references: Readonly<Record<string, Reference>>, client: RegistryClient): void {
    for (const image of Object.keys(this.carried)) {
      const [now, before] = [references[image], this.references[image]];
      if (!now || !before || formatReference(now) !== formatReference(before)) delete this.carried[image];
    }
    for (const image of this.unsure.keys()) if (!references[image]) this.unsure.delete(image);
    this.references = references;
    this.client = client;
  }

  /**
   * One look at every tag, all at once.
   * @param running what a tag that was never seen is compared with
   * @returns whether one of them has moved since the last look
   */
  async look(running: Release): Promise<boolean> {
    const looks = Object.entries(this.references).map(([image, tag]) => this.lookAt(image, tag, running));
    return (await Promise.all(looks)).some((moved) => moved);
  }

  private async lookAt(image: string, reference: Reference, running: Release): Promise<boolean> {
    const { client } = this;
    const { log, stop, onMoved } = this.options;
    const name = formatReference(reference);
    const notSure = (reason: string, detail: string): false => {
      if (stop.aborted) return false;
      if (this.unsure.get(image) !== reason) log("unknown", `${name}: ${detail}`, { image, reason });
      this.unsure.set(image, reason);
      return false;
    };
    const known = this.carried[image]?.image.digest ?? running[image]?.digest;
    const seen = await client.observe(reference, known);
    if (seen.kind === "unknown") return notSure(seen.reason, seen.detail);
    const moved = seen.digest !== this.carried[image]?.image.digest;
    if (moved) {
      let described: ReleasedImage;
      try {
        described = await describe(client, reference, seen.digest);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        return notSure(error.reason, error.detail);
      }
      this.carried[image] = { image: described, movedAt: Date.now() };
      const from = running[image]?.digest;
      if (from !== seen.digest) {
        log("moved", `${name} to ${title(described)}`, { image, digest: seen.digest, from });
        onMoved(image, described);
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
      const found = await agreement(this.client, this.references, release);
      this.agreed = { key, agreement: found, at: Date.now() };
    }
    return this.agreed.agreement;
  }
}
