// How a watcher takes up an environment: with what is on record of what runs there, and what the last one left undone.
import type { Access } from "./access";
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
  /** What runs and has no verdict. */
  private open: { changed: Changed; receipt: RollReceipt } | undefined;

  constructor(
    private readonly work: Work,
    private readonly means: {
      access: Access;
      records: Records;
      outbox: Outbox;
      receipts: Receipts;
      rolls: Rolls;
      wayBack: WayBack;
    },
  ) {}

  /**
   * Finds out what the environment is at, once; nothing rolls before that is known.
   * @throws Error where the registry gives no sure answer
   */
  async begin(): Promise<void> {
    if (this.isDone) return;
    const { log, standing } = this.work;
    const { access, records, outbox, receipts, wayBack } = this.means;
    const { running } = standing;
    const { client, ledger } = access.asking;
    const found = await lookUp(this.work, { records, outbox, ledger, client, references: access.references });
    standing.good = found.good;
    this.isDone = true;
    const interrupted = outbox.rolling;
    const isThis = (to: (image: string) => string | undefined) =>
      Object.entries(running).every(([image, { digest }]) => to(image) === digest);
    const isIts = interrupted !== undefined && isThis((image) => interrupted.images[image]?.to);
    if (interrupted && !isIts)
      receipts.take(interrupted).end("cancelled", "its watcher ended in the middle of it");
    if (found.rejected.length > 0) {
      const sentences = found.rejected.map(
        ({ image, digest, reason }) => `${image} ${short(digest)}: ${reason}`,
      );
      const why = sentences.join("; ");
      log("rejected", `what runs was found to be no good: ${why}`, { environment: this.work.stack });
      return wayBack.from(running, { isHeld: true, why });
    }
    if (found.open.length === 0) return;
    const former = isIts ? interrupted : found.receipt;
    const receipt = former
      ? receipts.take(former)
      : receipts.begin({ trigger: "repair", from: {}, to: running });
    const changed = Object.entries(running).filter(([image]) => found.open.includes(image));
    this.open = { changed, receipt };
  }

  /** Once everything runs: what has no verdict gets its soak time anew. */
  goOn(): void {
    const { standing } = this.work;
    if (!this.open || !standing.ensured) return;
    const { changed, receipt } = this.open;
    this.open = undefined;
    this.means.rolls.soak(changed, receipt);
  }

  /** What ran is replaced before anybody has found it to be well. */
  drop(): void {
    this.open?.receipt.end("live", "another roll began before its soak time was over");
    this.open = undefined;
  }
}
