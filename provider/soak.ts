// Soak: after the switch, whether what serves stays well, seen with the gate's own eyes. Where a person rolls, the update
// stays until that is known: then the images have a verdict, or the traffic goes back to what served before. A watcher
// soaks by itself. The resource also has on record, in the state, what the environment was brought to.
import { formatFailures } from "../rollout/gate";
import type { ReleasedImage } from "../rollout/release";
import { type SoakedEngine, type SoakedInputs, soakedEngineOf } from "./engine";
import { type Context, changedKeys, type Handler, type Properties } from "./handler";
import { handRoll, type Roll } from "./handRoll";
import type { Lookout } from "./lookout";
import { Soak, type Unwell } from "./soakTime";

const shownLines = 10;

export type SoakInputs = SoakedInputs & {
  /** What the environment has been brought to, by image. */
  release: Record<string, ReleasedImage>;
  /** The gate's pass that it follows: each has a soak time of its own. */
  gatedAt: number;
  soakMs: number;
};

export interface SoakOutputs extends Properties {
  /** The release again: unlike an input, it is what an update that did not come so far finds here. */
  runs: SoakInputs["release"];
  /** What serves, as the engine finds its way back to it. */
  served: Record<string, string>;
}

export const soak: Handler<SoakInputs, SoakOutputs> = {
  async changed(inputs, old) {
    return changedKeys(old, inputs, ["before", "soakMs", "deadlineMs", "runs", "served"]);
  },
  async preview({ release = {} }) {
    return { runs: release };
  },
  async create(inputs, context) {
    return { id: "soak", outputs: await stay(inputs, {}, context) };
  },
  async update(_id, inputs, old, context) {
    return stay(inputs, old.served ?? {}, context);
  },
};

/** @param before what served before this roll */
async function stay(
  inputs: SoakInputs,
  before: SoakOutputs["served"],
  context: Context,
): Promise<SoakOutputs> {
  const engine = soakedEngineOf(inputs);
  const roll = await handRoll();
  if (roll) await soakByHand(inputs, engine, before, roll, context);
  // Without it there is one way back less; it is no reason to fail after the switch.
  const served = await engine.served().catch(() => ({}));
  return { runs: inputs.release, served };
}

async function soakByHand(
  { soakMs }: SoakInputs,
  engine: SoakedEngine,
  before: SoakOutputs["served"],
  roll: Roll,
  context: Context,
): Promise<void> {
  const lookout = engine.lookout();
  try {
    const time = new Soak(lookout, Date.now() + soakMs);
    const { unwell, gone, over } = await time.look(Number.POSITIVE_INFINITY, context.signal);
    if (unwell.length > 0) {
      // The traffic first; what is to be said of it comes after.
      const said = await engine.goBack(before, context.signal);
      throw await rejection(unwell, said, lookout, roll, context);
    }
    if (!over) {
      // Neither says anything about the images.
      const why = context.signal.aborted
        ? context.signal.reason
        : new Error(
            `somebody changed or removed ${gone.join(", ")} during the soak time; run \`pulumi up --refresh\``,
          );
      await roll.failed(why, context);
      throw why;
    }
  } finally {
    lookout.close();
  }
  await roll.healthy(context);
  if (soakMs > 0) context.log("info", `stayed well for ${soakMs / 1000} s`);
}

/** @returns the error to fail with */
async function rejection(
  unwell: Unwell[],
  said: string,
  lookout: Lookout,
  roll: Roll,
  context: Context,
): Promise<Error> {
  const failures = await Promise.all(
    unwell.map(async (one) => ({ ...one, lastLines: await lookout.lastLines(one.replica, shownLines) })),
  );
  await roll.rejected(unwell, context);
  return new Error(`${formatFailures(failures)}\n${said}`);
}
