/**
 * Receipts on their way to GitHub. Promises that nobody waits for it: they are reported one after another in the
 * background, the latest state of each alone where it lags behind; what an outage or a limit kept back goes again after
 * a while; and each problem is said once until it is over.
 */
import type { Receipt } from "../rollout/record";
import type { GitHub } from "./index";

/** More than can gather while one is reported; of what is older, nobody needs to see each step. */
const mostWaiting = 20;
const againAfterMs = 5 * 60_000;

export interface MirrorOptions {
  /** Told of problems, a sentence each. */
  say: (problem: string) => void;
  /** Where the logs of these rolls can be read. */
  logUrl?: string | undefined;
  /** After how long what was kept back goes again. */
  againAfterMs?: number;
}

export class ReceiptMirror {
  /** By id; what waits longest first. */
  readonly #waiting = new Map<string, Receipt>();
  /** What waits for GitHub to be well again. */
  readonly #kept = new Map<string, Receipt>();
  readonly #stop = new AbortController();
  #working: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  #lastSaid = "";

  constructor(
    private readonly github: Pick<GitHub, "report">,
    private readonly options: MirrorOptions,
  ) {}

  report(receipt: Receipt): void {
    if (this.#stop.signal.aborted) return;
    this.#kept.delete(receipt.id);
    put(this.#waiting, receipt);
    this.#working ??= this.#work();
  }

  /** Gives what is under way so much time, then drops the rest: the next report of a receipt makes up for it. */
  async close(graceMs: number): Promise<void> {
    clearTimeout(this.#again);
    const timer = setTimeout(() => this.#stop.abort(), graceMs);
    await this.#working;
    clearTimeout(timer);
    clearTimeout(this.#again);
    this.#stop.abort();
  }

  async #work(): Promise<void> {
    for (;;) {
      const [next] = this.#waiting.values();
      if (next === undefined || this.#stop.signal.aborted) break;
      this.#waiting.delete(next.id);
      this.#tell(await this.#problem(next));
    }
    this.#working = undefined;
  }

  async #problem(receipt: Receipt): Promise<string> {
    const { signal } = this.#stop;
    const { logUrl } = this.options;
    try {
      const report = await this.github.report(receipt, {
        signal,
        ...(logUrl === undefined ? {} : { logUrl }),
      });
      if (report.kind === "skipped") return report.reason;
      if (report.kind !== "failed") return "";
      if (["unreachable", "limited"].includes(report.error.reason)) this.#keep(receipt);
      return report.error.message;
    } catch (error) {
      return signal.aborted ? this.#lastSaid : (error as Error).message;
    }
  }

  #keep(receipt: Receipt): void {
    // A later state of it is on its way already.
    if (this.#waiting.has(receipt.id)) return;
    put(this.#kept, receipt);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      const kept = [...this.#kept.values()];
      this.#kept.clear();
      for (const one of kept) if (!this.#waiting.has(one.id)) this.report(one);
    }, this.options.againAfterMs ?? againAfterMs);
    this.#again.unref();
  }

  #tell(problem: string): void {
    if (problem !== "" && problem !== this.#lastSaid) this.options.say(problem);
    this.#lastSaid = problem;
  }
}

/** Behind what waits already; where that is too much, the oldest goes. */
function put(map: Map<string, Receipt>, receipt: Receipt): void {
  map.delete(receipt.id);
  map.set(receipt.id, receipt);
  const [oldest] = map.keys();
  if (map.size > mostWaiting && oldest !== undefined) map.delete(oldest);
}
