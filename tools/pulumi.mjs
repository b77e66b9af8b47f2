// The engine, its language host and its providers, in the engine's own home, where `npx pulumi` finds them without
// any setting: those that are there, else the vendor's download, else a build from Go modules.
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { executable, onPath, run } from "./command.mjs";
import { reason } from "./failure.mjs";
import { built, fingerprint } from "./go-build.mjs";
import { withLock } from "./lock.mjs";
import { cacheFolder, pulumiHome, root } from "./paths.mjs";
import * as programs from "./programs.mjs";
import { outOfReach, PULUMI_DOWNLOADS } from "./vendor.mjs";
import { atLeast, versionIn } from "./version.mjs";

/** @typedef {import("./go-build.mjs").Program} Program */
/** @typedef {{ path: string, version: string, from: string }} Found */

const QUIET = { PULUMI_SKIP_UPDATE_CHECK: "true" };

// The npm package `pulumi`, whose command is `npx pulumi`: it downloads its engine at the first use.
const wrapper = join(root, "node_modules", "pulumi", "run.js");

/**
 * The folder in which the engine looks for the program first.
 * @param {Program} program
 * @param {string} [home] the engine's home
 */
export function placeOf(program, home = pulumiHome()) {
  const { engine, language } = programs;
  if (program === engine || program === language) return join(home, "versions", engine.version, "bin");
  return join(home, "plugins", `resource-${program.name}-v${program.version}`);
}

/**
 * Beside a program that was built here, what it was built from; a download has no such file.
 * @param {string} path
 */
const markOf = (path) => `${path}.built`;

/**
 * @param {Program} program
 * @returns {Promise<Found | undefined>}
 */
export async function find(program) {
  const path = join(placeOf(program), program.binary);
  // The engine leaves this file beside a plugin whose download did not finish.
  if (executable(path) && !existsSync(`${placeOf(program)}.partial`)) {
    if (!existsSync(markOf(path))) return { path, version: program.version, from: "the vendor's download" };
    if (readFileSync(markOf(path), "utf8") === fingerprint(program)) {
      return { path, version: program.version, from: "built from Go modules" };
    }
  }
  if (program === programs.engine) return engineOnPath();
  if (program === programs.language) {
    const engine = await find(programs.engine);
    const beside = engine && join(dirname(engine.path), program.binary);
    if (beside && beside !== path && executable(beside))
      return { path: beside, version: engine.version, from: "beside the engine" };
  }
  return undefined;
}

/** @returns {Promise<Found | undefined>} */
async function engineOnPath() {
  const path = onPath("pulumi");
  const said = path && (await run(path, ["version"], { env: { ...process.env, ...QUIET } }).catch(() => ""));
  const version = said && versionIn(said);
  return path && version && atLeast(version, programs.engine.version)
    ? { path, version, from: "PATH" }
    : undefined;
}

/**
 * @param {Program} program
 * @param {import("./progress.mjs").Progress} progress
 * @returns {Promise<Found>}
 */
export async function ready(program, progress) {
  const found = await find(program);
  if (found) return found;
  const lock = join(cacheFolder(), "locks", `ready-${program.name}`);
  /** @param {number} holder */
  const waiting = (holder) =>
    progress.say(`${program.title}: process ${holder} is getting it; waiting for that`);
  return withLock(
    lock,
    async () => {
      const meanwhile = (await find(program)) ?? (await download(program, progress));
      if (meanwhile) return meanwhile;
      const source = await built(program, progress);
      const path = join(placeOf(program), program.binary);
      place(source, path, fingerprint(program));
      return { path, version: program.version, from: "built from Go modules" };
    },
    waiting,
  );
}

/**
 * @param {Program} program
 * @param {import("./progress.mjs").Progress} progress
 */
async function download(program, progress) {
  const unreachable = await outOfReach(PULUMI_DOWNLOADS);
  if (unreachable) {
    progress.say(`${program.title}: no download, ${unreachable}`);
    return undefined;
  }
  if (!existsSync(wrapper)) return undefined;
  const plugin = ["plugin", "install", "resource", program.name, `v${program.version}`];
  const isCore = program === programs.engine || program === programs.language;
  const log = join(cacheFolder(), "logs", `${program.name}-download.log`);
  const options = { env: { ...process.env, ...QUIET }, log, seconds: 900 };
  try {
    const what = `${program.title} ${program.version}: downloading it`;
    await progress.step(what, 30, () =>
      run(process.execPath, [wrapper, ...(isCore ? ["version"] : plugin)], options),
    );
  } catch (error) {
    progress.say(`${program.title}: the download failed, so it is built instead\n  ${reason(error)}`);
  }
  return find(program);
}

/**
 * Puts a built program where the engine looks, in one step; a copy where a hard link cannot reach.
 * @param {string} source
 * @param {string} path
 * @param {string} mark
 */
export function place(source, path, mark) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  try {
    linkSync(source, draft);
  } catch {
    copyFileSync(source, draft);
  }
  // In this order no kill leaves a program beside another's mark.
  rmSync(path, { force: true });
  writeFileSync(markOf(path), mark);
  renameSync(draft, path);
  // A leftover of a download that did not finish would make the engine fetch the plugin again.
  rmSync(`${dirname(path)}.partial`, { force: true });
}
