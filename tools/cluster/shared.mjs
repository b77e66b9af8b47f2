// The cluster that all specs of a test run share. It is named after the run's process, so that runs do not share it with
// each other and the next run knows which one a killed run left.
import { processStart } from "../lock.mjs";
import { prepareCluster } from "./command.mjs";
import { names } from "./folder.mjs";
import { down } from "./lifecycle.mjs";

/** Names a cluster to use instead, by its kubeconfig: it is left as it is. */
export const VARIABLE = "TAGALONG_TEST_KUBECONFIG";

const PREFIX = "tests-";

/**
 * @param {import("../progress.mjs").Progress} progress
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ kubeconfig: string, end: () => Promise<void> }>}
 */
export async function sharedCluster(progress, env = process.env) {
  const given = env[VARIABLE];
  if (given) return { kubeconfig: given, end: async () => {} };
  for (const left of abandoned(names())) await down(left);
  const name = `${PREFIX}${process.pid}`;
  const { kubeconfig } = await prepareCluster({ name, fakes: 0 }, progress);
  return { kubeconfig, end: async () => void (await down(name)) };
}

/**
 * Those of runs that are no more.
 * @param {readonly string[]} clusters
 */
export const abandoned = (clusters) =>
  clusters.filter((name) => {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)$`).exec(name) ?? [];
    return pid !== undefined && processStart(Number(pid)) === undefined;
  });
