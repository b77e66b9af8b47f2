// Where an environment runs, as far as the watcher has to do with it by itself, whichever engine that is: everything
// else it does by updates of the stack.
import type { EnvironmentConfig } from "../config";
import type { GateInputs } from "../provider/gate";
import type { CredentialLookup } from "../registry";
import type { Log } from "./log";
import type { EngineProvider } from "./providers";

export interface Place {
  /** The resource that holds what everything of an environment is marked with. */
  readonly claimType: string;
  /** The provider that stays up between updates; left out where it does not bear that. */
  readonly provider?: EngineProvider;
  /** What Pulumi's engine, and the providers that it starts, must have in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the state is written when an update ends, and not at each of its steps. */
  readonly isSavedAtEnd: boolean;
  /**
   * Has the environment to this watcher alone, whatever machine another may be on; left out where the engine has no means
   * for that.
   * @returns undefined where it was stopped while another had it
   */
  hold?(options: HoldOptions): Promise<Hold | undefined>;
  /**
   * Brings an image to where it will run, ahead of its roll.
   * @throws Error where it cannot be had; the roll will say why
   */
  pull(reference: string, credentials: CredentialLookup, signal: AbortSignal): Promise<void>;
  /** What is not as the last update made it; a service that may end by itself is not missed. */
  lost(gate: GateInputs): Promise<Lost>;
  /** Starts what somebody has stopped. */
  startAgain(stopped: readonly string[]): Promise<void>;
  /**
   * Removes what carries the claim and no state knows, left by an update that was cut short.
   * @param claim as the state has it
   * @param known ids of all resources that the state knows
   * @returns the names of those removed
   */
  removeOrphans(claim: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): Promise<string[]>;
}

export interface HoldOptions {
  project: string;
  config: EnvironmentConfig;
  log: Log;
  /** Ends the waiting. */
  stop: AbortSignal;
}

export interface Hold {
  /** Aborted, with the reason, when another may have it soon: by `handOverMs` later nothing is to be under way. */
  readonly lost: AbortSignal;
  readonly handOverMs: number;
  /** Lets another have it; nothing may be under way any more. */
  release(): Promise<void>;
}

export interface Lost {
  /** Services that an update has to put back, by name. */
  services: string[];
  /** What has become of them, as a sentence; "" where there are none. */
  why: string;
  /** Ids of replicas that are there and do not run. */
  stopped: string[];
}

export const nothingLost: Lost = { services: [], why: "", stopped: [] };
