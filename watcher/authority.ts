// What the environment is authorised to run, as the stack's state has it: a person's or CI's `pulumi up` put it there,
// wherever that ran. Read again when a tag moves to something else, and then ever more slowly while it stays there.
import { type Authorisation, unauthorised } from "../rollout/authorised";
import type { Work } from "./work";

const longestPauseMs = 30_000;

export class Authority {
  private recorded: Authorisation | undefined;
  private readAt = 0;
  private reading: Promise<void> | undefined;
  /** `image@digest` → how often the state was read for it in vain. */
  private readonly refused = new Map<string, number>();

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
    const problems = digests.filter(([image, digest]) => this.problem(image, digest) !== undefined);
    if (problems.length === 0) return this.refused.clear();
    const keys = problems.map(([image, digest]) => `${image}@${digest}`);
    const readings = Math.min(...keys.map((key) => this.refused.get(key) ?? 0));
    const pauseMs = Math.min(this.work.config.now.rollout.interval * 2 ** readings, longestPauseMs);
    if (readings > 0 && Date.now() - this.readAt < pauseMs) return;
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    await this.reading;
    for (const key of keys) this.refused.set(key, (this.refused.get(key) ?? 0) + 1);
  }

  /** Why a digest may not roll, as far as the config goes; undefined where it may. */
  problem(image: string, digest: string): string | undefined {
    return unauthorised(this.recorded, this.work.config.now.release, image, digest);
  }

  private async read(): Promise<void> {
    this.adopt((await this.work.runner.recorded()).authorisation);
  }
}
