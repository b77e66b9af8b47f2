// After the switch: whether what serves stays well, seen with the gate's own eyes.
import { setTimeout as sleep } from "node:timers/promises";
import { connectEngine, isEngineError } from "../provider/docker/engine";
import { Lookout } from "../provider/docker/lookout";
import type { GateInputs } from "../provider/gate";
import { judgeReplica } from "../rollout/gate";

const lookEveryMs = 250;
/** Bad answers in a row after which a replica that was healthy is not. */
const badAnswers = 4;

/**
 * Watches every replica until the soak time is over.
 * @param endsAt milliseconds since the epoch
 * @returns the services that turned unhealthy and why; undefined if all stayed well, or if it was stopped
 */
export async function soak(
  gate: GateInputs,
  endsAt: number,
  stop: AbortSignal,
): Promise<{ service: string; reason: string }[] | undefined> {
  const lookout = new Lookout(connectEngine(), gate);
  const bad = new Map<string, number>();
  while (Date.now() < endsAt && !stop.aborted) {
    const unwell: { service: string; reason: string }[] = [];
    for (const [replica, sight] of await lookout.look(lookout.replicas, new AbortController().signal)) {
      const decision = judgeReplica(sight);
      const inARow = sight.probe === "none" || sight.goodAnswers > 0 ? 0 : (bad.get(replica) ?? 0) + 1;
      bad.set(replica, inARow);
      if (decision.kind === "fail")
        unwell.push({ service: sight.service, reason: `${decision.reason} after the switch` });
      else if (inARow >= badAnswers) {
        unwell.push({
          service: sight.service,
          reason: `${sight.name} turned unhealthy after the switch: ${sight.lastAnswer}`,
        });
      }
    }
    if (unwell.length > 0) return unwell;
    await sleep(lookEveryMs);
  }
  return undefined;
}

/** Services that have fewer replicas on the engine than they should, by name. */
export async function lostReplicas(gate: GateInputs): Promise<string[]> {
  const docker = connectEngine();
  const lost = await Promise.all(
    Object.entries(gate.services).flatMap(([service, { replicas }]) =>
      replicas.map(async (id) => {
        try {
          const { State } = await docker.getContainer(id).inspect();
          return State.Running || State.Restarting ? undefined : service;
        } catch (error) {
          if (isEngineError(error, 404)) return service;
          throw error;
        }
      }),
    ),
  );
  return [...new Set(lost.filter((service) => service !== undefined))];
}
