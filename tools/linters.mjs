// Programs that PyPI has and Go modules have not, in an environment of their own within the cache: pinned by version and
// hash, made once, whole or absent.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onPath, run } from "./command.mjs";
import { Failure, reason } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { cacheFolder, root } from "./paths.mjs";

const requirements = join(root, "tools", "linters.txt");

export const pythonFix = "install Python 3.9 or newer with venv (Debian: apt-get install python3-venv)";

/** Where the programs are or would be; what is required decides the name, so that an edit makes a new folder. */
function folder() {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  return join(cacheFolder(), "built", `linters-${process.platform}-${process.arch}-${hash}`);
}

/** Written last: a folder without it is half of one. @param {string} at */
const mark = (at) => join(at, "complete");

/** @returns {string | undefined} the folder of the programs, where they are there already */
export const lintersFound = () => (existsSync(mark(folder())) ? join(folder(), "bin") : undefined);

/**
 * @param {import("./progress.mjs").Progress} progress
 * @param {string | undefined} [python]
 * @returns {Promise<string>} the folder of the programs
 */
export async function linters(progress, python = onPath("python3")) {
  const found = lintersFound();
  if (found) return found;
  if (!python) throw new Failure("the linters come from PyPI, and there is no Python 3 here", pythonFix);
  const at = folder();
  await withLock(join(cacheFolder(), "locks", "linters"), async () => {
    if (lintersFound()) return;
    await progress.step("Linters: getting them from PyPI", 20, async () => {
      rmSync(at, { recursive: true, force: true });
      mkdirSync(join(at, ".."), { recursive: true });
      const log = join(cacheFolder(), "logs", "linters.log");
      await run(python, ["-m", "venv", at], { log, seconds: 120 }).catch((error) => {
        throw new Failure(`Python makes no environment: ${reason(error)}`, pythonFix);
      });
      const hashed = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", requirements];
      await run(join(at, "bin", "pip"), ["install", "--disable-pip-version-check", ...hashed], {
        log,
        seconds: 600,
      });
      writeFileSync(mark(at), "");
    });
  });
  return join(at, "bin");
}
