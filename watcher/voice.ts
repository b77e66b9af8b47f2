// A state that lasts is said when it begins, not at every look.
import type { Log, WatchEvent } from "./log";

export class Voice {
  private lastSaid = "";

  constructor(private readonly log: Log) {}

  once(event: WatchEvent, message: string, facts: Record<string, unknown> = {}): void {
    if (this.lastSaid === `${event} ${message}`) return;
    this.lastSaid = `${event} ${message}`;
    this.log(event, message, facts);
  }

  /** The state that was told is over: the same again is news. */
  forget(): void {
    this.lastSaid = "";
  }
}
