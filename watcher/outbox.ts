// What this watcher has to say to the registry and has not said yet: kept on disk until it is written there, so that
// neither a registry that is down nor a kill loses a verdict or a receipt.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Receipt, Verdict } from "../rollout/record";
import { type Log, messageOf, short } from "./log";
import { pause } from "./pause";

export type Unwritten =
  | { kind: "verdict"; image: string; digest: string; verdict: Verdict }
  | { kind: "receipt"; receipt: Receipt };

interface Content {
  unwritten: Unwritten[];
  /** Of a roll that has begun: whoever finds it here knows that nobody ended it. */
  rolling?: Receipt;
}

const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

export class Outbox {
  private readonly content: Content;
  private readonly closed = new AbortController();
  private working: Promise<void> | undefined;
  /** Whether somebody has been told that the registry does not take it. */
  private isTold = false;
  private isOnDisk = true;

  /**
   * @param file where it is kept; what a former watcher left there is written first
   * @param options.write puts one thing where it belongs; throws where that did not work
   * @param options.retryMs after which it is tried again the first time
   */
  constructor(
    private readonly file: string,
    private readonly options: { write: (one: Unwritten) => Promise<void>; log: Log; retryMs?: number },
  ) {
    this.content = load(file);
  }

  /** Puts down that a roll has begun, or that none is under way. */
  set rolling(receipt: Receipt | undefined) {
    if (receipt) this.content.rolling = receipt;
    else delete this.content.rolling;
    this.save();
  }

  /** The roll that was under way when a former watcher ended. */
  get rolling(): Receipt | undefined {
    return this.content.rolling;
  }

  /** The verdict on a digest that nobody else can know of yet. */
  verdict(image: string, digest: string): Verdict | undefined {
    const found = this.content.unwritten.findLast(
      (one) => one.kind === "verdict" && one.image === image && one.digest === digest,
    );
    return found?.kind === "verdict" ? found.verdict : undefined;
  }

  /** Receipts that nobody else can have read, newest first. */
  get receipts(): Receipt[] {
    const { unwritten } = this.content;
    return unwritten.flatMap((one) => (one.kind === "receipt" ? [one.receipt] : [])).reverse();
  }

  /** Takes what is to be written; it is on disk when this returns. */
  add(...ones: Unwritten[]): void {
    for (const one of ones) {
      // A receipt is written as it is last; what was found out stays in its order.
      const isOld = (other: Unwritten) => one.kind === "receipt" && keyOf(other) === keyOf(one);
      this.content.unwritten = [...this.content.unwritten.filter((other) => !isOld(other)), one];
    }
    this.save();
    this.start();
  }

  /** Writes what there is, in the background. */
  start(): void {
    this.working ??= this.work().finally(() => {
      this.working = undefined;
      if (this.content.unwritten.length > 0 && !this.closed.signal.aborted) this.start();
    });
  }

  /** Writes as much as can be in so much time; what is left stays on disk. */
  async close(graceMs: number): Promise<void> {
    const grace = new AbortController();
    const inTime = pause(graceMs, grace.signal);
    if (this.content.unwritten.length > 0) this.start();
    await Promise.race([this.working, inTime]);
    grace.abort();
    this.closed.abort();
    const left = this.content.unwritten.length;
    if (left > 0)
      this.options.log("failed", `${many(left)} not written to the registry; kept in ${this.file}`);
  }

  private async work(): Promise<void> {
    for (
      let waitMs = this.options.retryMs ?? firstRetryMs;
      !this.closed.signal.aborted;
      waitMs = Math.min(2 * waitMs, longestRetryMs)
    ) {
      const problem = await this.writeAll();
      if (this.content.unwritten.length === 0) {
        if (this.isTold) this.options.log("recorded", "the registry has everything that was kept for it");
        this.isTold = false;
        return;
      }
      if (problem === undefined) continue; // it came while the others were written
      if (!this.isTold) {
        const names = this.content.unwritten.map(nameOf).join(", ");
        const message = `${names} could not be written to the registry; kept, obeyed, and tried again: ${problem}`;
        this.options.log("failed", message);
      }
      this.isTold = true;
      await pause(waitMs, this.closed.signal);
    }
  }

  /** @returns why not all of it could be written */
  private async writeAll(): Promise<string | undefined> {
    let problem: string | undefined;
    const stuck = new Set<string>();
    for (const one of [...this.content.unwritten]) {
      if (this.closed.signal.aborted) break;
      // What stands behind another of its kind waits for that, or it would be undone.
      if (stuck.has(keyOf(one)) || !this.content.unwritten.includes(one)) continue;
      try {
        await this.options.write(one);
        this.content.unwritten = this.content.unwritten.filter((other) => other !== one);
        this.save();
      } catch (error) {
        problem ??= messageOf(error);
        stuck.add(keyOf(one));
      }
    }
    return problem;
  }

  private save(): void {
    const { unwritten, rolling } = this.content;
    try {
      if (unwritten.length === 0 && !rolling) {
        rmSync(this.file, { force: true });
        return;
      }
      mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
      const draft = `${this.file}.${process.pid}`;
      writeFileSync(draft, JSON.stringify(this.content), { mode: 0o600 });
      renameSync(draft, this.file);
      this.isOnDisk = true;
    } catch (error) {
      // A full disk must not keep an environment from rolling, or from going back.
      if (this.isOnDisk) this.options.log("failed", `kept in memory alone: ${messageOf(error)}`);
      this.isOnDisk = false;
    }
  }
}

function load(file: string): Content {
  try {
    const { unwritten, rolling } = JSON.parse(readFileSync(file, "utf8")) as Partial<Content>;
    return { unwritten: unwritten ?? [], ...(rolling ? { rolling } : {}) };
  } catch {
    return { unwritten: [] }; // none yet, or not one of ours: nothing can be learned from it
  }
}

const keyOf = (one: Unwritten): string =>
  one.kind === "receipt" ? one.receipt.id : `${one.image}@${one.digest}`;
const nameOf = (one: Unwritten): string =>
  one.kind === "receipt"
    ? `the receipt ${one.receipt.id}`
    : `"${one.verdict.outcome}" of ${one.image} ${short(one.digest)}`;
const many = (count: number): string => (count === 1 ? "1 record is" : `${count} records are`);
