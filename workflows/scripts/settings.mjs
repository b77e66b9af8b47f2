// settings.json: what the workflows were rendered with.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf, Stop } from "./words.mjs";

/**
 * @typedef {object} Image
 * @property {string} repository
 * @property {string} context
 * @property {string} dockerfile
 * @property {string[]} paths Git's patterns; "!" before what does not count
 * @property {number | null} budget compressed bytes
 * @property {{ platform: string, runner: string }[]} platforms
 */

/**
 * @typedef {object} Settings
 * @property {string} branch
 * @property {Record<string, Image>} images
 * @property {string | null} tag what a build of the default branch moves, besides `latest`
 * @property {string[]} environments
 * @property {string} project
 */

export const machinery = ".github/tagalong";

/** @param {string} folder @returns {Settings} */
export function settings(folder) {
  const file = join(folder, machinery, "settings.json");
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Stop(
      `${file} cannot be read: ${reasonOf(error)}`,
      "check the repository out first, or render the workflows anew",
    );
  }
}
