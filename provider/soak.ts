// Soak: after the switch, whether what serves stays well, seen with the gate's own eyes. Where a person rolls, the update
// stays until that is known: then the images have a verdict, or the traffic goes back to what served before. A watcher
// soaks by itself. The resource also has on record, in the state, what the environment was brought to.
import { formatFailures } from "../rollout/gate";
import type { ReleasedImage } from "../rollout/release";
import { connectEngine } from "./docker/engine";
import { Lookout } from "./docker/lookout";
import { type RouteFiles, writeRoutes } from "./docker/route";
import type { GateInputs } from "./gate";
import { type Context, changedKeys, type Handler } from "./handler";
import { handRoll, type Roll } from "./handRoll";
import { Soak, type Unwell } from "./soakTime";

const shownLines = 10;

export interface SoakInputs extends GateInputs {
  /** What the environment has been brought to, by image. */
  release: Record<string, ReleasedImage>;
  /** The gate's pass that it follows: each has a soak time of its own. */
  gatedAt: number;
  /** What the edge's files held before the switch; empty where they did not change, or a watcher rolls. */
  before: RouteFiles;
  soakMs: number;
}

export interface SoakOutputs extends Record<string, unknown> {
  /** The release again: unlike an input, it is what an update that did not come so far finds here. */
  runs: SoakInputs["release"];
}

export const soak: Handler<SoakInputs, SoakOutputs> = {
  async changed(inputs, old) {
    return changedKeys(old, inputs, ["before", "soakMs", "deadlineMs", "runs"]);
  },
  async preview({ release = {} }) {
    return { runs: release };
  },
  async create(inputs, context) {
    await stay(inputs, context);
    return { id: "soak", outputs: { runs: inputs.release } };
  },
  async update(_id, inputs, _old, context) {
    await stay(inputs, context);
    return { runs: inputs.release };
  },
};

async function stay(inputs: SoakInputs, context: Context): Promise<void> {
  const roll = await handRoll();
  if (!roll) return;
  const { soakMs } = inputs;
  const lookout = new Lookout(connectEngine(), inputs);
  const time = new Soak(lookout, Date.now() + soakMs);
  const { unwell, gone, over } = await time.look(Number.POSITIVE_INFINITY, context.signal);
  if (unwell.length > 0) throw await goBack(inputs, unwell, lookout, roll, context);
  if (!over) {
    // Neither says anything about the images.
    const why = context.signal.aborted
      ? context.signal.reason
      : new Error(
          `somebody removed containers of ${gone.join(", ")} during the soak time; run \`pulumi up --refresh\``,
        );
    await roll.failed(why, context);
    throw why;
  }
  await roll.healthy(context);
  if (soakMs > 0) context.log("info", `stayed well for ${soakMs / 1000} s`);
}

/** Leads the traffic back first; what is to be said of it comes after. @returns the error to fail with */
async function goBack(
  inputs: SoakInputs,
  unwell: Unwell[],
  lookout: Lookout,
  roll: Roll,
  context: Context,
): Promise<Error> {
  const problem = await leadBack(inputs, context.signal);
  const failures = await Promise.all(
    unwell.map(async (one) => ({ ...one, lastLines: await lookout.lastLines(one.replica, shownLines) })),
  );
  await roll.rejected(unwell, context);
  return new Error(
    `${formatFailures(failures)}\n${problem ?? "the traffic goes to what served before again"}`,
  );
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
