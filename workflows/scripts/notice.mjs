// Tells of a failure where people look: the first job that failed, and the line of its log that says why.
import { GitHub } from "./github.mjs";
import { needed, plain, reasonOf } from "./words.mjs";

/** @typedef {{ id: number, name: string, conclusion: string | null, completed_at: string | null, html_url: string, steps?: { name: string, conclusion: string | null }[] }} Job */

/** The job that failed first; the others often fail because of it. @param {readonly Job[]} jobs */
export const firstFailed = (jobs) =>
  jobs
    .filter(({ conclusion }) => conclusion === "failure" || conclusion === "timed_out")
    .sort((a, b) => Date.parse(a.completed_at ?? "") - Date.parse(b.completed_at ?? ""))[0];

/** The line that says why: the first that a program marked as an error, else the last that it said. @param {string} log */
export function tellingLine(log) {
  const lines = log
    .split("\n")
    .map((line) => plain(line.replace(/^\uFEFF?\d{4}-\d\d-\d\dT[\d:.]+Z ?/, "")))
    .filter((line) => line !== "");
  const errors = lines
    .filter((line) => line.startsWith("##[error]"))
    .map((line) => line.slice("##[error]".length));
  // The runner's own last word says only that a program ended.
  const own = errors.find((line) => !/^Process completed with exit code \d+\.?$/.test(line));
  if (own) return own.trim();
  const end = lines.findIndex((line) => line.startsWith("##[error]"));
  const said = (end < 0 ? lines : lines.slice(0, end)).filter((line) => !line.startsWith("##["));
  const blame = said.find((line) => /\b(error|failed|failure|not ok|fatal|cannot)\b/i.test(line));
  return blame ?? said.at(-1);
}

/** Text that stays one piece of code in Markdown. @param {string} text */
const code = (text) => `\`${text.replaceAll("`", "'").slice(0, 500)}\``;

/** @param {import("./run.mjs").Run} run */
export async function notice({ env, say, summary }) {
  const github = new GitHub(env);
  const jobs = /** @type {Job[]} */ (
    await github.all(
      `actions/runs/${needed(env, "GITHUB_RUN_ID")}/attempts/${env.GITHUB_RUN_ATTEMPT ?? "1"}/jobs`,
      "jobs",
    )
  );
  const job = firstFailed(jobs);
  if (!job) return say("No job has failed.");
  const line = await github
    .ask("GET", `actions/jobs/${job.id}/logs`)
    .then(async (response) => tellingLine(await response.text()))
    .catch((error) => `its log cannot be read: ${reasonOf(error)}`);
  const step = job.steps?.find(({ conclusion }) => conclusion === "failure")?.name;
  const where = `${plain(job.name)}${step ? `, ${plain(step)}` : ""}`;
  say(`${where}: ${line ?? "it said nothing"}`);
  summary(
    `**${where.replaceAll(/[<>[\]*_]/g, "")}** failed first ([log](${job.html_url}))\n\n${code(line ?? "it said nothing")}`,
  );
  const { WEBHOOK } = env;
  if (!WEBHOOK) return;
  const text = `${env.GITHUB_REPOSITORY}: ${env.GITHUB_WORKFLOW ?? "a workflow"} failed on ${env.GITHUB_REF_NAME ?? "?"}. ${where}: ${line ?? ""}\n${job.html_url}`;
  // Both Slack and Discord take a JSON document; each reads its own key.
  const body = JSON.stringify({ text, content: text.slice(0, 1900) });
  const sent = await fetch(WEBHOOK, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(20_000),
  })
    .then(({ ok, status }) => (ok ? undefined : `it answered ${status}`))
    .catch(() => "it does not answer");
  // The URL is a secret; what a library says of it might hold it.
  if (sent) say(`::warning::The chat was not told: ${sent}. Check the webhook's secret.`);
}
