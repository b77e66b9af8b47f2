// The story's environments: how they come, and how they go so that nothing of them is left on the Docker engine.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.mjs";
import { reason } from "./failure.mjs";
import { stacks } from "./story-folder.mjs";

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
 * @param {string} stack
 * @param {AbortSignal} signal
 */
export async function create({ processes, place, pulumi }, stack, signal) {
  const args = ["stack", "init", stack, "--secrets-provider", "passphrase", "--non-interactive"];
  const what = `pulumi stack init ${stack}`;
  await processes.run(`init-${stack}`, pulumi, args, { what, cwd: place.project, signal, seconds: 60 });
}

/**
 * @param {Means} means
 * @param {string} stack
 * @param {AbortSignal} signal
 * @returns {Promise<Record<string, string>>} where the host reaches each service
 */
export async function up(means, stack, signal) {
  await update(means, stack, signal);
  const { processes, place, pulumi } = means;
  const args = ["stack", "output", "urls", "--stack", stack, "--json"];
  const options = { what: "pulumi stack output", cwd: place.project, signal, seconds: 60 };
  return JSON.parse(await processes.run(`output-${stack}`, pulumi, args, options));
}

/**
 * @param {Means} means
 * @param {string} stack
 * @param {AbortSignal} signal
 * @returns {Promise<string>} what it said
 */
export function update({ processes, place, pulumi }, stack, signal) {
  const args = ["up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive", "--color", "never"];
  const options = { what: `pulumi up of ${stack}`, cwd: place.project, signal, seconds: 240 };
  return processes.run(`up-${stack}`, pulumi, args, options);
}

/**
 * @param {Means} means
 * @param {string} stack
 * @param {AbortSignal} signal
 * @returns {Promise<string>} what it said
 */
export function preview({ processes, place, pulumi }, stack, signal) {
  const args = ["preview", "--stack", stack, "--non-interactive", "--color", "never"];
  const options = { what: `pulumi preview of ${stack}`, cwd: place.project, signal, seconds: 120 };
  return processes.run(`preview-${stack}`, pulumi, args, options);
}

/**
 * Destroys each stack that there is, then removes what a broken or interrupted one could not.
 * @param {Means} means
 * @returns {Promise<string[]>} what went wrong on the way and may be left
 */
export async function down(means) {
  /** @type {string[]} */
  const problems = [];
  await Promise.all(stacks.map((stack) => destroy(means, stack)));
  for (const environment of means.place.environments) {
    await sweep(means.processes.env, environment).catch((error) => problems.push(reason(error)));
  }
  return problems;
}

/**
 * @param {Means} means
 * @param {string} stack
 */
async function destroy({ processes, place, pulumi }, stack) {
  const cwd = place.project;
  const state = join(place.folder, "state", ".pulumi", "stacks", place.name, `${stack}.json`);
  if (!existsSync(state) || !existsSync(join(cwd, "Pulumi.yaml"))) return;
  const call = (/** @type {string} */ name, /** @type {string[]} */ ...args) =>
    processes.run(
      `${name}-${stack}`,
      pulumi,
      [name, ...args, "--stack", stack, "--yes", "--non-interactive"],
      {
        what: `pulumi ${name}`,
        cwd,
        seconds: 90,
      },
    );
  await call("cancel").catch(() => {}); // there is mostly no lock to clear
  // Where it fails, the caller's removal does its work: the state goes too.
  await call("destroy", "--skip-preview", "--color", "never").catch(() => {});
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
