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
  const ended = new Promise((resolve) => child.once("close", resolve));
  const alive = () => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    lines,
    alive,
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
  /** @type {Map<number, {parent: number, ticks: number, pages: number}>} */
  const all = new Map();
  let names;
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  for (const name of names) {
    try {
      const text = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
      all.set(Number(name), { parent: Number(fields[1]), ticks, pages: Number(fields[21]) });
    } catch {
      // It has ended meanwhile.
    }
  }
  if (!all.has(root)) return undefined;
  const tree = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, { parent }] of all) {
      if (!tree.has(parent) || tree.has(pid)) continue;
      tree.add(pid);
      grown = true;
    }
  }
  let [ticks, pages] = [0, 0];
  for (const pid of tree) {
    ticks += all.get(pid)?.ticks ?? 0;
    pages += all.get(pid)?.pages ?? 0;
  }
  // Linux counts in hundredths of a second and pages of 4 KiB on every machine that Node.js runs on here.
  return { cpuSeconds: ticks / 100, megabytes: (pages * 4096) / 1e6 };
}
