// Which engine runs an environment's services: the gate's inputs tell, and nobody but this file has to know.
import { connectEngine } from "./docker/engine";
import { type DockerGateInputs, DockerLookout } from "./docker/lookout";
import { leadBack, type RouteBefore } from "./docker/wayBack";
import { type ClusterGateInputs, ClusterLookout } from "./kubernetes/lookout";
import { rollBackAll, servedTemplates } from "./kubernetes/rollback";
import type { Lookout } from "./lookout";

export type GateInputs = DockerGateInputs | ClusterGateInputs;
/** With what it takes to lead the traffic back. */
export type SoakedInputs = (DockerGateInputs & RouteBefore) | ClusterGateInputs;

export interface Engine {
  /** To be closed by whoever opens it. */
  lookout(): Lookout;
  /** Whether what passes the gate has the traffic already; otherwise it is led there then. */
  readonly movesTraffic: boolean;
}

export interface SoakedEngine extends Engine {
  /** What serves now, for the way back after the next roll. */
  served(): Promise<Record<string, string>>;
  /**
   * Leads the traffic back to what served before.
   * @param served what was found after the roll before
   * @returns what came of it, as a sentence
   */
  goBack(served: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string>;
}

export function engineOf(inputs: GateInputs): Engine {
  return isOnCluster(inputs)
    ? { lookout: () => new ClusterLookout(inputs), movesTraffic: true }
    : { lookout: () => new DockerLookout(connectEngine(), inputs), movesTraffic: false };
}

export function soakedEngineOf(inputs: SoakedInputs): SoakedEngine {
  const ways = isOnCluster(inputs)
    ? {
        served: () => servedTemplates(inputs),
        goBack: (served: Readonly<Record<string, string>>) => rollBackAll(inputs, served),
      }
    : {
        served: async () => ({}),
        goBack: (_: unknown, signal: AbortSignal) => leadBack(inputs, signal),
      };
  return { ...engineOf(inputs), ...ways };
}

const isOnCluster = (inputs: GateInputs | SoakedInputs): inputs is ClusterGateInputs => "cluster" in inputs;
