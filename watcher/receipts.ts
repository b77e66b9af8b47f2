// Receipts: one for each roll, complete also when it failed. They go to the registry by way of the outbox, off the path
// of the roll, and to whoever else listens.
import { randomBytes } from "node:crypto";
import type { Receipt } from "../rollout/record";
import type { Release } from "../rollout/release";
import { commitOf, whoAmI } from "./hand";
import { type Log, messageOf } from "./log";
import type { Outbox } from "./outbox";
import type { HopTimes } from "./updateEvents";

/** Told of each roll when it starts, is live, and ends; nobody waits for it. */
export type ReceiptSink = (receipt: Receipt) => Promise<void> | void;

export interface Beginning {
  trigger: Receipt["trigger"];
  from: Release;
  to: Release;
  /** The release that the config names. */
  release?: string;
  /** When the first of its tags was seen to move, milliseconds since the epoch; by default now. */
  observedAt?: number | undefined;
  /** Of the receipt that it goes on with, as another try of the same roll; by default a new one. */
  id?: string;
}

/** A roll that was rejected, the way back, and what was tried before that: one after another within seconds. */
const toldAgain = 3;

const timeOf = (ms: number): string => new Date(ms).toISOString();

/** Sorts by time. */
export function receiptId(now: number): string {
  return `${timeOf(now).replace(/[-:]/g, "")}-${randomBytes(3).toString("hex")}`;
}

export class Receipts {
  /** Whether somebody has been told that a sink does not take them. */
  private hasSaid = false;

  constructor(
    private readonly options: { stack: string; directory: string; log: Log },
    private readonly outbox: Outbox,
    private readonly sinks: readonly ReceiptSink[],
  ) {}

  begin({ trigger, from, to, release, observedAt, id }: Beginning): RollReceipt {
    const now = Date.now();
    const receipt: Receipt = {
      id: id ?? receiptId(now),
      environment: this.options.stack,
      trigger,
      by: whoAmI(),
      via: "watcher",
      ...(release ? { release } : {}),
      images: imagesOf(from, to),
      hops: { observed: timeOf(observedAt ?? now), admitted: timeOf(now) },
      outcome: "rolling",
    };
    const roll = this.take(receipt);
    // Told within a moment, long before there is anything to write down.
    void commitOf(this.options.directory).then((commit) => {
      roll.configRevision = commit;
    });
    this.outbox.rolling = receipt;
    return roll;
  }

  /** Goes on with one that somebody has begun. */
  take(receipt: Receipt): RollReceipt {
    return new RollReceipt(receipt, (changed, isToBeKept) => {
      if (isToBeKept && this.outbox.rolling?.id === receipt.id) this.outbox.rolling = undefined;
      if (isToBeKept && changed) this.outbox.add({ kind: "receipt", receipt: changed });
      if (changed) this.tell(changed);
    });
  }

  /** Tells whoever listens what is on record, newest first, who may have missed it when the last watcher ended. */
  retell(receipts: readonly Receipt[]): void {
    for (const receipt of receipts.slice(0, toldAgain).reverse()) this.tell(receipt);
  }

  private tell(receipt: Receipt): void {
    for (const sink of this.sinks) {
      void Promise.resolve()
        .then(() => sink(receipt))
        .catch((error: unknown) => {
          const message = `the roll could not be reported everywhere: ${messageOf(error)}`;
          if (!this.hasSaid) this.options.log("unreported", message);
          this.hasSaid = true;
        });
    }
  }
}

/** The receipt of a roll under way, or in its soak time. */
export class RollReceipt {
  configRevision: string | undefined;

  constructor(
    private receipt: Receipt,
    private readonly change: (receipt: Receipt | undefined, isToBeKept: boolean) => void,
  ) {}

  get id(): string {
    return this.receipt.id;
  }

  /** Something of it is being made: time to tell whoever listens. */
  started(): void {
    this.change(this.receipt, false);
  }

  /** There was nothing to roll. */
  drop(): void {
    this.change(undefined, true);
  }

  /** The traffic goes to it; its soak time begins. */
  live(hops: HopTimes): void {
    this.become("live", hops);
  }

  /** How it ended: `live` where nobody will know whether it stays well. */
  end(outcome: Exclude<Receipt["outcome"], "rolling">, reason = "", hops: HopTimes = {}): void {
    this.become(outcome, hops, { endedAt: timeOf(Date.now()), ...(reason === "" ? {} : { reason }) });
  }

  private become(
    outcome: Receipt["outcome"],
    hops: HopTimes,
    more: Pick<Receipt, "endedAt" | "reason"> = {},
  ): void {
    const reached = Object.entries(hops).map(([hop, ms]) => [hop, timeOf(ms)]);
    const { reason: _old, endedAt: _before, ...receipt } = this.receipt;
    this.receipt = {
      ...receipt,
      hops: { ...receipt.hops, ...Object.fromEntries(reached) },
      outcome,
      ...(this.configRevision ? { configRevision: this.configRevision } : {}),
      ...more,
    };
    this.change(this.receipt, true);
  }
}

function imagesOf(from: Release, to: Release): Receipt["images"] {
  return Object.fromEntries(
    Object.entries(to).map(([image, { digest, version, revision }]) => {
      const before = from[image]?.digest;
      return [
        image,
        {
          ...(before ? { from: before } : {}),
          to: digest,
          ...(version ? { version } : {}),
          ...(revision ? { revision } : {}),
        },
      ];
    }),
  );
}
