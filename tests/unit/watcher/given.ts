/** A moment that stands still until a test moves it, and the config that the watcher's parts go by. */
import type { Work } from "../../../watcher/work";

export class Clock {
  private readonly real = Date.now;
  now = 0;

  /** At five in the afternoon. */
  start(): void {
    this.now = Date.parse("2026-11-21T17:00:00.000Z");
    Date.now = () => this.now;
  }

  stop(): void {
    Date.now = this.real;
  }
}

/** What the config says, as far as it matters here. */
export interface Given {
  interval: number;
  after?: string;
  for?: number;
  release?: string;
  configuration: string;
}

/** As the parts of the watcher see it; changes of what is given show at once. */
export function configOf(given: Given): Work["config"] {
  return {
    get now() {
      const { interval, after, for: forMs, release } = given;
      return { release, rollout: { interval, after, for: forMs } };
    },
    configurationOf: () => given.configuration,
  } as unknown as Work["config"];
}
