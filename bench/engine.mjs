// The Docker engine as the bench uses it: what happened on it and when, and everything of the bench taken off again.
import Docker from "dockerode";

/** On every container that the bench itself makes. */
export const benchLabel = "dev.tagalong.bench";
/** On everything that an environment's stack makes; its value names the project. */
const environmentLabel = "dev.tagalong.environment";

/** @typedef {{at: number, action: string, id: string}} EngineEvent */

export const docker = new Docker();

/**
 * Notes what happens to the containers that carry a label.
 * @param {string} label `name=value`
 * @returns {Promise<{events: EngineEvent[], close: () => void}>}
 */
export async function follow(label) {
  const stream = await docker.getEvents({ filters: { type: ["container"], label: [label] } });
  /** @type {EngineEvent[]} */
  const events = [];
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("error", () => {}); // closed below
  stream.on("data", (/** @type {string} */ text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter(Boolean)) {
      const { Action, Actor, timeNano } = JSON.parse(line);
      events.push({ at: timeNano / 1e6, action: String(Action).split(":")[0] ?? "", id: Actor.ID });
    }
  });
  return {
    events,
    close: () => /** @type {import("node:stream").Readable} */ (stream).destroy(),
  };
}

/**
 * Pulls an image by its tag.
 * @param {string} reference
 */
export async function pull(reference) {
  const progress = await docker.pull(reference);
  await new Promise((resolve, reject) =>
    docker.modem.followProgress(progress, (/** @type {Error | null} */ error) =>
      error ? reject(error) : resolve(undefined),
    ),
  );
}

/**
 * Takes off the engine what the bench put there, now or in a run that was killed.
 * @param {{environment: string, imagePrefixes: readonly string[]}} mine
 */
export async function sweep({ environment, imagePrefixes }) {
  for (const label of [benchLabel, `${environmentLabel}=${environment}`]) {
    const filters = { label: [label] };
    const containers = await docker.listContainers({ all: true, filters });
    for (const { Id } of containers) await gone(docker.getContainer(Id).remove({ force: true, v: true }));
    for (const { Id } of await docker.listNetworks({ filters })) await gone(docker.getNetwork(Id).remove());
    const { Volumes } = await docker.listVolumes({ filters });
    for (const { Name } of Volumes ?? []) await gone(docker.getVolume(Name).remove());
  }
  for (const { RepoTags, RepoDigests } of await docker.listImages()) {
    const names = [...(RepoTags ?? []), ...(RepoDigests ?? [])].filter((name) =>
      imagePrefixes.some((prefix) => name.startsWith(prefix)),
    );
    for (const name of names) await gone(docker.getImage(name).remove({ force: true }));
  }
}

/** @param {Promise<unknown>} removal */
async function gone(removal) {
  try {
    await removal;
  } catch (error) {
    const { statusCode } = /** @type {{statusCode?: number}} */ (error);
    if (statusCode !== 404 && statusCode !== 409) throw error; // not there any more, or being removed already
  }
}
