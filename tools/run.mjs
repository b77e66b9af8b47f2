// The entry behind the npm scripts: brings what the command needs, and no more, then runs it.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Failure } from "./failure.mjs";
import { root } from "./paths.mjs";
import { progress as onStderr } from "./progress.mjs";
import { atLeast } from "./version.mjs";

const OLDEST_NODE = "20.19";

const progress = onStderr();

const forStacks = ["engine", "language", "engine-docker", "registry", "base"];
const forTests = [...forStacks, "docker", "github", "edge"];

/** The folders of tests that need a Kubernetes cluster, which not every machine can have. */
const onCluster = ["kubernetes", "kubernetes-e2e"];

/** What is run by its name alone: the scenarios of e2e once more. */
const apart = "kubernetes-e2e";

/** What the tests of a folder stand on. The longest first, so that no core is without work at the end. */
const testGround = {
  "kubernetes-e2e": [...forStacks, "kubernetes", "pause", "cluster"],
  kubernetes: ["engine-docker", "registry", "base", "pause", "cluster"],
  e2e: [...forTests, "registry-program", "act"],
  integration: [...forTests, "registry-program", "linters", "actionlint", "act"],
  unit: [],
};

/** @type {Record<string, (args: string[]) => Promise<number>>} */
const commands = {
  async start(args) {
    await packagesAndBundles();
    const { onDocker } = await import("./story-docker.mjs");
    return story(onDocker, args);
  },

  async "start:kubernetes"(args) {
    const why = await noCluster();
    if (why) throw why;
    await packagesAndBundles();
    const { onKubernetes } = await import("./story-kubernetes.mjs");
    return story(onKubernetes, args);
  },

  async test(args) {
    const folders = Object.keys(testGround).filter((name) => existsSync(join(root, "tests", name)));
    const isFolder = (/** @type {string} */ arg) => Object.hasOwn(testGround, arg);
    const isFile = (/** @type {string} */ arg) => arg.startsWith("tests/");
    const chosen = args.filter(isFolder);
    const files = args.filter(isFile);
    const why = await noCluster();
    const run = chosen.length
      ? chosen
      : files.length
        ? []
        : folders.filter((name) => name !== apart && !(why && onCluster.includes(name)));
    if (why && !chosen.length && !files.length)
      progress.say(`what needs a cluster is left out: ${why.message}`);
    const needed = folders.filter(
      (name) => run.includes(name) || files.some((file) => file.startsWith(`tests/${name}/`)),
    );
    const needsCluster = needed.some((name) => onCluster.includes(name));
    let passed = 0;
    let failed = 1;
    /** @type {Awaited<ReturnType<typeof import("./cluster/shared.mjs").sharedCluster>> | undefined} */
    let shared;
    try {
      if (why && needsCluster) throw why;
      await packagesAndBundles();
      const { prepare } = await import("./ground.mjs");
      const names = needed.flatMap((name) => testGround[/** @type {keyof typeof testGround} */ (name)]);
      const { env } = await prepare(names, { progress });
      if (needsCluster) {
        const { sharedCluster, VARIABLE } = await import("./cluster/shared.mjs");
        shared = await sharedCluster(progress);
        env[VARIABLE] = shared.kubeconfig;
      }
      const rest = args.filter((arg) => !isFolder(arg) && !isFile(arg));
      const specs = [...run.map((name) => `tests/${name}/**/*.spec.ts`), ...files];
      // Most of the time a test of the whole waits for an engine or a registry: one more at a time than there are cores.
      // What a test that failed left open must not keep the run from ending.
      const jobs = ["--parallel", "--jobs", String(availableParallelism() + 1), "--exit"];
      ({ passed, failed } = await mocha([...jobs, ...rest, ...specs], env));
    } catch (error) {
      report(error);
    }
    await shared?.end();
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return failed ? 1 : 0;
  },

  async bench(args) {
    await packagesAndBundles();
    const { prepare } = await import("./ground.mjs");
    const { env } = await prepare(["engine"], { progress });
    return (await node([join(root, "bench", "main.mjs"), ...args], env)).code;
  },

  async cluster(args) {
    const { cluster } = await import("./cluster/command.mjs");
    return cluster(args, progress);
  },

  async image(args) {
    await packagesAndBundles();
    const { watcherImage } = await import("./watcher-image.mjs");
    return watcherImage(args, progress);
  },

  async doctor(args) {
    const { doctor } = await import("./doctor.mjs");
    return doctor({ json: args.includes("--json") });
  },

  async ground(args) {
    const { packagesReady, ensurePackages } = await import("./packages.mjs");
    if (!packagesReady()) await ensurePackages(progress);
    const { forStart, prepare } = await import("./ground.mjs");
    const names = args.length ? args : forStart;
    await prepare(names, { progress });
    progress.say(`ready: ${names.join(", ")}`);
    return 0;
  },
};

/**
 * @param {import("./story-engine.mjs").StoryEngine} engine
 * @param {string[]} args
 */
async function story(engine, args) {
  const { readArgs, start } = await import("./start.mjs");
  const { withGitHub } = readArgs(args);
  const { checkGitHub } = await import("./story-github.mjs");
  if (withGitHub) checkGitHub();
  const { prepare } = await import("./ground.mjs");
  const ground = await prepare([...engine.ground, ...(withGitHub ? ["github"] : [])], { progress });
  return start({ engine, ground, args });
}

/** Why there can be no cluster on this machine. */
async function noCluster() {
  const { obstacle } = await import("./cluster/machine.mjs");
  return obstacle();
}

async function packagesAndBundles() {
  const { ensurePackages } = await import("./packages.mjs");
  await ensurePackages(progress);
  const { build, stale } = await import("./build.mjs");
  if (stale()) await build();
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {(text: string) => void} [hear] told what goes to stdout
 * @returns {Promise<{ code: number }>}
 */
function node(args, env, hear) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ["inherit", hear ? "pipe" : "inherit", "inherit"],
  });
  child.stdout?.on("data", (chunk) => {
    process.stdout.write(chunk);
    hear?.(String(chunk));
  });
  // The terminal tells the child as well; this process stays to say how it ended.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1 }));
  });
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
async function mocha(args, env) {
  let tail = "";
  const color = process.stdout.isTTY ? ["--color"] : [];
  const binary = join(root, "node_modules", "mocha", "bin", "mocha.js");
  const { code } = await node([binary, ...color, ...args], env, (text) => {
    tail += text;
  });
  /** @param {string} word */
  const count = (word) =>
    Number([...tail.matchAll(new RegExp(`^\\W*(\\d+) ${word}`, "gm"))].at(-1)?.[1] ?? 0);
  const passed = count("passing");
  // A run that crashed, or in which no test ran, says so in its exit code or not at all.
  const failed = count("failing") || (code !== 0 || passed === 0 ? 1 : 0);
  return { passed, failed };
}

/** @param {unknown} error */
function report(error) {
  const text = error instanceof Failure ? error.message : error instanceof Error ? error.stack : error;
  process.stderr.write(`${text}\n`);
}

/** @param {string[]} args */
async function main([name = "", ...args]) {
  if (!atLeast(process.versions.node, OLDEST_NODE)) {
    throw new Failure(
      `this is Node.js ${process.versions.node}; it must be ${OLDEST_NODE} or newer`,
      "https://nodejs.org/",
    );
  }
  const command = commands[name];
  if (command) return command(args);
  throw new Failure(
    `there is no command "${name}"`,
    `node tools/run.mjs ${Object.keys(commands).join("|")} [arguments]`,
  );
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    report(error);
    process.exitCode = 1;
  },
);
