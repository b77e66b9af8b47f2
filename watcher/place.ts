// Where an environment runs, as far as the watcher has to do with it by itself, whichever engine that is: everything
// else it does by updates of the stack.
import type { GateInputs } from "../provider/gate";
import type { CredentialLookup } from "../registry";
import type { EngineProvider } from "./providers";

export interface Place {
  /** The resource that holds what everything of an environment is marked with. */
  readonly claimType: string;
  /** The provider that stays up between updates; left out where it does not bear that. */
  readonly provider?: EngineProvider;
  /** What Pulumi's engine, and the providers that it starts, must have in their environment. */
  readonly environment: Readonly<Record<string, string>>;
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

export interface Lost {
  /** Services that an update has to put back, by name. */
  services: string[];
  /** What has become of them, as a sentence; "" where there are none. */
  why: string;
  /** Ids of replicas that are there and do not run. */
  stopped: string[];
}

export const nothingLost: Lost = { services: [], why: "", stopped: [] };
