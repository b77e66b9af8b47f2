// Gate: waits until every replica of every service runs its digest and answers well, or says why one never will.
// One gate for all services of an environment, the same for every engine: the engine's folder knows how to look.
import { within } from "../registry/within";
import { formatFailures, type GateFailure } from "../rollout/gate";
import { engineOf, type GateInputs } from "./engine";
import { type Context, type Handler, unknown } from "./handler";
import { handRoll } from "./handRoll";
import type { Judged, Lookout } from "./lookout";

export type { GateInputs };

export interface GateOutputs extends Record<string, unknown> {
  /** When the last replica passed, milliseconds since the epoch. */
  passedAt: number;
}

const lookEveryMs = 25;
const shownLines = 10;

async function wait(inputs: GateInputs, context: Context): Promise<GateOutputs> {
  const lookout = engineOf(inputs).lookout();
  // A probe that never ends must not outlast the deadline.
  const patience = within(inputs.deadlineMs, context.signal);
  const passed = new Set<string>();
  try {
    for (;;) {
      const judged = await lookout.judge(passed, patience.signal).catch((error: unknown) => {
        context.signal.throwIfAborted();
        throw error;
      });
      context.signal.throwIfAborted();
      const failed = judged.filter(({ decision }) => decision.kind === "fail");
      if (failed.length > 0) {
        const failures = await Promise.all(failed.map((one) => failureOf(one, lookout)));
        throw new Error(formatFailures(failures));
      }
      const isOver = judged.every(({ decision }) => decision.kind === "pass");
      if (isOver) break;
      for (const { id, decision } of judged) if (decision.kind === "pass") passed.add(id);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    context.log("info", lookout.verdict);
  } finally {
    patience.clear();
    lookout.close();
  }
  return { passedAt: Date.now() };
}

async function failureOf(
  { id, service, reference, decision }: Judged,
  lookout: Lookout,
): Promise<GateFailure> {
  if (decision.kind !== "fail") throw new Error(`${id} has not failed`);
  const { reason, replica = id, isBlameless = false } = decision;
  const lastLines = await lookout.lastLines(replica, shownLines);
  return { service, reason, lastLines, ...(isBlameless ? {} : { reference }) };
}

/** The same, noted where a person rolls: the watcher takes notes itself. */
async function pass(inputs: GateInputs, context: Context): Promise<GateOutputs> {
  const roll = await handRoll();
  roll?.reached("started", context);
  try {
    const outputs = await wait(inputs, context);
    roll?.reached("healthy", context, outputs.passedAt);
    if (engineOf(inputs).movesTraffic) roll?.reached("switched", context, outputs.passedAt);
    return outputs;
  } catch (error) {
    await roll?.failed(error, context);
    throw error;
  }
}

export const gate: Handler<GateInputs, GateOutputs> = {
  ignore: ["deadlineMs"],
  // What comes after it comes after this pass, and not after the last one.
  async preview() {
    return { passedAt: unknown as unknown as number };
  },
  async create(inputs, context) {
    return { id: "gate", outputs: await pass(inputs, context) };
  },
  async update(_id, inputs, _old, context) {
    return pass(inputs, context);
  },
};
