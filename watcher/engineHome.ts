// A home for Pulumi's engine in which it keeps no log of its own. It would write down each step of each update, with all
// properties, compressed and encrypted one by one: most of the CPU time that it takes to update many services, for
// files that nobody reads. No setting turns that off, but it does without where the log's folder cannot be made.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stateFolder } from "./lease";

/**
 * @param home of the user's engine, whose plugins and logins are used
 * @param folder where the other one is made
 * @returns what the engine must have in its environment; nothing where no home can be made, and all works as before
 */
export function quietHome(home: string, folder = stateFolder()): Record<string, string> {
  const key = createHash("sha256").update(home).digest("hex").slice(0, 8);
  const quiet = join(folder, `engine-${key}`);
  const plugins = join(home, "plugins");
  try {
    for (const one of [quiet, plugins])
      if (!existsSync(one)) mkdirSync(one, { recursive: true, mode: 0o700 });
    unlessThere(join(quiet, "plugins"), (path) => symlinkSync(plugins, path));
    unlessThere(join(quiet, "logs"), (path) => writeFileSync(path, "", { flag: "wx" }));
  } catch {
    return {};
  }
  return {
    PULUMI_HOME: quiet,
    PULUMI_CREDENTIALS_PATH: process.env["PULUMI_CREDENTIALS_PATH"] || home,
  };
}

/** Another watcher may make it at the same time. */
function unlessThere(path: string, make: (path: string) => void): void {
  try {
    make(path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}
