// One case on one side: push at a chosen phase of the poll, under traffic, and see when the new version serves.
import { setTimeout as sleep } from "node:timers/promises";
import { now, startTraffic } from "../tools/traffic.mjs";
import { afterMs, beforeMs, intervalSeconds, tag } from "./cases.mjs";

/**
 * @typedef {object} Means what both sides are given
 * @property {string} folder of the run, removed at its end
 * @property {NodeJS.ProcessEnv} env
 * @property {string} edge name of the edge's image
 * @property {string} certificate file of the registry's certificate
 * @property {import("./front.mjs").Front} front
 * @property {AbortSignal} signal
 * @property {(close: () => Promise<void>) => void} onClose what to undo at the end, last first
 */

/**
 * @typedef {object} Side
 * @property {"tagalong" | "peer"} name
 * @property {readonly string[]} repositories one a service
 * @property {readonly string[]} urls one a service, on loopback
 * @property {readonly string[]} marks names of what `marksOf` knows, in order
 * @property {number} pid of the watcher
 * @property {() => void} check throws if the watcher is gone
 * @property {(version: string) => Promise<void>} settled waits until the roll is over and the next may come
 * @property {(roll: {pushedAt: number, servingAt: number, version: string}) => import("./statistics.mjs").Marks} marksOf
 * @property {() => Promise<void>} stop
 */

/**
 * @typedef {object} Roll
 * @property {number} ms push finished → the last service answers with the new version
 * @property {number} from when the push was finished
 * @property {number} requests from the beginning of the traffic to 6 s after the new version serves
 * @property {number} failed
 * @property {import("./statistics.mjs").Marks} marks
 */

const longestMs = 150_000;

/**
 * @param {Side} side
 * @param {import("./cases.mjs").Case} what
 * @param {import("./images.mjs").Images} images
 * @param {import("./images.mjs").Version} version
 * @param {number} phase share of the poll's interval between a look and the push
 * @param {Pick<Means, "front" | "signal">} means
 * @returns {Promise<Roll>}
 */
export async function roll(side, what, images, version, phase, { front, signal }) {
  const traffic = side.urls.map((url) =>
    startTraffic({ url, rate: what.rate, kinds: what.kinds, maxSeconds: 240, timeoutMs: 10_000 }),
  );
  try {
    await sleep(beforeMs, undefined, { signal });
    await front.nextLook(800, signal);
    await sleep(phase * intervalSeconds * 1_000, undefined, { signal });
    await images.tag(side.repositories, tag, version);
    const pushedAt = now();
    const servingAt = await serving(traffic, version.version, side, pushedAt, signal);
    await sleep(afterMs, undefined, { signal });
    const reports = await Promise.all(traffic.map((one) => one.stop()));
    await side.settled(version.version);
    const sum = (/** @type {"requests" | "failed"} */ key) => reports.reduce((all, one) => all + one[key], 0);
    return {
      ms: servingAt - pushedAt,
      from: pushedAt,
      requests: sum("requests"),
      failed: sum("failed"),
      marks: side.marksOf({ pushedAt, servingAt, version: version.version }),
    };
  } finally {
    await Promise.all(traffic.map((one) => one.stop()));
  }
}

/**
 * When the last service gave its first answer of the version.
 * @param {readonly import("../tools/traffic.mjs").Traffic[]} traffic
 * @param {string} version
 * @param {Side} side
 * @param {number} pushedAt
 * @param {AbortSignal} signal
 */
async function serving(traffic, version, side, pushedAt, signal) {
  for (;;) {
    const firsts = traffic.map(
      (one) => one.snapshot().versions.find((seen) => seen.version === version)?.firstAt,
    );
    const known = firsts.filter((at) => at !== undefined);
    if (known.length === firsts.length) return Math.max(...known);
    side.check();
    if (now() - pushedAt > longestMs) {
      throw new Error(
        `${side.name}: ${firsts.length - known.length} of ${firsts.length} services do not serve ${version} after ${longestMs / 1000} s`,
      );
    }
    await sleep(50, undefined, { signal });
  }
}
