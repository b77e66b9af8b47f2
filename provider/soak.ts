// Soak: after the switch, whether what serves stays well, seen with the gate's own eyes. Where a person rolls, the update
// stays until that is known: then the images have a verdict, or the traffic goes back to what served before. A watcher
// soaks by itself. The resource also has on record, in the state, what the environment was brought to.
import { setTimeout as pause } from "node:timers/promises";
import { formatFailures, type GateFailure, judgeReplica } from "../rollout/gate";
import type { ReleasedImage } from "../rollout/release";
import { connectEngine } from "./docker/engine";
import { Lookout } from "./docker/lookout";
import { type RouteFiles, writeRoutes } from "./docker/route";
import type { GateInputs } from "./gate";
import { handRoll, type Roll } from "./handRoll";
import { type Context, changedKeys, type Handler } from "./handler";

const lookEveryMs = 250;
/** Bad answers in a row after which a replica that was healthy is not. */
const badAnswers = 4;
const shownLines = 10;

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
  async look(forMs: number, stop: AbortSignal): Promise<{ unwell: GateFailure[]; over: boolean }> {
    const until = Math.min(this.endsAt, Date.now() + forMs);
    for (;;) {
      const unwell = await this.once();
      if (unwell.length > 0 || stop.aborted) return { unwell, over: false };
      if (Date.now() >= until) return { unwell, over: Date.now() >= this.endsAt };
      await pause(Math.min(lookEveryMs, until - Date.now()), undefined, { signal: stop }).catch(() => {});
    }
  }

  private async once(): Promise<GateFailure[]> {
    const sights = await this.lookout.look(this.lookout.replicas, new AbortController().signal);
    const unwell = sights.flatMap(([replica, sight]) => {
      // Removed by hand: that is put right, and says nothing about the image.
      if (sight.state === "gone") return [];
      const decision = judgeReplica(sight);
      if (decision.kind === "fail")
        return [{ replica, sight, reason: `${decision.reason} after the switch` }];
      const inARow = sight.probe === "none" || sight.goodAnswers > 0 ? 0 : (this.bad.get(replica) ?? 0) + 1;
      this.bad.set(replica, inARow);
      if (inARow < badAnswers) return [];
      return [
        { replica, sight, reason: `${sight.name} turned unhealthy after the switch: ${sight.lastAnswer}` },
      ];
    });
    return Promise.all(
      unwell.map(async ({ replica, sight: { service, wanted: reference }, reason }) => ({
        service,
        reference,
        reason,
        lastLines: await this.lookout.lastLines(replica, shownLines),
      })),
    );
  }
}

export interface SoakInputs extends GateInputs {
  /** What the environment has been brought to, by image. */
  release: Record<string, ReleasedImage>;
  /** What the edge's files held before the switch; empty where they did not change, or a watcher rolls. */
  before: RouteFiles;
  soakMs: number;
}

export const soak: Handler<SoakInputs, Record<string, never>> = {
  async changed(inputs, old) {
    return changedKeys(old, inputs, ["before", "soakMs", "deadlineMs"]);
  },
  async create(inputs, context) {
    await stay(inputs, context);
    return { id: "soak", outputs: {} };
  },
  async update(_id, inputs, _old, context) {
    await stay(inputs, context);
    return {};
  },
};

async function stay(inputs: SoakInputs, context: Context): Promise<void> {
  const roll = await handRoll();
  if (!roll) return;
  const { soakMs } = inputs;
  const watching = new Soak(inputs, Date.now() + soakMs);
  const { unwell, over } = await watching.look(Number.POSITIVE_INFINITY, context.signal);
  if (unwell.length > 0) throw await back(inputs, unwell, roll, context);
  if (!over) {
    await roll.failed(context.signal.reason, context);
    context.signal.throwIfAborted();
  }
  await roll.healthy(context);
  context.log("info", `stayed well for ${soakMs / 1000} s`);
}

/** Leads the traffic back first; what is to be said of it comes after. @returns the error to fail with */
async function back(inputs: SoakInputs, unwell: GateFailure[], roll: Roll, context: Context): Promise<Error> {
  const problem = await leadBack(inputs, context.signal);
  await roll.rejected(unwell, context);
  return new Error(`${formatFailures(unwell)}\n${problem ?? "the traffic goes to what served before again"}`);
}

/** @returns why it could not; undefined where it did */
async function leadBack({ edge, before }: SoakInputs, signal: AbortSignal): Promise<string | undefined> {
  if (Object.keys(before).length === 0) return "nothing served before, so the traffic stays where it is";
  const ids = [...new Set(Object.values(before).map((upstream) => upstream.split(":")[0] ?? ""))];
  const docker = connectEngine();
  try {
    for (const id of ids) {
      const { State } = await docker.getContainer(id).inspect();
      if (!State.Running) throw new Error(`${id} does not run any more`);
    }
    await writeRoutes(edge, before, signal);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `the traffic could not be led back to what served before (${why}): name the release before in tagalong:release, or lead the tag back, and run \`pulumi up\``;
  }
}
