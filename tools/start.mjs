// `npm start` and its kin: the whole story on this machine, in a folder of .work, from the first push to a clean table. An
// earlier run that was interrupted at any moment is tidied up first.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { onPath } from "./command.mjs";
import { Failure, reason } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { root } from "./paths.mjs";
import { forgetImages } from "./story-docker.mjs";
import { clear, fill, place as placeOf, stack, storyEnv } from "./story-folder.mjs";
import { deploymentsOn, openGitHub } from "./story-github.mjs";
import { byHand, next } from "./story-next.mjs";
import { play } from "./story-play.mjs";
import { alive, Interrupted, Processes } from "./story-processes.mjs";
import { takeOver } from "./story-repository.mjs";
import { deploymentTable, teller } from "./story-text.mjs";

const OPTIONS = ["--keep", "--json", "--with-github"];

const programs = /** @type {const} */ ([
  ["docker", "https://docs.docker.com/engine/install/"],
  ["git", "https://git-scm.com/downloads"],
]);

/** @typedef {import("./story-text.mjs").Teller} Teller */
/** @typedef {import("./story-play.mjs").Story} Story */
/** @typedef {import("./ground.mjs").Ground} Ground */

/**
 * @param {object} options
 * @param {import("./story-engine.mjs").StoryEngine} options.engine
 * @param {Ground} options.ground
 * @param {readonly string[]} options.args
 * @returns {Promise<number>} the exit code
 */
export async function start({ engine, ground, args }) {
  const { keep, json, withGitHub } = readArgs(args);
  const { registry, base, engine: pulumi } = ground;
  if (!registry || !base || !pulumi) throw new Error("the story needs a whole ground");
  const tell = teller(json ? process.stderr : process.stdout);
  for (const [program, page] of programs) {
    if (!onPath(program, ground.env))
      throw new Failure(`there is no ${program} command`, `install it: ${page}`);
  }
  const place = placeOf(join(root, ".work", engine.folder));
  const env = { ...storyEnv(ground.env, place), ...engine.env(place) };
  const processes = new Processes({ folder: place.folder, env });
  const images = `${registry.address}/${place.name}`;
  const interruption = listen(tell);
  const { signal } = interruption;
  /** @type {Story} */
  const story = { engine, place, processes, tell, signal, images, base, pulumi };
  try {
    await takeFolder(story);
    try {
      if (signal.aborted) throw new Interrupted();
      await engine.ready(story);
      if (signal.aborted) throw new Interrupted();
      await fill(place, {
        registry: registry.address,
        configure: (document) => engine.configure(document, ground),
        port: (wanted) => engine.port(wanted, tell),
        withGitHub,
      });
      const github = withGitHub ? await openGitHub(story) : undefined;
      const access = github && (await takeOver(story, github.url));
      const played = await play(story);
      const githubDeployments = github && (await deploymentsOn(story, github));
      if (githubDeployments) tell.plain(`\n${deploymentTable(githubDeployments, tell.paint)}\n`);
      if (json) {
        const { rolls, refused, promoted } = played;
        const { promotions, refusedPromotions, rollbacks } = promoted;
        const told = { environment: stack, rolls, refused, promotions, refusedPromotions, rollbacks };
        process.stdout.write(`${JSON.stringify({ ...told, access, githubDeployments })}\n`);
      }
      if (keep && !signal.aborted) {
        for (const child of [played.watcher, github?.child]) child?.release();
        tell.plain(byHand(story, played, ground, github));
        return played.failed ? 1 : 0;
      }
      await cleanUp(story, registry.address);
      if (!signal.aborted) tell.plain(next(place.folder, engine.command));
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
  const has = (/** @type {string} */ option) => given.includes(option);
  return { keep: has("--keep"), json: has("--json"), withGitHub: has("--with-github") };
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
      "interrupted: ending what was started (Ctrl-C again leaves that to the next run)",
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
async function takeFolder(story) {
  const { engine, place, processes, tell, images } = story;
  mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  await withLock(join(root, ".work", "locks", engine.folder), async () => {
    const former = processes.record.read();
    if (former && alive(former.story)) {
      const { pid } = former.story;
      throw new Failure(
        `another ${engine.command} is at work in this folder (process ${pid})`,
        `wait until it ends, or end it: kill ${pid}`,
      );
    }
    if (former) tell.happened("tidying up after an earlier run");
    await processes.endLeftovers();
    rmSync(processes.logs, { recursive: true, force: true });
    const problems = await engine.down(story);
    if (problems.length > 0) {
      throw new Failure("what an earlier run left could not be removed", problems.join("\n"));
    }
    await forgetImages(processes.env, images);
    clear(place);
    processes.record.write();
  });
}

/**
 * @param {Story} story
 * @param {string} registry
 */
async function cleanUp(story, registry) {
  const { engine, place, processes, tell, images } = story;
  try {
    await processes.endAll();
    const problems = await engine.down(story);
    await forgetImages(processes.env, images);
    if (problems.length > 0) throw new Error(problems.join("\n"));
    clear(place);
    processes.record.clear();
    tell.happened(`cleaned up; ${engine.stays(registry)}`);
  } catch (error) {
    tell.happened(
      `not everything could be cleaned up, the next ${engine.command} tries again: ${reason(error)}`,
      "red",
    );
  }
}

/**
 * @param {unknown} error
 * @param {string} folder
 */
function diskFull(error, folder) {
  const { code, message } = error instanceof Error ? /** @type {NodeJS.ErrnoException} */ (error) : {};
  const full = code === "ENOSPC" || /no space left on device/i.test(message ?? "");
  return full && !(error instanceof Failure)
    ? new Failure("the disk is full", `make room on the disk of ${folder}, then run it again`)
    : error;
}
