// What is known of the past, from the registry: nothing is kept elsewhere, so that every machine and every restart
// knows the same. Promises that only the registry's own 404 is taken for "none", and that a verdict is one PUT.
import {
  again,
  type Digest,
  isDigest,
  type Reference,
  type RegistryClient,
  RegistryError,
} from "../registry";
import type { Findings, Hold, Override, Receipt, Verdict } from "../rollout/record";
import { type About, readRecord, writeRecord } from "./document";
import { Receipts, steadyMs } from "./receipts";
import { holdSchema, overrideSchema, verdictSchema } from "./schema";
import { at, environmentTag, type Finding, findingTag, homes } from "./tags";

export interface LedgerOptions {
  /** Milliseconds for which a writing of receipts must stand before it counts. */
  readonly steadyMs?: number;
}

export class Ledger {
  private readonly homes: readonly Reference[];
  private readonly book: Receipts;

  /**
   * @param environment the stack's name
   * @param images where each image is that the environment runs; a tag or digest beside it does not matter
   */
  constructor(
    private readonly client: RegistryClient,
    readonly environment: string,
    private readonly images: Readonly<Record<string, Reference>>,
    options: LedgerOptions = {},
  ) {
    this.homes = homes(images);
    this.book = new Receipts(client, environment, this.homes, options.steadyMs ?? steadyMs);
  }

  /**
   * Everything that an environment has on record of an image at a digest.
   * @param environment another than its own
   * @throws RegistryError where that is not sure, and for a record that cannot be read
   */
  async findings(image: string, digest: string, environment = this.environment): Promise<Findings> {
    const place = (finding: Finding) => this.placeOf(image, digest, finding, environment);
    const [healthy, rejected, override] = await Promise.all([
      readRecord(this.client, ...place("healthy"), verdictSchema("healthy")),
      readRecord(this.client, ...place("rejected"), verdictSchema("rejected")),
      readRecord(this.client, ...place("override"), overrideSchema),
    ]);
    return {
      ...(healthy ? { healthy: healthy.record } : {}),
      ...(rejected ? { rejected: { ...rejected.record, record: rejected.digest } } : {}),
      ...(override ? { override: override.record } : {}),
    };
  }

  /** The override alone, for whoever waits for one; one GET. */
  async overrideOf(image: string, digest: string): Promise<Override | undefined> {
    const place = this.placeOf(image, digest, "override", this.environment);
    return (await readRecord(this.client, ...place, overrideSchema))?.record;
  }

  /**
   * Puts a verdict on record. Being healthy again, with the same configuration, is no news: the time of the first
   * time stays, unless there was a rejection since.
   */
  async judge(image: string, digest: string, verdict: Verdict): Promise<void> {
    const { outcome, configuration } = verdict;
    if (outcome === "healthy") {
      const { healthy, rejected } = await this.findings(image, digest);
      const isSince = healthy && rejected && Date.parse(rejected.at) >= Date.parse(healthy.at);
      if (healthy?.configuration === configuration && !isSince) return;
    }
    await this.writeFinding(image, digest, outcome, verdictSchema(outcome).parse(verdict));
  }

  /** Puts on record that this environment may run the image in spite of the rejections that it names. */
  async override(image: string, digest: string, override: Override): Promise<void> {
    await this.writeFinding(image, digest, "override", overrideSchema.parse(override));
  }

  /** Why the environment is to stay where it is; undefined where it is not. */
  async hold(): Promise<Hold | undefined> {
    const last = await this.lastWordOnHold();
    return last?.held ? { at: last.at, by: last.by, reason: last.reason } : undefined;
  }

  async setHold(hold: Hold): Promise<void> {
    await this.writeHold({ held: true, ...hold });
  }

  /** Nothing is written where nothing is held. */
  async liftHold(by: string): Promise<void> {
    if (await this.hold())
      await this.writeHold({ held: false, at: new Date().toISOString(), by, reason: "" });
  }

  /** Newest first. */
  receipts(): Promise<Receipt[]> {
    return this.book.read();
  }

  /**
   * Puts a receipt on record, or a newer state of it. Ends when it is there to stay, which takes a second or more;
   * what failed is written with the next one.
   */
  record(receipt: Receipt): Promise<void> {
    return this.book.record(receipt);
  }

  private async writeFinding(
    image: string,
    digest: string,
    finding: Finding,
    record: unknown,
  ): Promise<void> {
    const place = this.placeOf(image, digest, finding, this.environment);
    const subject = await this.subjectOf(image, digest);
    // The same words under the same name do no harm twice, and a verdict that is lost lets a bad image roll again.
    await again(() => writeRecord(this.client, ...place, record, subject));
  }

  /** What an OCI registry lists the record under; none for an image that is gone, of which a verdict may say so. */
  private async subjectOf(image: string, digest: string) {
    try {
      const reference = { ...this.repositoryOf(image), digest: digest as Digest };
      const { mediaType, bytes } = await again(() => this.client.manifest(reference));
      return { mediaType, digest: digest as Digest, size: bytes.length };
    } catch (error) {
      if (error instanceof RegistryError && ["absent", "invalid"].includes(error.reason)) return undefined;
      throw error;
    }
  }

  /** The latest of all repositories that may be home, or were. */
  private async lastWordOnHold() {
    const tag = environmentTag(this.environment, "hold");
    const found = await Promise.all(
      this.homes.map((home) => readRecord(this.client, at(home, tag), this.aboutHold, holdSchema)),
    );
    const [last] = found
      .flatMap((one) => (one ? [one.record] : []))
      .sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
    return last;
  }

  private async writeHold(hold: Hold & { held: boolean }): Promise<void> {
    const [home] = this.homes;
    if (!home)
      throw new RegistryError("invalid", `${this.environment} runs no image to keep its hold beside`);
    const parsed = holdSchema.parse(hold);
    // The last word is the one that was said last, whatever the clocks of those who said it.
    const last = await this.lastWordOnHold();
    const atMs = Math.max(Date.parse(parsed.at), last ? Date.parse(last.at) + 1 : 0);
    const record = { ...parsed, at: new Date(atMs).toISOString() };
    const place = at(home, environmentTag(this.environment, "hold"));
    await again(() => writeRecord(this.client, place, this.aboutHold, record));
  }

  private get aboutHold(): About {
    return { kind: "hold", environment: this.environment };
  }

  private placeOf(image: string, digest: string, finding: Finding, environment: string): [Reference, About] {
    if (!isDigest(digest))
      throw new RegistryError("invalid", `"${digest.slice(0, 200)}" is no digest of ${image}`);
    const place = at(this.repositoryOf(image), findingTag(digest, environment, finding));
    return [place, { kind: finding, environment, digest }];
  }

  private repositoryOf(image: string): Reference {
    const reference = this.images[image];
    if (!reference) throw new RegistryError("invalid", `${this.environment} runs no image ${image}`);
    return { registry: reference.registry, repository: reference.repository };
  }
}
