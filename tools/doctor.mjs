// `npm run doctor`: what this machine has, from where, and the command that gets what is missing. It changes nothing.
import { onPath, run } from "./command.mjs";
import { dockerFix, findDockerEngine } from "./docker-engine.mjs";
import { reason } from "./failure.mjs";
import { findGo, goFix } from "./go-build.mjs";
import { forStart, things } from "./ground.mjs";
import { packagesReady } from "./packages.mjs";

/**
 * @typedef {object} Row
 * @property {string} thing
 * @property {string} neededFor
 * @property {string} version
 * @property {string} from how it was found, or how to get it
 * @property {boolean} present
 * @property {boolean} needed whether `npm start` cannot do without
 */

/** @returns {Promise<Row[]>} */
async function survey() {
  const npm = onPath("npm");
  const go = await findGo();
  const packages = packagesReady();
  /** @type {Row[]} */
  const rows = [
    row("Node.js", "everything", { version: process.versions.node, from: process.execPath }, "", true),
    row(
      "npm",
      "the packages",
      npm ? { version: (await run(npm, ["--version"]).catch(() => "")).trim(), from: npm } : undefined,
      "install Node.js with npm: https://nodejs.org/",
      true,
    ),
    row(
      "npm packages",
      "everything",
      packages ? { version: "", from: "package-lock.json" } : undefined,
      "npm ci",
      true,
    ),
    row(
      "Go",
      "building what cannot be downloaded",
      go && { version: go.version, from: go.path },
      goFix,
      false,
    ),
  ];
  for (const [name, { title, purpose, look }] of Object.entries(things)) {
    let get = `npm run ground -- ${name}`;
    const seen = await look().catch((error) => {
      get = reason(error).replaceAll(/\s*\n\s*/g, "; ");
      return undefined;
    });
    if (!seen && name === "engine-docker") get = dockerFix((await findDockerEngine()).problems);
    rows.push(row(title, purpose, seen, get, forStart.includes(name)));
  }
  return rows;
}

/**
 * @param {string} thing
 * @param {string} neededFor
 * @param {{ version: string, from: string } | undefined} seen
 * @param {string} get
 * @param {boolean} needed
 * @returns {Row}
 */
const row = (thing, neededFor, seen, get, needed) => ({
  thing,
  neededFor,
  version: seen?.version ?? "missing",
  from: seen?.from ?? get,
  present: seen !== undefined,
  needed,
});

/**
 * @param {{ json: boolean }} options
 * @returns {Promise<number>} the exit code
 */
export async function doctor({ json }) {
  const rows = await survey();
  const ready = rows.every(({ present, needed }) => present || !needed);
  if (json) {
    process.stdout.write(`${JSON.stringify({ ready, things: rows }, null, 2)}\n`);
    return ready ? 0 : 1;
  }
  const lines = [["thing", "needed for", "version", "from, or how to get it"]];
  for (const { thing, neededFor, version, from } of rows) lines.push([thing, neededFor, version, from]);
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines) {
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
    );
  }
  process.stdout.write(
    ready ? "\nnpm start has all that it needs\n" : "\nnpm start gets what is missing, where it can\n",
  );
  return ready ? 0 : 1;
}
