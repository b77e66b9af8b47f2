// After the switch: whether what serves stays well, seen with the gate's own eyes. What the watcher and a `pulumi up` by
// hand share.
import { setTimeout as pause } from "node:timers/promises";
import { judgeReplica, type ReplicaSight } from "../rollout/gate";

/** Sees how replicas are, look by look. */
export interface Eyes {
  /** One look at each replica there is. */
  look(signal: AbortSignal): Promise<[replica: string, sight: ReplicaSight][]>;
  /** Nobody looks any more. */
  close(): void;
}

/** A replica that does not do well any more. */
export interface Unwell {
  service: string;
  reason: string;
  replica: string;
  /** repository@digest that it runs. */
  reference: string;
}

const lookEveryMs = 250;
/** Bad answers in a row after which a replica that was healthy is not. */
const badAnswers = 4;

interface Outlook {
  unwell: Unwell[];
  /** Services that somebody removed or changed by hand, which says nothing about the image. */
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
   * @returns what turned unhealthy and why; services that are not as they were made; whether the soak time is over
   */
  async look(forMs: number, stop: AbortSignal): Promise<Outlook> {
    const until = Math.min(this.endsAt, Date.now() + forMs);
    for (;;) {
      const seen = await this.once();
      if (seen.unwell.length > 0 || stop.aborted) return { ...seen, over: false };
      if (Date.now() >= until) return { ...seen, over: Date.now() >= this.endsAt };
      const rest = Math.min(lookEveryMs, until - Date.now());
      await pause(rest, undefined, { signal: stop }).catch(() => {});
    }
  }

  close(): void {
    this.eyes.close();
  }

  private async once(): Promise<Omit<Outlook, "over">> {
    const sights = await this.eyes.look(new AbortController().signal);
    const gone = sights.filter(([, { state }]) => state === "gone").map(([, { service }]) => service);
    const unwell = sights.flatMap(([replica, sight]) => {
      if (sight.state === "gone") return [];
      const { service, wanted: reference } = sight;
      const decision = judgeReplica(sight);
      if (decision.kind === "fail")
        return [{ service, reason: `${decision.reason} after the switch`, replica, reference }];
      // One that starts has come after the switch, in the place of another.
      const isWell = sight.probe === "none" || sight.state === "starting" || sight.goodAnswers > 0;
      const inARow = isWell ? 0 : (this.bad.get(replica) ?? 0) + 1;
      this.bad.set(replica, inARow);
      if (inARow < badAnswers) return [];
      const reason = `${sight.name} turned unhealthy after the switch: ${sight.lastAnswer}`;
      return [{ service, reason, replica, reference }];
    });
    return { unwell, gone: [...new Set(gone)] };
  }
}
