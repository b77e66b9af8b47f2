// Programs built from Go modules that the project pins, kept in the user's cache, where a second run finds them.
//
// A cached program is whole or absent: it is built under a temporary name and renamed. Its folder's name changes with
// everything that it is made of. A build that was killed resumes, because Go keeps what it compiled.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { executable, onPath, run } from "./command.mjs";
import { Failure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { cacheFolder, root } from "./paths.mjs";
import { atLeast, versionIn } from "./version.mjs";

/**
 * @typedef {object} Program
 * @property {string} name also the folder in tools/go
 * @property {string} title
 * @property {string} version
 * @property {string} binary
 * @property {string} target the Go package
 * @property {number} usually seconds from nothing, on two cores
 * @property {number} gigabytes the free space that a build from nothing takes
 * @property {string | readonly string[]} [set] Go variables that take the version, as `path=value`
 * @property {{ module: string, folder: string, files: readonly string[] }} [embeds] files of a module that main embeds
 */

/** Without C, so that what is built runs in any image too, whichever C library that has. */
const recipe = { CGO_ENABLED: "0" };

/** @typedef {(program: Program, output: string) => Promise<void>} Compile */

// Any Go that can fetch the toolchain which the modules name.
const OLDEST_GO = "1.21";

export const goFix = "install Go 1.26 or newer, and put it on PATH: https://go.dev/dl/";

/** @returns {Promise<{ path: string, version: string } | undefined>} */
export async function findGo() {
  const path = onPath("go");
  const version = path && versionIn(await run(path, ["version"], { cwd: root }).catch(() => ""));
  return path && version && atLeast(version, OLDEST_GO) ? { path, version } : undefined;
}

/** @param {Program} program */
const modules = (program) => join(root, "tools", "go", program.name);

/** @param {string} folder */
function sources(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\.go$|go\.(mod|sum)$/.test(name)).sort();
}

/**
 * What the program is made of, in one word: another version, recipe or platform is another word.
 * @param {Program} program
 */
export function fingerprint(program) {
  const hash = createHash("sha256").update(JSON.stringify([program, recipe]));
  const folder = modules(program);
  for (const name of sources(folder)) hash.update(`\n${name}\n`).update(readFileSync(join(folder, name)));
  return `${program.version}-${process.platform}-${process.arch}-${hash.digest("hex").slice(0, 12)}`;
}

/**
 * Where the built program is or would be.
 * @param {Program} program
 */
export const builtPath = (program) =>
  join(cacheFolder(), "built", `${program.name}-${fingerprint(program)}`, program.binary);

/**
 * @param {Program} program
 * @param {import("./progress.mjs").Progress} progress
 * @param {Compile} [compile]
 * @returns {Promise<string>} the built program's path
 */
export async function built(program, progress, compile = compileWithGo) {
  const path = builtPath(program);
  if (executable(path)) return path;
  /** @param {number} holder */
  const waiting = (holder) =>
    progress.say(`${program.title}: process ${holder} is building it; waiting for that`);
  const lock = join(cacheFolder(), "locks", `build-${program.name}`);
  await withLock(
    lock,
    async () => {
      if (executable(path)) return;
      mkdirSync(dirname(path), { recursive: true });
      const draft = `${path}.draft`;
      rmSync(draft, { force: true });
      const what = `${program.title} ${program.version}: building it from Go modules`;
      await progress.step(what, program.usually, () => compile(program, draft));
      renameSync(draft, path);
    },
    waiting,
  );
  return path;
}

/** @type {Compile} */
async function compileWithGo(program, output) {
  const go = await findGo();
  if (!go) {
    const way =
      program.name === "engine" ? ["or get the vendor's engine: https://www.pulumi.com/docs/install/"] : [];
    throw new Failure(
      `${program.title} ${program.version} must be built here, and there is no Go ${OLDEST_GO} or newer`,
      [goFix, ...way].join("\n"),
    );
  }
  const flags = "-mod=readonly -buildvcs=false";
  const env = {
    ...process.env,
    GOFLAGS: flags,
    GOWORK: "off",
    ...recipe,
  };
  const options = { env, cwd: modules(program), log: join(cacheFolder(), "logs", `${program.name}.log`) };
  const caches = (await run(go.path, ["env", "GOCACHE", "GOMODCACHE"], options)).trim().split("\n");
  for (const folder of [cacheFolder(), ...caches]) needSpace(folder, program);
  const linker = ["-s", "-w", ...[program.set ?? []].flat().flatMap((each) => ["-X", each])].join(" ");
  const overlay = program.embeds ? ["-overlay", await overlayFile(go.path, program.embeds, options)] : [];
  await run(
    go.path,
    ["build", "-trimpath", "-ldflags", linker, ...overlay, "-o", output, program.target],
    options,
  );
}

/**
 * @param {string} folder
 * @param {Program} program
 */
function needSpace(folder, program) {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  const free = (bavail * bsize) / 1e9;
  if (free >= program.gigabytes) return;
  throw new Failure(
    `building ${program.title} takes up to ${program.gigabytes} GB, and ${existing} has ${free.toFixed(1)} GB free`,
    "free some space (go clean -cache; docker system prune), or set TAGALONG_CACHE, GOCACHE and GOMODCACHE elsewhere",
  );
}

/**
 * Lays files of a module beside main for the compiler's eyes only: they are megabytes, and not the project's own.
 * @param {string} go
 * @param {NonNullable<Program["embeds"]>} embeds
 * @param {import("./command.mjs").RunOptions & { cwd: string }} options
 */
async function overlayFile(go, { module, folder, files }, options) {
  await run(go, ["mod", "download", module], options);
  const from = (await run(go, ["list", "-m", "-f", "{{.Dir}}", module], options)).trim();
  const pairs = files.map((file) => [join(options.cwd, file), join(from, folder, file)]);
  const path = join(cacheFolder(), "built", `${module.replaceAll("/", "-")}.json`);
  writeFileSync(path, JSON.stringify({ Replace: Object.fromEntries(pairs) }));
  return path;
}
