// A registry for local use: the one that answers on the port already, or one of our own, on the loopback only.

import { connect } from "node:net";
import { join } from "node:path";
import { Failure, reason } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { ownContainer, ownProcess, start, stop } from "./own-registry.mjs";
import { cacheFolder } from "./paths.mjs";

/**
 * @typedef {object} LocalRegistry
 * @property {string} address host and port, as an image's name begins
 * @property {string} from how it was found
 * @property {boolean} startedByUs
 * @property {() => Promise<void>} stop ends it if this program started it, now or in an earlier run
 */

export function registryPort(env = process.env) {
  const text = env.TAGALONG_REGISTRY_PORT ?? "5000";
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Failure(`TAGALONG_REGISTRY_PORT is "${text}", which is no port`, "set a number from 1 to 65535");
}

/** @param {number} port */
const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => socket.destroy() && resolve(true)).once("error", () => resolve(false));
  });

/**
 * Whether a distribution registry answers on the port.
 * @param {number} port
 * @returns {Promise<boolean>} false if nothing listens there; anything else that listens is a failure
 */
export async function registryAnswers(port) {
  if (!(await listens(port))) return false;
  let said;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v2/`, { signal: AbortSignal.timeout(5000) });
    const body = (await response.text()).trim();
    if (response.status === 200 && (response.headers.has("docker-distribution-api-version") || body === "{}"))
      return true;
    said = `it answered ${response.status} to GET /v2/`;
  } catch (error) {
    said = reason(error);
  }
  throw new Failure(
    `port ${port}, wanted for the local registry, is taken by something that is no registry: ${said}`,
    `end that program, or choose another port: TAGALONG_REGISTRY_PORT=${port + 1}`,
  );
}

/**
 * @param {object} options
 * @param {import("./progress.mjs").Progress} options.progress
 * @param {() => Promise<string>} options.build builds the registry where no package has it
 * @param {number} [options.port]
 * @param {string} [options.folder] holds its data, its log and its process number
 * @returns {Promise<LocalRegistry>}
 */
export async function localRegistry({
  progress,
  build,
  port = registryPort(),
  folder = defaultFolder(port),
}) {
  const address = `127.0.0.1:${port}`;
  /** @param {string} from @param {boolean} startedByUs */
  const registry = (from, startedByUs) => ({ address, startedByUs, from, stop: () => stop(folder, port) });
  return withLock(`${folder}.lock`, async () => {
    if (await registryAnswers(port)) {
      const ours = ownProcess(folder) !== undefined || (await ownContainer(port));
      return registry(ours ? "started by an earlier run" : `answers on port ${port}`, ours);
    }
    const starting = () => start({ folder, port, build, answers: registryAnswers });
    return registry(await progress.step(`Local registry: starting it on ${address}`, 5, starting), true);
  });
}

/** @param {number} port */
const defaultFolder = (port) => join(cacheFolder(), "registry", String(port));
