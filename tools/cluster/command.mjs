// `npm run cluster -- up|down|status`: a Kubernetes cluster for tests, of real parts, on this machine.
import { parseArgs } from "node:util";
import { Failure } from "../failure.mjs";
import { DEFAULT_NAME, folderOf, names } from "./folder.mjs";
import { condition, down, up } from "./lifecycle.mjs";
import { obstacle } from "./machine.mjs";

/** What a cluster stands on. */
export const forCluster = ["engine-docker", "registry", "pause", "cluster"];

const USAGE = `npm run cluster -- up [--name NAME] [--nodes NUMBER] [--json]
npm run cluster -- down [--name NAME]
npm run cluster -- status [--json]`;

/** @typedef {{ verb: "up" | "down" | "status", name: string, fakes: number, json: boolean }} Order */

/**
 * @param {readonly string[]} args
 * @returns {Order}
 */
export function readOrder(args) {
  const parsed = parse(args);
  const { name = DEFAULT_NAME, nodes = "0", json = false } = parsed.values;
  const [verb, ...rest] = parsed.positionals;
  if ((verb !== "up" && verb !== "down" && verb !== "status") || rest.length)
    throw new Failure(verb ? `there is no "${parsed.positionals.join(" ")}"` : "what shall be done?", USAGE);
  if (!/^\d{1,4}$/.test(nodes))
    throw new Failure(
      `--nodes is "${nodes}"`,
      "it is how many nodes to have that exist in the API only: 0 to 9999",
    );
  folderOf(name);
  return { verb, name, fakes: Number(nodes), json };
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { name: { type: "string" }, nodes: { type: "string" }, json: { type: "boolean" } },
    });
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error), USAGE);
  }
}

/**
 * @param {readonly string[]} args
 * @param {import("../progress.mjs").Progress} progress
 * @returns {Promise<number>} the exit code
 */
export async function cluster(args, progress) {
  const { verb, name, fakes, json } = readOrder(args);
  if (verb === "status") {
    const conditions = await Promise.all(names().map(condition));
    process.stdout.write(json ? asJson(conditions) : table(conditions));
    return 0;
  }
  const why = obstacle();
  if (why) throw why;
  if (verb === "down") {
    progress.say((await down(name)) ? `Cluster ${name}: gone` : `Cluster ${name}: there was none`);
    return 0;
  }
  const now = await prepareCluster({ name, fakes }, progress);
  process.stdout.write(json ? asJson(now) : `${table([now])}\nexport KUBECONFIG=${now.kubeconfig}\n`);
  return 0;
}

/**
 * Brings what a cluster stands on, and the cluster.
 * @param {{ name: string, fakes: number }} wanted
 * @param {import("../progress.mjs").Progress} progress
 */
export async function prepareCluster(wanted, progress) {
  const { prepare } = await import("../ground.mjs");
  const ground = await prepare(forCluster, { progress });
  const { registryPort } = await import("../local-registry.mjs");
  return up({
    ...wanted,
    progress,
    program: ground.cluster ?? "",
    pause: ground.pause ?? "",
    registryPort: registryPort(),
  });
}

/** @param {unknown} value */
const asJson = (value) => `${JSON.stringify(value, null, 2)}\n`;

/**
 * @param {readonly import("./lifecycle.mjs").Condition[]} conditions
 * @returns {string}
 */
export function table(conditions) {
  if (!conditions.length) return "no cluster; npm run cluster -- up makes one\n";
  const rows = [["cluster", "state", "nodes", "pods", "API", "kubeconfig"]];
  for (const { name, state, nodes, pods, api, kubeconfig } of conditions)
    rows.push([
      name,
      state,
      `${nodes.ready}/${nodes.all}`,
      String(pods),
      api,
      state === "down" ? "" : kubeconfig,
    ]);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const ailing = conditions.flatMap(({ name, ailments }) =>
    Object.entries(ailments).map(([part, what]) => `${name}: ${part}: ${what}`),
  );
  return `${[...lines, ...ailing].join("\n")}\n`;
}
