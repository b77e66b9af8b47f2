// `npm start`: the whole story on this machine, in .work/start, from the first push to a clean table. An earlier run that
// was interrupted at any moment is tidied up first.
import { mkdirSync, rmSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { onPath } from "./command.mjs";
import { Failure, reason } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { root } from "./paths.mjs";
import { clear, fill, freePort, place as placeOf, stack, storyEnv } from "./story-folder.mjs";
import { play } from "./story-play.mjs";
import { alive, Interrupted, Processes } from "./story-processes.mjs";
import { down, forgetImages } from "./story-stack.mjs";
import { teller } from "./story-text.mjs";

const OPTIONS = ["--keep", "--json"];

const programs = /** @type {const} */ ([
  ["docker", "https://docs.docker.com/engine/install/"],
  ["git", "https://git-scm.com/downloads"],
]);

/** @typedef {import("./story-text.mjs").Teller} Teller */
/** @typedef {import("./story-play.mjs").Story} Story */
/** @typedef {import("./story-play.mjs").Played} Played */
/** @typedef {import("./ground.mjs").Ground} Ground */

/**
 * @param {object} options
 * @param {Ground} options.ground
 * @param {readonly string[]} options.args
 * @returns {Promise<number>} the exit code
 */
export async function start({ ground, args }) {
  const { keep, json } = readArgs(args);
  const { registry, base, edge, engine: pulumi } = ground;
  if (!registry || !base || !edge || !pulumi) throw new Error("the story needs a whole ground");
  const tell = teller(json ? process.stderr : process.stdout);
  for (const [program, page] of programs) {
    if (!onPath(program, ground.env))
      throw new Failure(`there is no ${program} command`, `install it: ${page}`);
  }
  const place = placeOf();
  const processes = new Processes({ folder: place.folder, env: storyEnv(ground.env, place) });
  const images = `${registry.address}/${place.name}`;
  const interruption = listen(tell);
  const { signal } = interruption;
  /** @type {Story} */
  const story = { place, processes, tell, signal, images, base, pulumi };
  try {
    await takeFolder(story);
    try {
      if (signal.aborted) throw new Interrupted();
      await fill(place, { registry: registry.address, edge, port: (wanted) => portFor(wanted, tell) });
      const played = await play(story);
      if (json) {
        const { rolls, refused, promoted } = played;
        const { promotions, refusedPromotions, rollbacks } = promoted;
        const told = { environment: stack, rolls, refused, promotions, refusedPromotions, rollbacks };
        process.stdout.write(`${JSON.stringify(told)}\n`);
      }
      if (keep && !signal.aborted) {
        played.watcher.release();
        tell.plain(byHand(story, played, ground));
        return played.failed ? 1 : 0;
      }
      await cleanUp(story, registry.address);
      if (!signal.aborted) tell.plain(next(place.folder));
      if (played.failed) throw new Failure(`${played.failed} requests failed`, `the logs: ${processes.logs}`);
    } catch (error) {
      await cleanUp(story, registry.address);
      throw error;
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw diskFull(error, place.folder);
  } finally {
    interruption.end();
  }
  return interruption.exitCode();
}

/**
 * @param {readonly string[]} args
 * @throws Failure at an option that there is not
 */
export function readArgs(args) {
  const given = args.filter((arg) => arg !== "--");
  const unknown = given.find((arg) => !OPTIONS.includes(arg));
  if (unknown) throw new Failure(`npm start has no option ${unknown}`, `it has: ${OPTIONS.join(", ")}`);
  return { keep: given.includes("--keep"), json: given.includes("--json") };
}

/**
 * The first signal ends the story in good order. npm passes on a Ctrl-C that the terminal has sent already, so only one
 * that comes later means impatience.
 * @param {Teller} tell
 */
function listen(tell) {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  const controller = new AbortController();
  let first = 0;
  let code = 0;
  /** @param {NodeJS.Signals} name */
  const hear = (name) => {
    code ||= codes[/** @type {keyof typeof codes} */ (name)];
    if (first && Date.now() - first > 1000) process.exit(code);
    if (first) return;
    first = Date.now();
    tell.happened(
      "interrupted: ending what was started (Ctrl-C again leaves that to the next npm start)",
      "yellow",
    );
    controller.abort();
  };
  for (const name of Object.keys(codes)) process.on(name, hear);
  return {
    signal: controller.signal,
    exitCode: () => code,
    end: () => {
      for (const name of Object.keys(codes)) process.off(name, hear);
    },
  };
}

/**
 * Takes the folder for this run, and ends what an earlier one left in it.
 * @param {Story} story
 */
async function takeFolder({ place, processes, tell, pulumi, images }) {
  mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  await withLock(join(root, ".work", "locks", "start"), async () => {
    const former = processes.record.read();
    if (former && alive(former.story)) {
      const { pid } = former.story;
      throw new Failure(
        `another npm start is at work in this folder (process ${pid})`,
        `wait until it ends, or end it: kill ${pid}`,
      );
    }
    if (former) tell.happened("tidying up after an earlier run");
    await processes.endLeftovers();
    rmSync(processes.logs, { recursive: true, force: true });
    const problems = await down({ processes, place, pulumi });
    if (problems.length > 0) {
      throw new Failure(
        "what an earlier run left on the Docker engine could not be removed",
        problems.join("\n"),
      );
    }
    await forgetImages(processes.env, images);
    clear(place);
    processes.record.write();
  });
}

/**
 * @param {number} wanted
 * @param {Teller} tell
 */
async function portFor(wanted, tell) {
  const port = await freePort(wanted);
  if (port !== wanted)
    tell.happened(`port ${wanted} is taken on this machine: the shop gets ${port}`, "yellow");
  return port;
}

/**
 * @param {Story} story
 * @param {string} registry
 */
async function cleanUp({ place, processes, tell, pulumi, images }, registry) {
  try {
    await processes.endAll();
    const problems = await down({ processes, place, pulumi });
    await forgetImages(processes.env, images);
    if (problems.length > 0) throw new Error(problems.join("\n"));
    clear(place);
    processes.record.clear();
    tell.happened(`cleaned up; the Docker engine and the registry on ${registry} stay`);
  } catch (error) {
    tell.happened(
      `not everything could be cleaned up, the next npm start tries again: ${reason(error)}`,
      "red",
    );
  }
}

/** @param {string} folder */
const next = (folder) =>
  [
    "",
    "Next: npm start -- --keep        the same, and it stays up for you to push images of your own",
    "      README.md                  your first environment; docs/configuration.md has every key",
    `      ${relative(process.cwd(), join(folder, "logs")).padEnd(25)}  all that was said, the watcher's decisions in watch.out`,
  ].join("\n");

/**
 * A text as a shell takes it for one word.
 * @param {string} text
 */
const word = (text) => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/**
 * @param {Story} story
 * @param {Played} played
 * @param {Ground} ground
 */
function byHand({ place, processes, images, base }, { urls, watcher }, { engine = "", env }) {
  const path = onPath("pulumi") === engine ? [] : [`export PATH=${word(dirname(engine))}${delimiter}"$PATH"`];
  const host = env.DOCKER_HOST === process.env.DOCKER_HOST ? [] : [`export DOCKER_HOST=${env.DOCKER_HOST}`];
  const project = `--stack ${stack} --cwd ${word(place.project)}`;
  return [
    "",
    `It stays up: ${Object.values(urls).join(", ")}, and the watcher (process ${watcher.pid}) follows the tag. By hand, from here:`,
    "",
    ...Object.entries(place.settings).map(([name, value]) => `  export ${name}=${word(value)}`),
    ...[...path, ...host].map((line) => `  ${line}`),
    "",
    "  # a new image, after a change of your own in the shop",
    `  cd ${word(place.shop)} && git commit -am "my change"`,
    `  ./docker-build.sh --registry ${images} --base ${base} --tag ${stack} --version 1.3.0 --push`,
    "  # what the watcher decides",
    `  tail -f ${word(processes.path("watch", "out"))}`,
    "  # what is deployed",
    `  npx --prefix ${word(root)} tagalong status --cwd ${word(place.project)}`,
    "  # promote it to Test",
    `  npx --prefix ${word(root)} tagalong promote test --from dev --cwd ${word(place.project)}`,
    `  pulumi up --stack test --cwd ${word(place.project)}`,
    "  # the end",
    `  kill ${watcher.pid} && pulumi destroy --yes ${project}`,
    "",
    "The next npm start ends it too.",
  ].join("\n");
}

/**
 * @param {unknown} error
 * @param {string} folder
 */
function diskFull(error, folder) {
  const { code, message } = error instanceof Error ? /** @type {NodeJS.ErrnoException} */ (error) : {};
  const full = code === "ENOSPC" || /no space left on device/i.test(message ?? "");
  return full && !(error instanceof Failure)
    ? new Failure("the disk is full", `make room on the disk of ${folder}, then run npm start again`)
    : error;
}
