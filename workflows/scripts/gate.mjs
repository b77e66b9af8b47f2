// The one check that the default branch requires: it says no where a job failed or was cancelled, and takes a skipped one,
// which had nothing to do, for well.
import { needed, Stop } from "./words.mjs";

/**
 * @param {Record<string, { result: string }>} jobs
 * @returns {string[]} what stands in the way; none where all is well
 */
export const objections = (jobs) =>
  Object.entries(jobs)
    .filter(([, { result }]) => result !== "success" && result !== "skipped")
    .map(([name, { result }]) => `${name}: ${result}`);

/** @param {import("./run.mjs").Run} run */
export function gate({ env, say }) {
  const jobs = JSON.parse(needed(env, "NEEDS"));
  const found = objections(jobs);
  if (found.length > 0)
    throw new Stop(`not everything is well: ${found.join(", ")}`, "the log of that job has the reason");
  say(
    `All is well: ${Object.entries(jobs)
      .map(([name, { result }]) => `${name} ${result}`)
      .join(", ")}`,
  );
}
