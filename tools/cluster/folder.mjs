// Where a cluster's files lie, and what is on record of it.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.mjs";
import { processStart } from "../lock.mjs";
import { cacheFolder } from "../paths.mjs";

/**
 * @typedef {object} Cluster
 * @property {string} name
 * @property {string} folder everything that it is made of, and what it writes
 * @property {number} number one that no other cluster of the machine has
 * @property {number} fakes how many nodes exist in the API only
 * @property {string} since when it was started
 * @property {{ pid: number, started: string }} process its namespaces end with this
 */

export const DEFAULT_NAME = "default";

export const clustersFolder = () => join(cacheFolder(), "clusters");

/** @param {string} name */
export function folderOf(name) {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    throw new Failure(
      `--name is "${name}", which is no cluster's name`,
      "use lower-case letters, digits and dashes, 32 at most",
    );
  }
  return join(clustersFolder(), name);
}

/** @param {string} folder */
const recordFile = (folder) => join(folder, "cluster.json");

/** @param {string} folder */
export const kubeconfigOf = (folder) => join(folder, "kubeconfig");

/**
 * The cluster's own name among the machine's control groups.
 * @param {string} folder
 */
export const groupOf = (folder) =>
  `tagalong-${createHash("sha256").update(folder).digest("hex").slice(0, 8)}`;

/** @param {Cluster} cluster */
export function record(cluster) {
  mkdirSync(cluster.folder, { recursive: true });
  const draft = `${recordFile(cluster.folder)}.draft`;
  writeFileSync(draft, JSON.stringify(cluster));
  renameSync(draft, recordFile(cluster.folder));
}

/**
 * @param {string} folder
 * @returns {Cluster | undefined} undefined where nothing was started
 */
export function recorded(folder) {
  try {
    return JSON.parse(readFileSync(recordFile(folder), "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {Cluster | undefined} cluster */
export const runs = (cluster) =>
  cluster !== undefined && processStart(cluster.process.pid) === cluster.process.started;

/** Every cluster of this user, whether it runs or not. */
export function names() {
  try {
    return readdirSync(clustersFolder()).sort();
  } catch {
    return [];
  }
}
