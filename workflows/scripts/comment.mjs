// One comment a pull request, made once and updated in place, however many comments there are.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GitHub } from "./github.mjs";
import { needed } from "./words.mjs";

export const MARKER = "<!-- tagalong: preview -->";
/** What GitHub takes, less room for the words that say so. */
const LONGEST = 65_000;

/**
 * Ours are those that the workflow's own account wrote: anybody may write the marker into a comment.
 * @param {readonly { id: number, body?: string, user?: { login: string, type?: string } | null }[]} comments
 */
export const ownComments = (comments) =>
  comments.filter(({ body, user }) => body?.startsWith(MARKER) && user?.login === "github-actions[bot]");

/** The pages of all environments, in the config's order, cut where GitHub would. @param {readonly string[]} pages @param {string} log */
export function bodyOf(pages, log) {
  const whole = [MARKER, "## What merging this would do", ...pages].join("\n\n");
  if (whole.length <= LONGEST) return whole;
  const cut = whole.slice(0, LONGEST - 400);
  // A fence or a fold that is open at the cut would swallow what follows.
  const fence = (cut.match(/^```/gm) ?? []).length % 2 === 1 ? "\n```" : "";
  const folds = (cut.match(/<details>/g) ?? []).length - (cut.match(/<\/details>/g) ?? []).length;
  return `${cut}${fence}${"\n</details>".repeat(Math.max(0, folds))}\n\nThis is cut: [all of it](${log})`;
}

/** @param {import("./run.mjs").Run} run */
export async function comment({ env, say }) {
  const github = new GitHub(env);
  const issue = needed(env, "PULL_REQUEST");
  const folder = needed(env, "PAGES");
  const order = /** @type {string[]} */ (JSON.parse(needed(env, "ENVIRONMENTS")));
  const rank = (/** @type {string} */ name) => order.indexOf(name) + 1 || order.length + 1;
  const pages = readdirSync(folder)
    .sort((a, b) => rank(a) - rank(b))
    .map((name) => readFileSync(join(folder, name, "preview.md"), "utf8").trim());
  const log = `${env.GITHUB_SERVER_URL ?? "https://github.com"}/${github.repository}/actions/runs/${env.GITHUB_RUN_ID ?? ""}`;
  const body = bodyOf(pages, log);
  const [first, ...more] = ownComments(await github.all(`issues/${issue}/comments`));
  if (first) await github.json("PATCH", `issues/comments/${first.id}`, { body });
  else await github.json("POST", `issues/${issue}/comments`, { body });
  // Two runs at once may each have made one.
  for (const { id } of more) await github.json("DELETE", `issues/comments/${id}`);
  say(first ? "The comment is up to date." : "The comment is there.");
}
