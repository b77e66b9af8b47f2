// How a watcher takes up an environment: with what is on record of what runs there, and what the last one left undone.
import { cutShort } from "../rollout/opening";
import type { Receipt } from "../rollout/record";
import type { Release } from "../rollout/release";
import type { Access } from "./access";
import type { Authority } from "./authority";
import { lookUp } from "./beginning";
import { short } from "./log";
import type { Outbox } from "./outbox";
import type { Receipts, RollReceipt } from "./receipts";
import type { Records } from "./records";
import type { Changed } from "./releases";
import type { Rolls } from "./rolls";
import type { WayBack } from "./wayBack";
import type { Work } from "./work";

export class Resumption {
  private isDone = false;
  /** Of the roll that was cut short with the last watcher. */
  private interrupted: Receipt | undefined;
  /** What runs and has no verdict. */
  private open: { changed: Changed; receipt: RollReceipt } | undefined;
  /** Of rolls that were under way when this was read, as far as anybody had said. */
  private unended: readonly Receipt[] = [];

  constructor(
    private readonly work: Work,
    private readonly means: {
      access: Access;
      authority: Authority;
      records: Records;
      outbox: Outbox;
      receipts: Receipts;
      rolls: Rolls;
      wayBack: WayBack;
    },
  ) {}

  /** Somebody else has changed the environment: what is true of it is found out anew. */
  async again(): Promise<void> {
    this.isDone = false;
    this.open = undefined;
    this.means.wayBack.drop();
    const { release, gate, authorisation } = await this.work.runner.recorded();
    Object.assign(this.work.standing, { running: release, gate, ensured: false, isContested: true });
    this.means.authority.adopt(authorisation);
  }

  /**
   * Finds out what the environment is at, once; nothing rolls before that is known.
   * @throws Error where the registry gives no sure answer
   */
  async begin(): Promise<void> {
    if (this.isDone) return;
    const { log, standing } = this.work;
    const { access, records, outbox, receipts, wayBack } = this.means;
    const { running } = standing;
    const means = { ...access.asking, references: access.references, records, outbox };
    const found = await lookUp(this.work, means);
    standing.good = found.good;
    this.isDone = true;
    receipts.retell(found.receipts);
    this.interrupted = outbox.rolling;
    const former = this.interruptedOf(running) ?? found.receipt;
    this.unended = found.unended.filter((one) => one !== former);
    if (found.rejected.length > 0) {
      const sentences = found.rejected.map(
        ({ image, digest, reason }) => `${image} ${short(digest)}: ${reason}`,
      );
      const why = sentences.join("; ");
      if (former) receipts.take(former).end("rejected", why);
      log("rejected", `what runs was found to be no good: ${why}`, { environment: this.work.stack });
      return wayBack.from(running, found.good, { isHeld: true, why });
    }
    if (found.open.length === 0) {
      if (former) this.cut({ ...former, outcome: "live" });
      return;
    }
    const receipt = former
      ? receipts.take(former)
      : receipts.begin({ trigger: "repair", from: {}, to: running });
    const changed = Object.entries(running).filter(([image]) => found.open.includes(image));
    this.open = { changed, receipt };
  }

  /** The receipt of the roll to this release that was cut short with the last watcher, for whoever goes on with it. */
  interruptedOf(release: Release): Receipt | undefined {
    const { interrupted } = this;
    const images = Object.entries(release);
    if (!interrupted || !images.every(([image, { digest }]) => interrupted.images[image]?.to === digest))
      return undefined;
    this.interrupted = undefined;
    return interrupted;
  }

  /** Nobody goes on with a roll that was cut short. */
  giveUp(): void {
    if (!this.interrupted) return;
    this.means.receipts.take(this.interrupted).end("cancelled", "its watcher ended in the middle of it");
    this.interrupted = undefined;
  }

  /** Ends what nobody else will, once an update of our own has had the stack's lock: no other can be under way. */
  endOthers(): void {
    for (const receipt of this.unended) this.cut(receipt);
    this.unended = [];
  }

  private cut(receipt: Receipt): void {
    const { outcome, reason } = cutShort(receipt);
    this.means.receipts.take(receipt).end(outcome, reason);
  }

  /** Gives what has no verdict its soak time anew: once everything runs, or before something else does. */
  goOn(): void {
    if (!this.open) return;
    const { changed, receipt } = this.open;
    this.open = undefined;
    this.means.rolls.soak(changed, receipt);
  }
}
