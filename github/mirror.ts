/**
 * Receipts on their way to GitHub. Promises that nobody waits for it: they are reported one after another in the
 * background, the latest state of each alone where it lags behind, and each problem is said once until it is over.
 */
import type { Receipt } from "../rollout/record";
import type { GitHub } from "./index";

/** More than can gather while one is reported; of what is older, nobody needs to see each step. */
const mostWaiting = 20;

export class ReceiptMirror {
  /** By id; what waits longest first. */
  readonly #waiting = new Map<string, Receipt>();
  readonly #stop = new AbortController();
  #working: Promise<void> | undefined;
  #lastSaid = "";

  /**
   * @param say is told of problems, a sentence each
   * @param logUrl where the logs of these rolls can be read
   */
  constructor(
    private readonly github: Pick<GitHub, "report">,
    private readonly say: (problem: string) => void,
    private readonly logUrl?: string,
  ) {}

  report(receipt: Receipt): void {
    if (this.#stop.signal.aborted) return;
    this.#waiting.delete(receipt.id);
    this.#waiting.set(receipt.id, receipt);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > mostWaiting && oldest !== undefined) this.#waiting.delete(oldest);
    this.#working ??= this.#work();
  }

  /** Gives what is under way so much time, then drops the rest: the next report of a receipt makes up for it. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), graceMs);
    await this.#working;
    clearTimeout(timer);
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
    const options = { signal, ...(this.logUrl === undefined ? {} : { logUrl: this.logUrl }) };
    try {
      const report = await this.github.report(receipt, options);
      if (report.kind === "skipped") return report.reason;
      return report.kind === "failed" ? report.error.message : "";
    } catch (error) {
      return this.#stop.signal.aborted ? this.#lastSaid : (error as Error).message;
    }
  }

  #tell(problem: string): void {
    if (problem !== "" && problem !== this.#lastSaid) this.say(problem);
    this.#lastSaid = problem;
  }
}
