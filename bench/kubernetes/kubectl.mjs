// The other side: what one has without us. `kubectl set image` for all Deployments at once, then `kubectl rollout status`
// until it has seen the last one.
import { start } from "../processes.mjs";
import { peaksOf } from "./peaks.mjs";
import { longestMs, namespace } from "./sizes.mjs";

/** What is known of a roll, in order. */
export const marks = ["firstPatched", "lastPatched", "patchesDone", "ready", "statusDone"];

/**
 * @param {import("./run.mjs").Means} means
 * @param {string} image repository@digest
 * @param {() => Promise<import("./readiness.mjs").Arrival>} arrival
 * @returns {Promise<import("./run.mjs").Roll>}
 */
export async function rollByKubectl({ folder, env, cluster, onClose }, image, arrival) {
  const kubectl = async (/** @type {string[]} */ ...args) => {
    const command = ["--kubeconfig", cluster.kubeconfig, "--namespace", namespace, ...args];
    const running = await start(cluster.kubectl, command, { env, cwd: folder });
    onClose(() => running.stop(1_000));
    const ended = await running.ended;
    if (ended !== 0) throw new Error(`kubectl ${args.join(" ")}: exit code ${ended}\n${running.tail()}`);
    return Date.now();
  };
  const peaks = peaksOf(process.pid, "kubectl");
  try {
    const from = Date.now();
    const arriving = arrival();
    const patchesDone = await kubectl("set", "image", "deployments", "--all", `*=${image}`);
    const statusDone = await kubectl("rollout", "status", "deployments", `--timeout=${longestMs / 1_000}s`);
    const { ready, firstPatched, lastPatched } = await arriving;
    return {
      ms: ready - from,
      from,
      marks: { firstPatched, lastPatched, patchesDone, ready, statusDone },
      processes: peaks.end(),
    };
  } finally {
    peaks.end();
  }
}
