/**
 * Commits by Git's own objects: a tree on top of another, a commit of it, a branch that moves on to it. Until the branch
 * moves nobody sees any of it, so that all of it can be done again.
 */
import { z } from "zod";
import type { Client, Question } from "../client";
import { GitHubError, permissions } from "../errors";
import { type Tip, tipOf } from "./look";
import type { Plan, RenderedFile } from "./plan";

export interface Commit {
  /** On whose tree it stands. */
  readonly base: Tip;
  readonly parents: readonly string[];
  readonly message: string;
  readonly changes: Plan["changes"];
}

const needs = permissions.workflows;
const patienceMs = 10_000;
const mostTries = 3;
const shaAnswer = z.object({ sha: z.string() });

/**
 * Does it again where its answer was lost and it was not done.
 * @param find what it would have made; undefined where it was not
 */
export async function surely<T>(work: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GitHubError) || !error.isUnsure) throw error;
      const found = await find();
      if (found !== undefined) return found;
      if (tried >= mostTries) throw error;
    }
  }
}

const nothing = async () => undefined;

/**
 * The tree with the changes. It is the proof of what a token may write as well: GitHub makes no tree with workflows in it
 * for one that may not, and what no branch leads to is seen by nobody.
 */
export async function makeTree(
  client: Client,
  base: Tip,
  changes: Plan["changes"],
  files: readonly RenderedFile[],
): Promise<string> {
  const tree = Object.entries(changes).map(([path, change]) => {
    const { mode = "100644", text } = files.find((file) => file.path === path) ?? {};
    return { path, mode, type: "blob", ...(change === "removed" ? { sha: null } : { content: text }) };
  });
  const { sha } = await surely(
    () =>
      write(client, {
        route: "POST /repos/{owner}/{repo}/git/trees",
        parameters: { base_tree: base.tree, tree },
      }),
    nothing,
  );
  return sha;
}

/** @returns the commit's name; no branch leads to it yet */
export async function makeCommit(
  client: Client,
  { base, parents, message, changes }: Commit,
  files: readonly RenderedFile[],
): Promise<string> {
  const tree = await makeTree(client, base, changes, files);
  const { sha } = await surely(
    () =>
      write(client, {
        route: "POST /repos/{owner}/{repo}/git/commits",
        parameters: { message, tree, parents },
      }),
    nothing,
  );
  return sha;
}

/**
 * Leads a branch on to a commit that comes after what it leads to, or makes it.
 * @returns `refused` where GitHub says no, `overtaken` where somebody else has moved it meanwhile
 */
export async function moveBranch(
  client: Client,
  branch: string,
  from: string | undefined,
  to: string,
): Promise<"moved" | { refused: GitHubError } | "overtaken"> {
  const ref = `heads/${branch}`;
  const move = () =>
    client.ask({
      ...(from === undefined
        ? { route: "POST /repos/{owner}/{repo}/git/refs", parameters: { ref: `refs/${ref}`, sha: to } }
        : {
            route: "PATCH /repos/{owner}/{repo}/git/refs/{ref}",
            parameters: { ref, sha: to, force: false },
          }),
      ...{ answer: z.unknown(), needs, patienceMs },
    });
  try {
    await surely(move, async () => ((await tipOf(client, branch)) === to ? true : undefined));
    return "moved";
  } catch (error) {
    if (!(error instanceof GitHubError) || error.reason !== "refused") throw error;
    const now = await tipOf(client, branch);
    if (now === to) return "moved";
    return now === from ? { refused: error } : "overtaken";
  }
}

const write = (client: Client, question: Pick<Question<unknown>, "route" | "parameters">) =>
  client.ask({ ...question, answer: shaAnswer, needs, patienceMs });
