// The watcher of a stack as a process, and what it says of its rolls.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../tools/paths.mjs";
import { start } from "./processes.mjs";

/** @typedef {{event: string, message: string, time: number, release?: Record<string, {version?: string}>}} LogLine */

/**
 * @typedef {object} Watcher
 * @property {number} pid
 * @property {() => LogLine[]} told what it has said so far
 * @property {() => boolean} alive
 * @property {() => void} check throws once anything went another way than up: a figure of such a run would mean nothing
 * @property {(wanted: (line: LogLine) => boolean, seconds?: number) => Promise<LogLine>} heard waits until it has said this
 * @property {() => Promise<void>} stop
 */

/**
 * @param {object} options
 * @param {string} options.stack
 * @param {string} options.folder of the stack's project
 * @param {NodeJS.ProcessEnv} options.env
 * @param {AbortSignal} options.signal
 * @returns {Promise<Watcher>}
 */
export async function startWatcher({ stack, folder, env, signal }) {
  const program = [join(root, "cli", "tagalong.mjs"), "watch", "--stack", stack];
  const { lines, alive, tail, stop, pid } = await start(process.execPath, program, { env, cwd: folder });
  const told = () =>
    lines.flatMap(({ text }) => {
      try {
        return [/** @type {LogLine} */ (JSON.parse(text))];
      } catch {
        return [];
      }
    });
  const check = () => {
    const bad = told().find(({ event }) => ["rejected", "failed", "refused", "unknown"].includes(event));
    if (bad || !alive())
      throw new Error(`the watcher did not do what was expected; its last lines:\n${tail()}`);
  };
  return {
    ...{ pid, alive, told, check },
    stop: () => stop(30_000),
    async heard(wanted, seconds = 120) {
      for (const end = Date.now() + seconds * 1_000; ; await sleep(20, undefined, { signal })) {
        const line = told().find(wanted);
        if (line) return line;
        check();
        if (Date.now() > end) throw new Error(`the watcher is silent; its last lines:\n${tail()}`);
      }
    },
  };
}

/**
 * Whether a line is of the release with this version.
 * @param {LogLine} line
 * @param {string} version
 */
export const isOf = (line, version) =>
  Object.values(line.release ?? {}).some((image) => image.version === version);
