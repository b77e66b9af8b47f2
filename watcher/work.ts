// What those who work on one environment share: where it stands, and the means to change that.

import type { GateInputs } from "../provider/gate";
import type { Release } from "../rollout/release";
import type { FollowedConfig } from "./followedConfig";
import type { Log } from "./log";
import type { Place } from "./place";
import type { Runner } from "./runner";
import type { Voice } from "./voice";

export interface Work {
  readonly stack: string;
  readonly config: FollowedConfig;
  readonly runner: Runner;
  readonly place: Place;
  readonly standing: Standing;
  readonly log: Log;
  readonly voice: Voice;
  /** Ends the watcher at the next safe point: a roll under way is finished first. */
  readonly stop: AbortSignal;
  /** Cancels a roll under way too. */
  readonly abort: AbortSignal;
}

/** Where the environment stands, as far as this watcher knows. */
export class Standing {
  /** What the last update that succeeded brought it to. */
  running: Release = {};
  /** What stayed well for its soak time: where a failed roll goes back to. */
  good: Release = {};
  /** What the last gate waited for. */
  gate: GateInputs | undefined;
  /** Whether an update of this process has succeeded since something went wrong, or since it started. */
  ensured = false;
  /** Whether somebody else has been at work on it since the last update here: then nothing is taken for granted. */
  isContested = false;
  /** When the engine was last seen to run everything, or an update to have tried; 0 before. */
  checkedAt = 0;

  /** After an update that succeeded. */
  ensure(gate: GateInputs | undefined): void {
    this.gate = gate;
    this.ensured = true;
    this.isContested = false;
    this.checkedAt = Date.now();
  }
}
