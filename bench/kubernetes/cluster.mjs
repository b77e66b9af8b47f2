// The cluster of a run: real but for its nodes, which kwok plays, and every pod comes to one of them. So neither a key of
// ours nor anything in a Deployment is there for the bench alone.
import { join } from "node:path";
import { prepareCluster } from "../../tools/cluster/command.mjs";
import { TAINT } from "../../tools/cluster/fakes.mjs";
import { folderOf } from "../../tools/cluster/folder.mjs";
import { NODE } from "../../tools/cluster/identities.mjs";
import { down } from "../../tools/cluster/lifecycle.mjs";
import { obstacle } from "../../tools/cluster/machine.mjs";
import { run } from "../../tools/command.mjs";
import { cluster as name, nodes } from "./sizes.mjs";

/**
 * @typedef {object} Cluster
 * @property {string} kubeconfig
 * @property {string} kubectl path of the program
 * @property {(...args: string[]) => Promise<string>} ask runs kubectl; its output
 */

/**
 * @param {import("../../tools/progress.mjs").Progress} progress
 * @param {(close: () => Promise<void>) => void} onClose
 * @returns {Promise<Cluster>}
 */
export async function openCluster(progress, onClose) {
  const why = obstacle();
  if (why) throw why;
  await down(name); // a killed run's
  onClose(async () => void (await down(name)));
  const { kubeconfig } = await prepareCluster({ name, fakes: nodes }, progress);
  const kubectl = join(folderOf(name), "bin", "kubectl");
  const ask = (/** @type {string[]} */ ...args) =>
    run(kubectl, ["--kubeconfig", kubeconfig, ...args], { seconds: 120 });
  await ask("cordon", NODE);
  await ask("taint", "nodes", "--selector", "type=kwok", `${TAINT}-`);
  return { kubeconfig, kubectl, ask };
}
