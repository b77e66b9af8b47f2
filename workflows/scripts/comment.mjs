// One comment a pull request, made once and updated in place, however many comments there are.
import { existsSync, readFileSync } from "node:fs";
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

/**
 * What is open at the end of a text and would swallow what follows.
 * @param {string} text
 */
function closing(text) {
  let fence = "";
  for (const [run] of text.matchAll(/^`{3,}/gm)) {
    if (fence === "") fence = run;
    else if (run.length >= fence.length) fence = "";
  }
  const folds = (text.match(/<details[ >]/g) ?? []).length - (text.match(/<\/details>/g) ?? []).length;
  return `${fence && `\n${fence}`}${"\n</details>".repeat(Math.max(0, folds))}`;
}

/** The pages of all environments, cut where GitHub would. @param {readonly string[]} pages @param {string} log */
export function bodyOf(pages, log) {
  const whole = [MARKER, "## What merging this would do", ...pages].join("\n\n");
  if (whole.length <= LONGEST) return whole;
  const cut = whole.slice(0, LONGEST - 400);
  return `${cut}${closing(cut)}\n\nThis is cut: [all of it](${log})`;
}

/** @param {import("./run.mjs").Run} run */
export async function comment({ env, say }) {
  const github = new GitHub(env);
  const issue = needed(env, "PULL_REQUEST");
  const folder = needed(env, "PAGES");
  const environments = /** @type {string[]} */ (JSON.parse(needed(env, "ENVIRONMENTS")));
  const log = `${env.GITHUB_SERVER_URL ?? "https://github.com"}/${github.repository}/actions/runs/${env.GITHUB_RUN_ID ?? ""}`;
  const pages = environments.map((name) => {
    const file = join(folder, `preview.${name}`, "preview.md");
    if (existsSync(file)) return readFileSync(file, "utf8").trim();
    return `### ${name}\n\nThere is no preview: [the log](${log}) has the reason.`;
  });
  const [first, ...more] = ownComments(await github.all(`issues/${issue}/comments`));
  if (!first && pages.length === 0) return say("About no environment: there is nothing to comment.");
  const body = bodyOf(pages.length > 0 ? pages : ["Nothing: it is about no environment any more."], log);
  if (first) await github.json("PATCH", `issues/comments/${first.id}`, { body });
  else await github.json("POST", `issues/${issue}/comments`, { body });
  // Two runs at once may each have made one.
  for (const { id } of more) await github.json("DELETE", `issues/comments/${id}`);
  say(first ? "The comment is up to date." : "The comment is there.");
}
