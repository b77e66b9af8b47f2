// What is measured: how many services, under which traffic, and on which ports of the loopback.

export const intervalSeconds = 2;
/** How long the traffic goes on after the new version serves: the old one finishes its requests meanwhile. */
export const afterMs = 6_000;
/** How long the traffic runs before the push. */
export const beforeMs = 1_000;

/** The stack of the bench, and the tag that both sides follow. */
export const tag = "bench";
export const project = "bench-tagalong";

export const ports = { front: 18100, registry: 18101, tagalong: 18110, peer: 18150 };

/**
 * @typedef {object} Case
 * @property {number} services
 * @property {string} traffic
 * @property {number} rate requests a second, to each service
 * @property {readonly import("../tools/traffic.mjs").Kind[]} kinds
 * @property {string} says
 */

const quick = /** @type {const} */ (["keepalive-get", "keepalive-post", "new-connection"]);

/** @type {Record<string, Case>} */
export const cases = {
  light: { services: 1, traffic: "light", rate: 60, kinds: quick, says: "60 requests/s, all quick" },
  busy: {
    services: 1,
    traffic: "busy",
    rate: 160,
    kinds: [...quick, ...quick, "keepalive-get", "slow"],
    says: "160 requests/s, 20 of them take 2 s each",
  },
  twenty: { services: 20, traffic: "light", rate: 5, kinds: quick, says: "5 requests/s to each service" },
};

/** How long the watchers are left alone while their checks are counted, and how many services they watch. */
export const checks = { services: 20, seconds: 60 };

/**
 * @param {"tagalong" | "peer"} side
 * @param {number} services
 */
export const repositories = (side, services) =>
  Array.from({ length: services }, (_, index) => `bench/${side}-${String(index + 1).padStart(2, "0")}`);
