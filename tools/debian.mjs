// Debian's packages: installed where root allows it, or only unpacked, which needs no root and starts no service.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { onPath, run } from "./command.mjs";
import { cacheFolder } from "./paths.mjs";

export const isRoot = () => process.getuid?.() === 0;

export const isDebian = () => existsSync("/etc/debian_version") && onPath("apt-get") !== undefined;

const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };

const log = () => join(cacheFolder(), "logs", "apt.log");

const update = () => run("apt-get", ["update"], { env: environment, log: log(), seconds: 300 });

/** @param {string} name */
export async function aptInstall(name) {
  await update();
  const args = ["-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", "install", name];
  await run("apt-get", args, { env: environment, log: log(), seconds: 600 });
}

/**
 * A file out of a package, without installing it: the package might start a service or replace another.
 * @param {string} name the package
 * @param {string} file the file's path in it
 * @returns {Promise<string>} where it is now
 */
export async function unpacked(name, file) {
  const folder = join(cacheFolder(), "debian", name);
  const wanted = join(folder, file);
  if (existsSync(wanted)) return wanted;
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}-`);
  try {
    const download = () =>
      run("apt-get", ["download", name], { cwd: draft, env: environment, log: log(), seconds: 120 });
    await download().catch(async (error) => {
      if (!isRoot()) throw error;
      await update();
      await download();
    });
    const archive = readdirSync(draft).find((entry) => entry.endsWith(".deb")) ?? "";
    await run("dpkg-deb", ["-x", archive, "."], { cwd: draft });
    rmSync(join(draft, archive));
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
    return wanted;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
