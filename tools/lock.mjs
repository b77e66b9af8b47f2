// A lock between processes: one holder at a time, and a holder that died, however it died, is succeeded at once.
//
// A lock is a folder of numbered tickets, and the highest ticket rules. It is created with its content in one atomic
// step, and it is never deleted while it is the highest, so two processes that both saw a dead holder cannot both
// succeed it: the second finds the next ticket taken, or a higher one than its own.

import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MILLISECONDS = 200;

/** @typedef {{ pid: number, started: string, released?: boolean }} Ticket */

/**
 * When the process began, so that a process number which was given out again is not taken for its predecessor.
 * @param {number} pid
 * @returns {string | undefined} undefined if no such process runs
 */
export function processStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    if (process.platform === "linux") return undefined;
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * @template T
 * @param {string} folder the lock's own folder
 * @param {() => Promise<T>} work
 * @param {(holder: number) => void} [onWait] told once who holds it, if this process must wait
 * @returns {Promise<T>}
 */
export async function withLock(folder, work, onWait) {
  mkdirSync(folder, { recursive: true });
  let told = false;
  for (;;) {
    const last = highest(folder);
    const holder = last ? read(join(folder, String(last))) : undefined;
    if (!holder || !holds(holder)) {
      const mine = last + 1;
      if (take(folder, mine)) {
        try {
          return await work();
        } finally {
          write(folder, mine, { ...self(), released: true });
        }
      }
    } else {
      if (!told) onWait?.(holder.pid);
      told = true;
      await sleep(POLL_MILLISECONDS);
    }
  }
}

/** @returns {Ticket} */
const self = () => ({ pid: process.pid, started: processStart(process.pid) ?? "" });

/** @param {Ticket} ticket */
const holds = (ticket) => !ticket.released && processStart(ticket.pid) === ticket.started;

/** @param {string} folder */
const tickets = (folder) =>
  readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** @param {string} folder */
const highest = (folder) => Math.max(0, ...tickets(folder));

/**
 * @param {string} file
 * @returns {Ticket | undefined}
 */
function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Swept away by a later holder between the listing and the reading.
    return undefined;
  }
}

/**
 * @param {string} folder
 * @param {number} mine
 */
function take(folder, mine) {
  const draft = join(folder, `draft-${process.pid}-${mine}`);
  writeFileSync(draft, JSON.stringify(self()));
  try {
    linkSync(draft, join(folder, String(mine)));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  if (highest(folder) !== mine) {
    rmSync(join(folder, String(mine)), { force: true });
    return false;
  }
  for (const old of tickets(folder)) if (old < mine) rmSync(join(folder, String(old)), { force: true });
  return true;
}

/**
 * @param {string} folder
 * @param {number} number
 * @param {Ticket} ticket
 */
function write(folder, number, ticket) {
  const draft = join(folder, `draft-${process.pid}-${number}`);
  writeFileSync(draft, JSON.stringify(ticket));
  renameSync(draft, join(folder, String(number)));
}
