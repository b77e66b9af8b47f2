// What watching costs while nothing moves: the watcher is left alone, and everything it asks and uses is counted.
import { setTimeout as sleep } from "node:timers/promises";
import { usage } from "./processes.mjs";

/**
 * @typedef {object} Checks
 * @property {number} observed looks at a tag that were counted
 * @property {number} requestsPerCheck to the registry and its token issuer
 * @property {number} connectionsPerCheck new ones
 * @property {number | null} cpuSecondsPer1000 of the watcher and all it started; null where the system does not tell
 * @property {number | null} megabytes resident at the end
 */

/**
 * @param {import("./rolls.mjs").Side} side
 * @param {number} seconds
 * @param {Pick<import("./rolls.mjs").Means, "front" | "signal">} means
 * @returns {Promise<Checks>}
 */
export async function countChecks(side, seconds, { front, signal }) {
  // From just before one round to just before another, so that no round is cut.
  const boundary = async () => {
    await front.nextLook(800, signal);
    await sleep(1_400, undefined, { signal });
    return { counts: front.counts(), usage: usage(side.pid) };
  };
  const before = await boundary();
  await sleep((seconds - 2) * 1_000, undefined, { signal });
  const after = await boundary();
  side.check();
  const observed = after.counts.looks - before.counts.looks;
  const per = (/** @type {"requests" | "connections"} */ key) =>
    round((after.counts[key] - before.counts[key]) / observed, 3);
  return {
    observed,
    requestsPerCheck: per("requests"),
    connectionsPerCheck: per("connections"),
    cpuSecondsPer1000:
      before.usage && after.usage
        ? round(((after.usage.cpuSeconds - before.usage.cpuSeconds) / observed) * 1_000, 2)
        : null,
    megabytes: after.usage ? Math.round(after.usage.megabytes) : null,
  };
}

/**
 * @param {number} value
 * @param {number} digits
 */
const round = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits;
