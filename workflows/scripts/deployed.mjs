// Waits until the environment says what became of this commit: its watcher reports each roll as a deployment.
import { setTimeout as sleep } from "node:timers/promises";
import { GitHub } from "./github.mjs";
import { needed, plain, Stop } from "./words.mjs";

/** @param {import("./run.mjs").Run} run */
export async function deployed({ env, say, summary }) {
  const github = new GitHub(env);
  const environment = needed(env, "ENVIRONMENT");
  const seconds = Number(needed(env, "SECONDS_TO_WAIT"));
  const query = `deployments?sha=${needed(env, "REVISION")}&environment=${encodeURIComponent(environment)}`;
  const pause = Number(env.PAUSE ?? "5000");
  let last = "nothing was reported";
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(pause)) {
    const newest = (await github.all(query)).sort((a, b) => b.id - a.id)[0];
    const status =
      newest && (await github.all(`deployments/${newest.id}/statuses`)).sort((a, b) => b.id - a.id)[0];
    if (!status) continue;
    last = `${status.state}${status.description ? `: ${plain(status.description)}` : ""}`;
    if (status.state === "success" || status.state === "inactive") {
      say(`${environment}: ${last}`);
      return summary(`${environment} runs it.`);
    }
    if (status.state === "failure" || status.state === "error")
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
