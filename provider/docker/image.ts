// Image: repository@digest present on the engine before anything is made from it, and old ones collected: the current
// image and the last few stay, so that going back needs no pull.
import type Docker from "dockerode";
import { credentialLookup } from "../../registry/credentials";
import { formatReference, parseReference } from "../../registry/reference";
import { platformProblem } from "../../rollout/platform";
import type { Context, Handler } from "../handler";
import { handRoll } from "../handRoll";
import { sessionCredentials } from "../session";
import { connectEngine, engineMessage, isEngineError } from "./engine";
import { pullImage } from "./pull";

export interface ImageInputs extends Record<string, unknown> {
  /** What to pull: repository@digest, or a tag, which is then looked up once and kept until this changes. */
  reference: string;
  /** Platforms the image has, as `os/architecture`; empty where nobody knows. */
  platforms: string[];
  /** How many earlier images stay besides the current one. */
  keep: number;
}

export interface ImageOutputs extends Record<string, unknown> {
  digest: string;
  /** repository@digest */
  pinned: string;
  /** Earlier ones of this image, newest first, as repository@digest. */
  history: string[];
}

type State = ImageInputs & ImageOutputs;

export const image: Handler<ImageInputs, ImageOutputs> = {
  async preview(inputs, old) {
    const { reference, platforms, keep } = inputs as ImageInputs;
    await checkPlatform(connectEngine(), reference, platforms);
    const { digest } = parseReference(reference);
    if (!digest) return old?.reference === reference ? old : {};
    return {
      digest,
      pinned: pinned(reference, digest),
      history: old ? historyAfter(old, pinned(reference, digest), keep) : [],
    };
  },
  async create(inputs, context) {
    const outputs = await pull(inputs, context);
    return { id: outputs.pinned, outputs: { ...outputs, history: [] } };
  },
  async update(_id, inputs, old, context) {
    const now =
      inputs.reference === old.reference
        ? { digest: old.digest, pinned: old.pinned }
        : await pull(inputs, context);
    const history = historyAfter(old, now.pinned, inputs.keep);
    const dropped = [old.pinned, ...old.history].filter(
      (one) => one !== now.pinned && !history.includes(one),
    );
    for (const one of dropped) {
      // What a container still runs, as the old one does after failed rolls, is tried again at the next update.
      if (!(await remove(connectEngine(), one, context))) history.push(one);
    }
    return { ...now, history };
  },
  async read(_id, state) {
    try {
      await connectEngine().getImage(state.pinned).inspect();
      return state;
    } catch (error) {
      if (isEngineError(error, 404)) return undefined; // somebody removed it: the next `up` pulls it again
      throw error;
    }
  },
  async delete(_id, state, context) {
    for (const one of [state.pinned, ...state.history]) await remove(connectEngine(), one, context);
  },
};

function pinned(reference: string, digest: string): string {
  const { registry, repository } = parseReference(reference);
  return `${formatReference({ registry, repository })}@${digest}`;
}

/** The images that stay besides the current one, newest first. */
export function historyAfter(old: State, current: string, keep: number): string[] {
  return [...new Set([old.pinned, ...old.history])].filter((one) => one !== current).slice(0, keep);
}

async function checkPlatform(docker: Docker, reference: string, platforms: readonly string[]): Promise<void> {
  if (platforms.length === 0) return;
  const { Os, Arch } = await docker.version();
  const problem = platformProblem(reference, platforms, [`${Os}/${Arch}`]);
  if (problem !== undefined) throw new Error(problem);
}

async function pull(inputs: ImageInputs, context: Context): Promise<Pick<ImageOutputs, "digest" | "pinned">> {
  const docker = connectEngine();
  await checkPlatform(docker, inputs.reference, inputs.platforms);
  const { registry, repository, digest: wanted } = parseReference(inputs.reference);
  const roll = await handRoll(inputs.reference);
  // Going back after a roll that failed changes the image's record alone: nothing rolls.
  if (roll?.isMoving) roll.begin(context);
  const credentials = credentialLookup(await sessionCredentials());
  const details = await pullImage(docker, inputs.reference, credentials, context.signal).catch(
    async (error: unknown) => {
      await roll?.failed(error, context, inputs.reference);
      throw error;
    },
  );
  roll?.reached("pulled", context);
  const prefix = formatReference({ registry, repository });
  const digest =
    wanted ??
    details.RepoDigests.map((one) => parseReference(one)).find(
      (one) => formatReference({ registry: one.registry, repository: one.repository }) === prefix,
    )?.digest;
  if (!digest)
    throw new Error(`${inputs.reference} has no digest on this engine: push it to its registry first`);
  return { digest, pinned: pinned(inputs.reference, digest) };
}

/** @returns whether it is gone; what a container uses, of this environment or another, stays */
async function remove(docker: Docker, reference: string, context: Context): Promise<boolean> {
  // The engine itself refuses only to remove the last of an image's names.
  const containers = await docker.listContainers({ all: true });
  if (containers.some(({ Image }) => Image === reference)) return false;
  try {
    await docker.getImage(reference).remove();
  } catch (error) {
    if (isEngineError(error, 404)) return true;
    if (!isEngineError(error, 409)) throw error;
    context.log("info", `${reference} stays: ${engineMessage(error)}`);
    return false;
  }
  return true;
}
