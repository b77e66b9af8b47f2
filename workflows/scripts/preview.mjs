// One environment's page of the comment: what the release would change, and what Pulumi would do.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { settings } from "./settings.mjs";
import { needed, Stop } from "./words.mjs";

/** A fence that nothing within it ends. @param {string} text */
export function fenced(text) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text.trimEnd()}\n${fence}`;
}

/** @typedef {{ status: number | null, out: string, complained: string }} Ended */

/** @param {string} environment @param {Ended} diff @param {Ended} plan */
export function page(environment, diff, plan) {
  // Refused or unknown is an exit code of its own, and told in the table; anything else that it prints is no Markdown.
  const isTable = diff.out.trimStart().startsWith("|");
  const head = isTable ? diff.out.trim() : fenced(`${diff.out}${diff.complained}`);
  const state = plan.status === 0 ? "pulumi preview" : "pulumi preview failed";
  const open = plan.status === 0 ? "<details>" : "<details open>";
  return `### ${environment}\n\n${head}\n\n${open}<summary>${state}</summary>\n\n${fenced(`${plan.out}${plan.status === 0 ? "" : plan.complained}`)}\n\n</details>`;
}

/** @param {import("./run.mjs").Run} run */
export function preview({ env, folder, say }) {
  const environment = needed(env, "ENVIRONMENT");
  const file = needed(env, "PAGE");
  const { project } = settings(folder);
  const ask = (/** @type {readonly string[]} */ args) => {
    const { status, stdout, stderr, error } = spawnSync("npx", ["--no-install", ...args], {
      cwd: join(folder, project),
      encoding: "utf8",
      env: { ...env, NO_COLOR: "1", PULUMI_SKIP_UPDATE_CHECK: "true" },
      maxBuffer: 64 * 2 ** 20,
    });
    return {
      status,
      out: stripVTControlCharacters(stdout ?? ""),
      complained: stripVTControlCharacters(error ? `${error.message}\n` : stderr),
    };
  };
  const diff = ask(["tagalong", "diff", environment]);
  // The tag alone: a workflow has the registry and the state, and no way into the environment.
  const plan = ask([
    "pulumi",
    "preview",
    "--stack",
    environment,
    "--non-interactive",
    "--color",
    "never",
    "--target",
    "**EnvironmentTag**",
  ]);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, page(environment, diff, plan));
  say(`${plan.out}${plan.complained}`);
  if (plan.status !== 0)
    throw new Stop(`the preview of ${environment} failed`, "its reason is above, and in the comment");
}
