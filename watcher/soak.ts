// After the switch: whether what serves stays well, seen with the gate's own eyes.
import { judgeReplica } from "../rollout/gate";
import { pause } from "./pause";
import type { Eyes } from "./place";

const lookEveryMs = 250;
/** Bad answers in a row after which a replica that was healthy is not. */
const badAnswers = 4;

interface Outlook {
  unwell: { service: string; reason: string }[];
  gone: string[];
  over: boolean;
}

/** The soak time of one roll: whether every replica stays well until it is over. */
export class Soak {
  private readonly bad = new Map<string, number>();

  /** @param endsAt milliseconds since the epoch */
  constructor(
    private readonly eyes: Eyes,
    private readonly endsAt: number,
  ) {}

  /**
   * Watches for a while; at least one look is taken.
   * @returns the services that turned unhealthy and why; those that lost a replica; whether the soak time is over
   */
  async look(forMs: number, stop: AbortSignal): Promise<Outlook> {
    const until = Math.min(this.endsAt, Date.now() + forMs);
    for (;;) {
      const seen = await this.once();
      if (seen.unwell.length > 0 || seen.gone.length > 0 || stop.aborted) return { ...seen, over: false };
      if (Date.now() >= until) return { ...seen, over: Date.now() >= this.endsAt };
      await pause(Math.min(lookEveryMs, until - Date.now()), stop);
    }
  }

  private async once(): Promise<Omit<Outlook, "over">> {
    const sights = await this.eyes.look(this.eyes.replicas, new AbortController().signal);
    const gone = sights.filter(([, { state }]) => state === "gone").map(([, { service }]) => service);
    const unwell = sights.flatMap(([replica, sight]) => {
      // Removed by hand, which says nothing about the image.
      if (sight.state === "gone") return [];
      const decision = judgeReplica(sight);
      if (decision.kind === "fail")
        return [{ service: sight.service, reason: `${decision.reason} after the switch` }];
      const inARow = sight.probe === "none" || sight.goodAnswers > 0 ? 0 : (this.bad.get(replica) ?? 0) + 1;
      this.bad.set(replica, inARow);
      if (inARow < badAnswers) return [];
      const reason = `${sight.name} turned unhealthy after the switch: ${sight.lastAnswer}`;
      return [{ service: sight.service, reason }];
    });
    return { unwell, gone: [...new Set(gone)] };
  }
}
