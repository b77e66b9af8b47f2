// What the environment is authorised to run, as the stack's state has it: a person's or CI's `pulumi up` put it there,
// wherever that ran. Read again when a tag moves to something else, and then ever more slowly while it stays there.
import { type Authorisation, unauthorised } from "../rollout/authorised";
import type { Work } from "./work";

const longestPauseMs = 30_000;

export class Authority {
  private recorded: Authorisation | undefined;
  private readAt = 0;
  /** What was refused last, and how often the state was read for it. */
  private refused = { key: "", readings: 0 };

  constructor(private readonly work: Pick<Work, "config" | "runner">) {}

  /** The release that the config names; "" where it names none. */
  get release(): string {
    return this.recorded?.release ?? "";
  }

  /** Takes what the state says now. */
  adopt(recorded: Authorisation | undefined): void {
    this.recorded = recorded;
    this.readAt = Date.now();
  }

  /** Makes sure that what it says of these is not said of an old state. */
  async look(digests: readonly [image: string, digest: string][]): Promise<void> {
    if (digests.every(([image, digest]) => this.problem(image, digest) === undefined)) return;
    const key = JSON.stringify(digests);
    if (this.refused.key !== key) this.refused = { key, readings: 0 };
    else if (Date.now() - this.readAt < this.pauseMs) return;
    this.adopt((await this.work.runner.recorded()).authorisation);
    this.refused.readings += 1;
  }

  /** Why a digest may not roll, as far as the config goes; undefined where it may. */
  problem(image: string, digest: string): string | undefined {
    return unauthorised(this.recorded, this.work.config.now.release, image, digest);
  }

  private get pauseMs(): number {
    return Math.min(this.work.config.now.rollout.interval * 2 ** this.refused.readings, longestPauseMs);
  }
}
