// How an environment's services are looked at, whichever engine runs them: the gate asks whether they come up, the soak
// time whether they stay well.
import type { GateDecision } from "../rollout/gate";
import type { Eyes } from "./soakTime";

/** One of those that the gate waits for: a container, or a Deployment with its pods. */
export interface Judged {
  id: string;
  service: string;
  /** repository@digest that it is to run. */
  reference: string;
  decision: GateDecision;
}

/** To be closed by whoever opens it. */
export interface Lookout extends Eyes {
  /** What has passed, as a sentence. */
  readonly verdict: string;
  /**
   * Judges all but those that have passed already.
   * @param patience aborted when the deadline is over: what has not passed by then fails
   * @throws Error where nothing is known of them by then
   */
  judge(passed: ReadonlySet<string>, patience: AbortSignal): Promise<Judged[]>;
  /** What a container or pod last wrote; empty where it cannot be read any more. */
  lastLines(replica: string, count: number): Promise<string[]>;
}
