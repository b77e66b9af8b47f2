// The story's environment: how it comes, and how it goes so that nothing of it is left on the Docker engine.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./command.mjs";
import { reason } from "./failure.mjs";
import { stack } from "./story-folder.mjs";

/** The label by which the environment's components mark what is theirs. */
const LABEL = "dev.tagalong.environment";

/**
 * @typedef {object} Means
 * @property {import("./story-processes.mjs").Processes} processes
 * @property {import("./story-folder.mjs").Place} place
 * @property {string} pulumi
 */

/**
 * @param {Means} means
 * @param {AbortSignal} signal
 */
export async function up({ processes, place, pulumi }, signal) {
  const cwd = place.project;
  const init = ["stack", "init", stack, "--secrets-provider", "passphrase", "--non-interactive"];
  await processes.run("init", pulumi, init, { what: "pulumi stack init", cwd, signal, seconds: 60 });
  const args = ["up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive", "--color", "never"];
  await processes.run("up", pulumi, args, { what: `pulumi up of ${stack}`, cwd, signal, seconds: 240 });
  const output = ["stack", "output", "urls", "--stack", stack, "--json"];
  const urls = JSON.parse(
    await processes.run("output", pulumi, output, { what: "pulumi stack output", cwd, signal, seconds: 60 }),
  );
  return /** @type {Record<string, string>} */ (urls);
}

/**
 * Destroys the stack if there is one, then removes what a broken or interrupted one could not.
 * @param {Means} means
 * @returns {Promise<string[]>} what went wrong on the way and may be left
 */
export async function down({ processes, place, pulumi }) {
  /** @type {string[]} */
  const problems = [];
  const cwd = place.project;
  const state = join(dirname(cwd), "state", ".pulumi", "stacks", place.name, `${stack}.json`);
  if (existsSync(state) && existsSync(join(cwd, "Pulumi.yaml"))) {
    const call = (/** @type {string} */ name, /** @type {string[]} */ ...args) =>
      processes.run(name, pulumi, [...args, "--stack", stack, "--yes", "--non-interactive"], {
        what: `pulumi ${name}`,
        cwd,
        seconds: 90,
      });
    await call("cancel", "cancel").catch(() => {}); // there is mostly no lock to clear
    // Where it fails, the removal below does its work: the state goes too.
    await call("destroy", "destroy", "--skip-preview", "--color", "never").catch(() => {});
  }
  await sweep(processes.env, place.environment).catch((error) => problems.push(reason(error)));
  return problems;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} environment
 */
async function sweep(env, environment) {
  const filter = ["--filter", `label=${LABEL}=${environment}`, "--quiet"];
  /** @type {[string[], string[]][]} */
  const kinds = [
    [
      ["ps", "--all"],
      ["rm", "--force", "--volumes"],
    ],
    [
      ["network", "ls"],
      ["network", "rm"],
    ],
    [
      ["volume", "ls"],
      ["volume", "rm", "--force"],
    ],
  ];
  for (const [list, remove] of kinds) {
    const found = await lines(env, [...list, ...filter]);
    if (found.length > 0) await run("docker", [...remove, ...found], { env, seconds: 60 });
  }
}

/**
 * Takes the tags of the story's images off the engine; what they are made of stays in the build's cache.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder the images' folder in the registry
 */
export async function forgetImages(env, folder) {
  const images = await lines(env, ["image", "ls", "--filter", `reference=${folder}/*`, "--quiet"]);
  if (images.length > 0) {
    const unique = [...new Set(images)];
    await run("docker", ["image", "rm", "--force", ...unique], { env, seconds: 60 }).catch(() => {});
  }
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} args
 */
const lines = async (env, args) =>
  (await run("docker", args, { env, seconds: 60 })).split("\n").filter(Boolean);
