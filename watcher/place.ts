// Where an environment runs, as far as the watcher has to do with it by itself, whichever engine that is: everything
// else it does by updates of the stack.
import type { GateInputs } from "../provider/gate";
import type { Eyes } from "../provider/soakTime";
import type { CredentialLookup } from "../registry";
import type { EngineProvider } from "./providers";

export interface Place {
  /** The provider that stays up between updates; left out where it does not bear that. */
  readonly provider?: EngineProvider;
  /** What Pulumi's engine, and the providers that it starts, must have in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Brings an image to where it will run, ahead of its roll.
   * @throws Error where it cannot be had; the roll will say why
   */
  pull(reference: string, credentials: CredentialLookup, signal: AbortSignal): Promise<void>;
  /** The gate's own eyes on what it has let through. */
  lookout(gate: GateInputs): Eyes;
  /** What should run and does not; a service that may end by itself is not missed. */
  lost(gate: GateInputs): Promise<Lost>;
  /** Starts what somebody has stopped. */
  startAgain(stopped: readonly string[]): Promise<void>;
  /**
   * Removes what carries the claim and no state knows, left by an update that was cut short.
   * @param known ids of all resources that the state knows
   * @returns the names of those removed
   */
  removeOrphans(claim: string, known: ReadonlySet<string>): Promise<string[]>;
}

export interface Lost {
  /** Services that lack a replica, by name. */
  services: string[];
  /** Ids of replicas that are there and do not run. */
  stopped: string[];
}
