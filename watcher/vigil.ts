// After the switch: whether what serves stays well, seen with the gate's own eyes.
import { connectEngine, isEngineError } from "../provider/docker/engine";
import { Lookout } from "../provider/docker/lookout";
import type { GateInputs } from "../provider/gate";
import { judgeReplica } from "../rollout/gate";
import { pause } from "./pause";

const lookEveryMs = 250;
/** Bad answers in a row after which a replica that was healthy is not. */
const badAnswers = 4;

/** The soak time of one roll: whether every replica stays well until it is over. */
export class Soak {
  private readonly lookout: Lookout;
  private readonly bad = new Map<string, number>();

  /** @param endsAt milliseconds since the epoch */
  constructor(
    gate: GateInputs,
    private readonly endsAt: number,
  ) {
    this.lookout = new Lookout(connectEngine(), gate);
  }

  /**
   * Watches for a while; at least one look is taken.
   * @returns the services that turned unhealthy and why; whether the soak time is over
   */
  async look(
    forMs: number,
    stop: AbortSignal,
  ): Promise<{ unwell: { service: string; reason: string }[]; over: boolean }> {
    const until = Math.min(this.endsAt, Date.now() + forMs);
    for (;;) {
      const unwell = await this.once();
      if (unwell.length > 0 || stop.aborted) return { unwell, over: false };
      if (Date.now() >= until) return { unwell, over: Date.now() >= this.endsAt };
      await pause(Math.min(lookEveryMs, until - Date.now()), stop);
    }
  }

  private async once(): Promise<{ service: string; reason: string }[]> {
    const sights = await this.lookout.look(this.lookout.replicas, new AbortController().signal);
    return sights.flatMap(([replica, sight]) => {
      // Removed by hand: that is put right, and says nothing about the image.
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
  }
}

/** Services that lack a replica, by name; `stopped` are the ids of containers that are there and do not run. */
export interface Lost {
  services: string[];
  stopped: string[];
}

/** What should run and does not; a service that may end by itself is not missed. */
export async function lostReplicas(gate: GateInputs): Promise<Lost> {
  const docker = connectEngine();
  const lost: Lost = { services: [], stopped: [] };
  await Promise.all(
    Object.entries(gate.services).flatMap(([service, { replicas }]) =>
      replicas.map(async (id) => {
        try {
          const { State, HostConfig } = await docker.getContainer(id).inspect();
          const mayEnd = !["always", "unless-stopped"].includes(HostConfig.RestartPolicy?.Name ?? "");
          if (State.Running || State.Restarting || mayEnd) return;
          lost.stopped.push(id);
        } catch (error) {
          if (!isEngineError(error, 404)) throw error;
        }
        lost.services.push(service);
      }),
    ),
  );
  return { ...lost, services: [...new Set(lost.services)].sort() };
}

/** Starts containers that somebody has stopped. */
export async function startAgain(ids: readonly string[]): Promise<void> {
  const docker = connectEngine();
  for (const id of ids) {
    await docker
      .getContainer(id)
      .start()
      .catch((error: unknown) => {
        if (!isEngineError(error, 304, 404)) throw error; // it runs again, or is gone
      });
  }
}
