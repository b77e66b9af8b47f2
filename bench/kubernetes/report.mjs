// What the rolls of one size found, as a row of the document and of the tables. No input or output.
import { breakdown, median } from "../statistics.mjs";
import * as kubectl from "./kubectl.mjs";
import { replicas } from "./sizes.mjs";
import * as tagalong from "./tagalong.mjs";

/** @typedef {import("./run.mjs").Roll} Roll */

/**
 * @typedef {object} Side
 * @property {number} ms median of the rolls
 * @property {number[]} allMs each roll, in order
 * @property {import("../statistics.mjs").PhaseTime[]} phases
 * @property {Record<string, import("./peaks.mjs").Peak>} processes by program: most memory of all rolls, median CPU time
 */

/**
 * @typedef {object} Row
 * @property {number} deployments
 * @property {number} pods
 * @property {Side} tagalong
 * @property {Side} kubectl
 * @property {number} ratio of the medians: below 1, Tagalong is faster
 * @property {number} loadAverage of the machine over the last minute, when the case began
 */

/**
 * @param {number} deployments
 * @param {number} loadAverage
 * @param {{tagalong: readonly Roll[], kubectl: readonly Roll[]}} rolls
 * @returns {Row}
 */
export function row(deployments, loadAverage, rolls) {
  const sides = {
    tagalong: side(tagalong.marks, rolls.tagalong),
    kubectl: side(kubectl.marks, rolls.kubectl),
  };
  const ratio = Math.round((sides.tagalong.ms / sides.kubectl.ms) * 100) / 100;
  return { deployments, pods: deployments * replicas, ...sides, ratio, loadAverage };
}

/**
 * @param {readonly string[]} marks
 * @param {readonly Roll[]} rolls
 * @returns {Side}
 */
function side(marks, rolls) {
  const programs = [...new Set(rolls.flatMap(({ processes }) => Object.keys(processes)))].sort();
  const of = (/** @type {string} */ program, /** @type {"megabytes" | "cpuSeconds"} */ key) =>
    rolls.flatMap(({ processes }) => processes[program]?.[key] ?? []);
  return {
    ms: Math.round(median(rolls.map(({ ms }) => ms)) ?? 0),
    allMs: rolls.map(({ ms }) => Math.round(ms)),
    phases: breakdown(marks, rolls),
    processes: Object.fromEntries(
      programs.map((program) => [
        program,
        {
          megabytes: Math.max(...of(program, "megabytes")),
          cpuSeconds: Math.round((median(of(program, "cpuSeconds")) ?? 0) * 100) / 100,
        },
      ]),
    ),
  };
}

/**
 * @param {readonly Row[]} rows
 * @param {(head: readonly string[], lines: readonly (readonly string[])[]) => string} table
 * @returns {string[]}
 */
export function kubernetesTables(rows, table) {
  const seconds = (/** @type {number} */ ms) => `${(ms / 1_000).toFixed(1)} s`;
  const used = (/** @type {Side} */ { processes }) =>
    Object.entries(processes)
      .map(([program, { megabytes, cpuSeconds }]) => `${program} ${megabytes} MB ${cpuSeconds} s`)
      .join(", ");
  const sides = /** @type {const} */ (["tagalong", "kubectl"]);
  return [
    "Push of the tag (Tagalong) or start of `kubectl set image` → every pod of every Deployment ready",
    table(
      ["Deployments", "pods", "Tagalong", "kubectl", "ratio", "load"],
      rows.map((one) => [
        String(one.deployments),
        String(one.pods),
        seconds(one.tagalong.ms),
        seconds(one.kubectl.ms),
        String(one.ratio),
        String(one.loadAverage),
      ]),
    ),
    "Where the time goes, seconds since the beginning (medians)",
    table(
      ["Deployments", "side", "until"],
      rows.flatMap((one) =>
        sides.map((name) => [
          String(one.deployments),
          name,
          one[name].phases.map(({ phase, atMs }) => `${phase} ${seconds(atMs)}`).join(", "),
        ]),
      ),
    ),
    "Processes: peak memory, CPU time of a roll",
    table(
      ["Deployments", "side", "processes"],
      rows.flatMap((one) => sides.map((name) => [String(one.deployments), name, used(one[name])])),
    ),
  ];
}
