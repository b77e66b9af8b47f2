// The stacks of the story's environments: how they come, change and go.
import { existsSync } from "node:fs";
import { join } from "node:path";

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
 * As far as it goes: what is left is for whoever calls.
 * @param {Means} means
 * @param {string} stack
 */
export async function destroy({ processes, place, pulumi }, stack) {
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
