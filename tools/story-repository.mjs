// The story's first chapter with --with-github: a repository that people have set up by hand is taken over by the
// repository's stack, between two looks at the checklist.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";
import { commit, repository, shared } from "./story-folder.mjs";
import { create, preview, update } from "./story-stack.mjs";

const NOT_AS_IT_SHOULD_BE = "exit code 1";

/** @typedef {import("./story-play.mjs").Story} Story */
/** @typedef {{ what: string, state: "ok" | "up" | "click" | "unknown", detail: string, page: string | null }} Row */
/** @typedef {{ kind: "takenOver" | "made" | "changed" | "removed", what: string, properties: string[] }} Change */

/**
 * @param {Story} story
 * @param {string} url of the story's GitHub
 * @returns {Promise<{ before: Row[], after: Row[] }>} the checklist's rows
 */
export async function takeOver(story, url) {
  const { tell, place, processes, signal } = story;
  const name = `${repository.owner}/${repository.name}`;
  tell.happened(`a GitHub of its own is on ${url}; ${name} is there, set up by hand`, "bold");
  await commit(place, { version: "0.9.0", message: "the shop so far", env: processes.env });
  await create(story, shared, signal);
  const before = await look(story);
  const changes = changesIn(await preview(story, shared, signal));
  tell.happened(`pulumi preview --stack ${shared} says`, "cyan");
  for (const line of told(changes)) tell.more(line);
  await update(story, shared, signal);
  tell.happened(`pulumi up: ${name} is taken over`, "green");
  return { before, after: await look(story) };
}

/**
 * Shows the checklist as it is now.
 * @param {Story} story
 * @returns {Promise<Row[]>}
 */
async function look(story) {
  const [table, document] = await Promise.all([access(story), access(story, "--json")]);
  story.tell.happened("tagalong access", "cyan");
  story.tell.more(table.trimEnd());
  return JSON.parse(document).rows;
}

/**
 * @param {Story} story
 * @param {readonly string[]} options
 * @returns {Promise<string>}
 */
async function access({ processes, place, signal }, ...options) {
  const name = ["access", ...options].join("");
  const program = join(root, "cli", "tagalong.mjs");
  try {
    return await processes.run(name, process.execPath, [program, "access", ...options], {
      what: "tagalong access",
      cwd: place.project,
      signal,
      seconds: 60,
    });
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes(NOT_AS_IT_SHOULD_BE)) throw error;
    return readFileSync(processes.path(name, "out"), "utf8");
  }
}

/** @type {Record<string, Change["kind"]>} */
const KINDS = {
  import: "takenOver",
  create: "made",
  update: "changed",
  delete: "removed",
  replace: "removed",
};

/**
 * What a preview would do on GitHub, one a thing. What is taken over is imported, and updated in the same run.
 * @param {string} said
 * @returns {Change[]}
 */
export function changesIn(said) {
  /** @type {Map<string, Change>} */
  const changes = new Map();
  const line =
    /^ +[-+=~><]+ +github:index:(\S+) (\S+) (import|create|update|delete|replace)\b(?:.*?\[diff: (.*?)\])?/;
  for (const text of said.split("\n")) {
    const [, type = "", name = "", step = "", diff = ""] = line.exec(text) ?? [];
    if (type === "") continue;
    const what = [type, name.replace(/^repository-?/, "")].filter(Boolean).join(" ");
    const known = changes.get(what);
    const kind = KINDS[step] ?? "changed";
    const properties = diff.split(/[-+~,]/).filter(Boolean);
    const isRemoved = kind === "removed";
    changes.set(what, { kind: known && !isRemoved ? known.kind : kind, what, properties });
  }
  return [...changes.values()];
}

const WORDS = { takenOver: "taken over", made: "made", changed: "changed", removed: "removed" };

/** @param {readonly Change[]} changes */
function told(changes) {
  const order = /** @type {const} */ (["removed", "takenOver", "changed", "made"]);
  const lines = order.flatMap((kind) =>
    changes
      .filter((change) => change.kind === kind)
      .map(({ what, properties }) => {
        const text = properties.length > 0 ? `${what}: ${properties.join(", ")}` : what;
        return `${WORDS[kind].padEnd(10)}  ${text}`;
      }),
  );
  return [...lines, ...(changes.some(({ kind }) => kind === "removed") ? [] : ["nothing is removed"])];
}
