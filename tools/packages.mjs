// The npm packages, as the lockfile has them: installed when they are missing, partly installed or of another version.
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { onPath, run } from "./command.mjs";
import { Failure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { cacheFolder, root } from "./paths.mjs";

/** @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }>} Packages */

/**
 * Whether node_modules holds what the lockfile says. npm writes its own record last, so an `npm ci` that was killed
 * left none.
 * @param {string} [folder]
 */
export function packagesReady(folder = root) {
  const modules = join(folder, "node_modules");
  // A linked node_modules belongs to another checkout, which looks after it.
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) return true;
  try {
    const wanted = packagesIn(join(folder, "package-lock.json"));
    const installed = packagesIn(join(modules, ".package-lock.json"));
    return Object.entries(wanted).every(
      ([path, { version, optional, devOptional }]) =>
        path === "" || optional || devOptional || installed[path]?.version === version,
    );
  } catch {
    return false;
  }
}

/**
 * @param {string} file
 * @returns {Packages}
 */
const packagesIn = (file) => JSON.parse(readFileSync(file, "utf8")).packages;

/** @param {import("./progress.mjs").Progress} progress */
export async function ensurePackages(progress) {
  if (packagesReady()) return;
  const npm = onPath("npm");
  if (!npm)
    throw new Failure("there is no npm beside this Node.js", "install Node.js with npm: https://nodejs.org/");
  /** @param {number} holder */
  const waiting = (holder) =>
    progress.say(`npm packages: process ${holder} is installing them; waiting for that`);
  await withLock(
    join(root, ".work", "locks", "packages"),
    async () => {
      if (packagesReady()) return;
      const log = join(cacheFolder(), "logs", "npm-ci.log");
      // Dev packages too, whatever the caller's NODE_ENV says: the engine's command is one of them.
      const args = ["ci", "--include=dev", "--include=optional"];
      await progress.step("npm packages: installing them", 30, () => run(npm, args, { cwd: root, log }));
    },
    waiting,
  );
}
