// Gate: waits until every replica of every service runs its digest and answers well, or says why one never will.
// One gate for all services of an environment, the same for every engine: the engine's folder knows how to look.
import {
  enoughAnswers,
  formatFailures,
  type GateFailure,
  judgeReplica,
  type ReplicaSight,
  tooSlow,
} from "../rollout/gate";
import { connectEngine } from "./docker/engine";
import { Lookout } from "./docker/lookout";
import { type Context, type Handler, unknown } from "./handler";
import { handRoll } from "./handRoll";

export interface GateService extends Record<string, unknown> {
  /** repository@digest that each replica must run. */
  reference: string;
  /** Ids of the replicas. */
  replicas: string[];
  /** The port it listens on, where it has one. */
  port?: number;
  /** Path of the HTTP probe; without one the image's own HEALTHCHECK counts, then the open port, then staying up. */
  path?: string;
}

export interface GateInputs extends Record<string, unknown> {
  services: Record<string, GateService>;
  /** The network on which the replicas are probed. */
  network: string;
  /** The container from which to probe where this machine has no route to the network; "" where there is none. */
  edge: string;
  deadlineMs: number;
  /** Records of the rejections that the images have on them already: with another one, it is another try. */
  tried?: string[];
}

export interface GateOutputs extends Record<string, unknown> {
  /** When the last replica passed, milliseconds since the epoch. */
  passedAt: number;
}

const lookEveryMs = 25;
const shownLines = 10;

async function wait(inputs: GateInputs, context: Context): Promise<GateOutputs> {
  const started = Date.now();
  const lookout = new Lookout(connectEngine(), inputs);
  const waiting = new Set(lookout.replicas);
  // A probe that never ends must not outlast the deadline.
  const patience = AbortSignal.any([context.signal, AbortSignal.timeout(inputs.deadlineMs)]);
  while (waiting.size > 0) {
    const sights = await lookout.look([...waiting], patience);
    context.signal.throwIfAborted();
    const late = Date.now() - started >= inputs.deadlineMs;
    const failed: { sight: ReplicaSight; replica: string; reason: string }[] = [];
    for (const [replica, sight] of sights) {
      const decision = judgeReplica(sight);
      if (decision.kind === "pass") waiting.delete(replica);
      else if (decision.kind === "fail") failed.push({ sight, replica, reason: decision.reason });
      else if (late) failed.push({ sight, replica, reason: tooSlow(sight, inputs.deadlineMs) });
    }
    if (failed.length > 0) {
      const failures = await Promise.all(
        failed.map(
          async ({ sight, replica, reason }): Promise<GateFailure> => ({
            service: sight.service,
            reference: sight.wanted,
            reason,
            lastLines: await lookout.lastLines(replica, shownLines),
          }),
        ),
      );
      throw new Error(formatFailures(failures));
    }
    if (waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  const count = lookout.replicas.length;
  context.log(
    "info",
    `${count} ${count === 1 ? "replica" : "replicas"} healthy, ${enoughAnswers} good answers in a row each`,
  );
  return { passedAt: Date.now() };
}

/** The same, noted where a person rolls: the watcher takes notes itself. */
async function pass(inputs: GateInputs, context: Context): Promise<GateOutputs> {
  const roll = await handRoll();
  roll?.reached("started", context);
  try {
    const outputs = await wait(inputs, context);
    roll?.reached("healthy", context, outputs.passedAt);
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
