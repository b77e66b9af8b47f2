// What a run found, as the JSON document and as the tables that a person reads. No input or output.
import { kubernetesTables } from "./kubernetes/report.mjs";
import { breakdown, median } from "./statistics.mjs";

/** @typedef {{marks: readonly string[], rolls: readonly import("./rolls.mjs").Roll[]}} Rolled */

/**
 * @typedef {object} Row one case, both sides
 * @property {string} case
 * @property {number} services
 * @property {string} traffic
 * @property {number} tagalongMs push finished → new version serving on all services, median
 * @property {number} tagalongWorstMs
 * @property {number} peerMs
 * @property {number} peerWorstMs
 * @property {number} ratio tagalongMs / peerMs: below 1, Tagalong is faster
 * @property {number} failed requests, all rolls
 * @property {number} requests
 * @property {number} peerFailed
 * @property {number} peerRequests
 * @property {number[]} tagalongAllMs each roll, in order
 * @property {number[]} peerAllMs
 * @property {{tagalong: import("./statistics.mjs").PhaseTime[], peer: import("./statistics.mjs").PhaseTime[]}} phases
 * @property {number} loadAverage of the machine over the last minute, when the case began
 */

/** @typedef {{tagalong: import("./checks.mjs").Checks, peer: import("./checks.mjs").Checks}} BothChecks */

/**
 * @typedef {object} Document
 * @property {Row[]} rolls
 * @property {BothChecks | null} checks
 * @property {import("./kubernetes/report.mjs").Row[]} kubernetes
 * @property {Record<string, string | number>} machine
 * @property {string[]} notes
 */

/**
 * @param {string} name
 * @param {import("./cases.mjs").Case} what
 * @param {number} loadAverage
 * @param {{tagalong: Rolled, peer: Rolled}} sides
 * @returns {Row}
 */
export function row(name, { services, traffic }, loadAverage, { tagalong, peer }) {
  const times = (/** @type {Rolled} */ { rolls }) => rolls.map(({ ms }) => Math.round(ms));
  const sum = (/** @type {Rolled} */ { rolls }, /** @type {"failed" | "requests"} */ key) =>
    rolls.reduce((all, one) => all + one[key], 0);
  const middle = (/** @type {Rolled} */ side) => Math.round(median(times(side)) ?? 0);
  const phases = (/** @type {Rolled} */ { marks, rolls }) => breakdown(marks, rolls);
  return {
    case: name,
    services,
    traffic,
    tagalongMs: middle(tagalong),
    tagalongWorstMs: Math.max(...times(tagalong)),
    peerMs: middle(peer),
    peerWorstMs: Math.max(...times(peer)),
    ratio: Math.round((middle(tagalong) / middle(peer)) * 100) / 100,
    failed: sum(tagalong, "failed"),
    requests: sum(tagalong, "requests"),
    peerFailed: sum(peer, "failed"),
    peerRequests: sum(peer, "requests"),
    tagalongAllMs: times(tagalong),
    peerAllMs: times(peer),
    phases: { tagalong: phases(tagalong), peer: phases(peer) },
    loadAverage,
  };
}

/**
 * @param {Document} document
 * @returns {string}
 */
export function tables({ rolls, checks, kubernetes, machine, notes }) {
  /** @type {string[]} */
  const parts = [];
  if (rolls.length > 0) {
    parts.push(
      "Push finished → new version serving, and what users saw",
      table(
        [
          "services",
          "traffic",
          "Tagalong median / worst",
          "failed",
          "Watchtower median / worst",
          "failed",
          "ratio",
        ],
        rolls.map((one) => [
          String(one.services),
          one.traffic,
          `${one.tagalongMs} / ${one.tagalongWorstMs} ms`,
          `${one.failed} of ${one.requests}`,
          `${one.peerMs} / ${one.peerWorstMs} ms`,
          `${one.peerFailed} of ${one.peerRequests}`,
          String(one.ratio),
        ]),
      ),
    );
  }
  for (const one of rolls) {
    for (const side of /** @type {const} */ (["tagalong", "peer"])) {
      const who = side === "peer" ? "Watchtower" : "Tagalong";
      parts.push(
        `Where the time goes: ${one.case}, ${who} (medians)`,
        table(
          ["until", "took", "since the push"],
          one.phases[side].map(({ phase, atMs, tookMs }) => [phase, `${tookMs} ms`, `${atMs} ms`]),
        ),
      );
    }
  }
  if (checks) {
    const line = (/** @type {string} */ who, /** @type {import("./checks.mjs").Checks} */ one) => [
      who,
      String(one.observed),
      String(one.requestsPerCheck),
      String(one.connectionsPerCheck),
      one.cpuSecondsPer1000 === null ? "not measured" : `${one.cpuSecondsPer1000} s`,
      one.megabytes === null ? "not measured" : `${one.megabytes} MB`,
    ];
    parts.push(
      "While nothing moves",
      table(
        [
          "watcher",
          "checks observed",
          "requests a check",
          "connections a check",
          "CPU per 1,000 checks",
          "memory",
        ],
        [line("Tagalong", checks.tagalong), line("Watchtower", checks.peer)],
      ),
    );
  }
  if (kubernetes.length > 0) parts.push(...kubernetesTables(kubernetes, table));
  parts.push(
    Object.entries(machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join(", "),
    notes.map((note) => `- ${note}`).join("\n"),
  );
  return `${parts.join("\n\n")}\n`;
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} lines
 */
function table(head, lines) {
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => (line[column] ?? "").length)));
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
