// Processes of a run: each in a group of its own, so that a Ctrl-C is the bench's to handle, and ended by their ids.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { now } from "../tools/traffic.mjs";

/** @typedef {{at: number, text: string}} Line */

/**
 * @typedef {object} Running
 * @property {number} pid
 * @property {Line[]} lines of both outputs, so far
 * @property {() => boolean} alive
 * @property {() => string} tail its last lines
 * @property {Promise<number | null>} ended its exit code; null where a signal ended it
 * @property {(patienceMs: number) => Promise<void>} stop asks it to end, once more, then ends its whole group
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{env: NodeJS.ProcessEnv, cwd: string}} options
 * @returns {Promise<Running>}
 */
export async function start(command, args, { env, cwd }) {
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  await new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const pid = /** @type {number} */ (child.pid);
  /** @type {Line[]} */
  const lines = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) lines.push({ at: now(), text: part });
    });
  }
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve) => child.once("close", resolve));
  const alive = () => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    lines,
    alive,
    ended,
    tail: () =>
      lines
        .slice(-20)
        .map(({ text }) => text)
        .join("\n"),
    async stop(patienceMs) {
      for (const signal of /** @type {const} */ (["SIGTERM", "SIGTERM", "SIGKILL"])) {
        if (!alive()) break;
        try {
          if (signal === "SIGKILL") process.kill(-pid, signal);
          else child.kill(signal);
        } catch {
          break; // it has just ended
        }
        await Promise.race([ended, sleep(patienceMs, undefined, { ref: false })]);
      }
    },
  };
}

/**
 * @typedef {object} Usage
 * @property {number} cpuSeconds of the process, of those it started that live, and of those that ended
 * @property {number} megabytes resident, of those that live
 */

/**
 * What a process and all below it have used; undefined where there is no /proc.
 * @param {number} root
 * @returns {Usage | undefined}
 */
export function usage(root) {
  const tree = processesBelow(root);
  if (tree.length === 0) return undefined;
  const sum = (/** @type {"ticks" | "childTicks" | "pages"} */ key) =>
    tree.reduce((all, one) => all + one[key], 0);
  // Linux counts in hundredths of a second and pages of 4 KiB on every machine that Node.js runs on here.
  return { cpuSeconds: (sum("ticks") + sum("childTicks")) / 100, megabytes: (sum("pages") * 4096) / 1e6 };
}

/** @typedef {{pid: number, parent: number, ticks: number, childTicks: number, pages: number}} Process */

/**
 * A process and all below it; none where there is no /proc.
 * @param {number} root
 * @returns {Process[]}
 */
export function processesBelow(root) {
  const all = processes();
  const tree = new Set(all.filter(({ pid }) => pid === root).map(({ pid }) => pid));
  for (let grown = tree.size > 0; grown; ) {
    const found = all.filter(({ pid, parent }) => tree.has(parent) && !tree.has(pid));
    for (const { pid } of found) tree.add(pid);
    grown = found.length > 0;
  }
  return all.filter(({ pid }) => tree.has(pid));
}

/** @returns {Process[]} */
function processes() {
  let names;
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      const text = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      const number = (/** @type {number} */ field) => Number(fields[field]);
      return [
        {
          pid: Number(name),
          parent: number(1),
          ticks: number(11) + number(12),
          childTicks: number(13) + number(14), // of those that ended
          pages: number(21),
        },
      ];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}
