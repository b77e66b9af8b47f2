// The receipts of an environment: one record that several may write. A registry has no compare-and-swap, so a writing
// counts only when it has stood unchanged for a while that is longer than anybody takes from reading to writing: who
// writes later has then read it. What was overwritten meanwhile is written again.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { again, type Reference, type RegistryClient, RegistryError } from "../registry";
import type { Receipt } from "../rollout/record";
import { readRecord, writeRecord } from "./document";
import { mostReceipts, receiptSchema, receiptsSchema } from "./schema";
import { at, environmentTag } from "./tags";

/** How long a writing must stand: longer than reading and writing take. */
export const steadyMs = 1_000;
const mostFailures = 30;
/** Characters of all receipts together. */
const longestReceipts = 1024 * 1024;

export class Receipts {
  /** Recorded here and not yet seen to last, by id. */
  private readonly pending = new Map<string, Receipt>();
  /** Seen to last: written again if somebody lost them after all. */
  private readonly lasted = new Map<string, Receipt>();
  private running: Promise<void> | undefined;

  /** @param homes the environment's repositories; the first is written to */
  constructor(
    private readonly client: RegistryClient,
    private readonly environment: string,
    private readonly homes: readonly Reference[],
    private readonly steadyMs: number,
  ) {}

  /** Newest first. */
  async read(): Promise<Receipt[]> {
    const records = await Promise.all(this.homes.map((home) => this.readAt(home)));
    return merged(records.map(({ receipts }) => receipts));
  }

  /** Ends when the receipt is on record to stay. Those that come while one is being written go together. */
  async record(receipt: Receipt): Promise<void> {
    const own = receiptSchema.parse(receipt);
    keep(this.pending, own);
    while (this.pending.get(own.id) === own) {
      this.running ??= this.writePending().finally(() => {
        this.running = undefined;
      });
      await this.running;
    }
  }

  private async writePending(): Promise<void> {
    const [home] = this.homes;
    if (!home)
      throw new RegistryError("invalid", `${this.environment} runs no image to keep receipts beside`);
    for (let failures = 0; this.pending.size > 0; ) {
      // All of it again, from the reading on: what another wrote in the meantime must not be written over.
      if (await again(() => this.write(home))) {
        failures = 0;
        continue;
      }
      failures += 1;
      if (failures > mostFailures) {
        throw new RegistryError(
          "server",
          `too many write the receipts of ${this.environment} at once; try again`,
        );
      }
      // Who was overwritten does not meet the same rival again at the same moment.
      await pause(Math.random() * this.steadyMs);
    }
  }

  /** One try; says whether what was pending is there to stay. */
  private async write(home: Reference): Promise<boolean> {
    const pending = [...this.pending.values()];
    const now = await this.readAt(home);
    let { nonce } = now;
    // What another home had, when an image came or went and moved the home.
    const before = nonce === "" ? await this.read() : now.receipts;
    const receipts = fitting(merged([pending, before, [...this.lasted.values()]]));
    const kept = pending.filter((receipt) => receipts.includes(receipt));
    if (!holds(now.receipts, kept)) {
      nonce = randomUUID();
      await writeRecord(this.client, at(home, this.tag), this.about, { nonce, receipts });
    }
    await pause(this.steadyMs);
    const then = await this.readAt(home);
    if (then.nonce !== nonce || !holds(then.receipts, kept)) return false;
    for (const receipt of pending) {
      if (this.pending.get(receipt.id) === receipt) this.pending.delete(receipt.id);
      keep(this.lasted, receipt);
    }
    return true;
  }

  private async readAt(home: Reference): Promise<{ receipts: Receipt[]; nonce: string }> {
    const found = await readRecord(this.client, at(home, this.tag), this.about, receiptsSchema);
    return found?.record ?? { receipts: [], nonce: "" };
  }

  private get tag(): string {
    return environmentTag(this.environment, "receipts");
  }

  private get about() {
    return { kind: "receipts", environment: this.environment } as const;
  }
}

function keep(receipts: Map<string, Receipt>, receipt: Receipt): void {
  receipts.delete(receipt.id);
  receipts.set(receipt.id, receipt);
  for (const oldest of receipts.keys()) {
    if (receipts.size <= mostReceipts) return;
    receipts.delete(oldest);
  }
}

/** Whether the list has them all, as they are. */
function holds(list: readonly Receipt[], wanted: readonly Receipt[]): boolean {
  const texts = new Map(list.map((receipt) => [receipt.id, JSON.stringify(receipt)]));
  return wanted.every((receipt) => texts.get(receipt.id) === JSON.stringify(receipt));
}

/** The newest of them, as many as a manifest has room for. */
function fitting(receipts: readonly Receipt[]): Receipt[] {
  let room = longestReceipts;
  return receipts.filter((receipt) => {
    room -= JSON.stringify(receipt).length;
    return room > 0;
  });
}

/** Each receipt once, as the first list has it that has it; newest first, and no more than are kept. */
function merged(lists: readonly (readonly Receipt[])[]): Receipt[] {
  const byId = new Map<string, Receipt>();
  for (const receipt of lists.flat()) if (!byId.has(receipt.id)) byId.set(receipt.id, receipt);
  return [...byId.values()].sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, mostReceipts);
}
