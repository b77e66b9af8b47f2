// Waits until the environment says what became of this commit: its watcher reports each roll as a deployment.
import { setTimeout as sleep } from "node:timers/promises";
import { GitHub } from "./github.mjs";
import { needed, plain, Stop } from "./words.mjs";

/** @typedef {{ id: number, state: string, description?: string | null }} Status */

/** @param {{ id: number }} a @param {{ id: number }} b */
const newestFirst = (a, b) => b.id - a.id;

/**
 * What its newest deployment came to; of one that was inactive without ever having served, nothing is to be learned.
 * @param {GitHub} github @param {string} query
 * @returns {Promise<Status | undefined>}
 */
async function outcomeOf(github, query) {
  for (const { id } of (await github.all(query)).sort(newestFirst)) {
    /** @type {Status[]} */
    const statuses = (await github.all(`deployments/${id}/statuses`)).sort(newestFirst);
    const served = statuses.find(({ state }) => state === "success");
    const status = statuses[0]?.state === "inactive" ? served : statuses[0];
    if (status) return status;
  }
  return undefined;
}

/** @param {import("./run.mjs").Run} run */
export async function deployed({ env, say, summary }) {
  const github = new GitHub(env);
  const environment = needed(env, "ENVIRONMENT");
  const seconds = Number(needed(env, "SECONDS_TO_WAIT"));
  const query = `deployments?sha=${needed(env, "REVISION")}&environment=${encodeURIComponent(environment)}`;
  const pause = Number(env.PAUSE ?? "5000");
  let last = "nothing was reported";
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(pause)) {
    const status = await outcomeOf(github, query);
    if (!status) continue;
    const text = `${status.state}${status.description ? `: ${plain(status.description)}` : ""}`;
    if (text !== last) say(`${environment}: ${text}`);
    last = text;
    if (status.state === "success") return summary(`${environment} runs it.`);
    // An error is not the image's fault: the watcher tries again.
    if (status.state === "failure")
      throw new Stop(
        `${environment} did not come up with it: ${last}`,
        `npx tagalong history ${environment} has the reason`,
      );
  }
  throw new Stop(
    `${environment} did not report within ${seconds} s (${last})`,
    `npx tagalong status ${environment} says whether its watcher runs`,
  );
}
