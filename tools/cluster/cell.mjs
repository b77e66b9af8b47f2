// The cell that a cluster lives in: processes, mounts and network of its own, which all end with its first process.
// Outside it leaves a wire, which ends with it as well, and control groups, which are removed here.
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../command.mjs";
import { Failure, reason } from "../failure.mjs";
import { processStart } from "../lock.mjs";
import { addressesOf, MOST } from "./addresses.mjs";

const GROUPS = "/sys/fs/cgroup";
const LINKS = "/sys/class/net";

/**
 * Makes a wire that no other cluster of this machine has; its number is the cluster's.
 * @param {string} group which marks it as the cluster's own
 * @returns {Promise<number>}
 */
export async function newWire(group) {
  for (let number = 0; number < MOST; number++) {
    const { link, host, prefix } = addressesOf(number);
    if (existsSync(join(LINKS, link))) continue;
    try {
      await run("ip", ["link", "add", link, "type", "veth", "peer", "name", farEnd(link)]);
    } catch (error) {
      if (/File exists/.test(reason(error))) continue;
      throw error;
    }
    await run("ip", ["link", "set", link, "alias", group]);
    await run("ip", ["addr", "add", `${host}/${prefix}`, "dev", link]);
    await run("ip", ["link", "set", link, "up"]);
    return number;
  }
  throw new Failure(`${MOST} clusters run on this machine`, "npm run cluster -- status");
}

/** @param {string} link */
const farEnd = (link) => `${link}n`;

/** @param {string} group */
const wiresOf = (group) =>
  readdirSync(LINKS).filter((link) => {
    try {
      return readFileSync(join(LINKS, link, "ifalias"), "utf8").trim() === group;
    } catch {
      return false;
    }
  });

/**
 * @param {string} folder
 * @param {string} script a file
 * @returns {number} the process that ends when everything within has ended
 */
export function begin(folder, script) {
  const log = openSync(join(folder, "log", "cell.log"), "a");
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  const child = spawn("unshare", [...namespaces, "sh", script], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: folder,
  });
  closeSync(log);
  child.on("error", () => {});
  child.unref();
  return child.pid ?? 0;
}

/**
 * The first process within.
 * @param {number} pid
 */
function first(pid) {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children ? Number(children.split(" ")[0]) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Leads the wire into the cell, once that has a network of its own; nothing is to be done where it is there already.
 * @param {number} pid
 * @param {string} link
 */
export async function plugIn(pid, link) {
  for (const end = Date.now() + 20_000; existsSync(join(LINKS, farEnd(link))); await sleep(10)) {
    const within = first(pid);
    if (within && apart(within)) {
      await run("ip", ["link", "set", farEnd(link), "netns", String(within), "name", "eth0"]);
      return;
    }
    if (!processStart(pid)) throw new Error("its first process ended");
    if (Date.now() > end) throw new Error("it got no network of its own in 20 s");
  }
}

/** @param {number} pid */
function apart(pid) {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync("/proc/self/ns/net");
  } catch {
    return false;
  }
}

/** Where control groups may be made: one tree, or one for each controller. */
function trees() {
  if (existsSync(join(GROUPS, "cgroup.controllers"))) return [GROUPS];
  return readdirSync(GROUPS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(GROUPS, name));
}

/** @param {string} group */
export function makeGroups(group) {
  for (const tree of trees()) {
    const folder = join(tree, group);
    mkdirSync(folder, { recursive: true });
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const inherited = join(tree, file);
      const own = join(folder, file);
      if (existsSync(inherited) && existsSync(own) && !readFileSync(own, "utf8").trim())
        writeFileSync(own, readFileSync(inherited, "utf8").trim());
    }
  }
}

/**
 * @param {string} group
 * @returns {string[]} what could not be removed
 */
function removeGroups(group) {
  return trees()
    .map((tree) => join(tree, group))
    .filter((folder) => existsSync(folder) && !removeGroup(folder));
}

/** @param {string} folder */
function removeGroup(folder) {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(folder, entry.name));
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/**
 * Ends everything within, and takes away what is outside.
 * @param {{ pid: number, started: string } | undefined} outermost
 * @param {string} group
 */
export async function end(outermost, group) {
  /** @type {string[]} */
  let left = [];
  for (const limit = Date.now() + 30_000; Date.now() < limit; await sleep(50)) {
    if (outermost && processStart(outermost.pid) === outermost.started) {
      // The kernel ends the others with the first one, and unshare waits for that.
      kill(first(outermost.pid) ?? outermost.pid);
      left = [`process ${outermost.pid}`];
      continue;
    }
    for (const link of wiresOf(group)) await run("ip", ["link", "del", link]).catch(() => {});
    left = [...wiresOf(group).map((link) => `network interface ${link}`), ...removeGroups(group)];
    if (!left.length) return;
  }
  throw new Failure(`after 30 s there is left of the cluster: ${left.join(", ")}`, "npm run cluster -- down");
}

/** @param {number} pid */
function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH") throw error;
  }
}
