/**
 * What a branch has of our files: one commit, the tree of its folder .github, and the text of whatever there is not as it
 * is rendered. It reads and changes nothing.
 */
import { z } from "zod";
import type { Client } from "../client";
import { GitHubError, permissions } from "../errors";
import { missing } from "../inspect";
import { blobSha, type FoundEntry, type FoundFiles, isOwnPlace, type RenderedFile } from "./plan";

export interface Tip {
  readonly commit: string;
  readonly tree: string;
  readonly parents: readonly string[];
}

export interface Look {
  /** Undefined where there is no such branch, as in a repository without a commit. */
  readonly tip?: Tip;
  /** Everything below .github, and .github itself. */
  readonly found: FoundFiles;
}

const FOLDER = ".github";
/** Bytes; what is larger was never ours. */
const largest = 1024 * 1024;
const patienceMs = 10_000;

const refAnswer = z.object({ object: z.object({ sha: z.string() }) });
const commitAnswer = z.object({
  tree: z.object({ sha: z.string() }),
  parents: z.array(z.object({ sha: z.string() })),
});
const treeAnswer = z.object({
  truncated: z.boolean(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.string(),
      type: z.string(),
      sha: z.string(),
      size: z.number().optional(),
    }),
  ),
});
const blobAnswer = z.object({ content: z.string() });

/** @throws GitHubError */
export async function look(client: Client, branch: string, files: readonly RenderedFile[]): Promise<Look> {
  const commit = await tipOf(client, branch);
  if (commit === undefined) return { found: new Map() };
  const read = <T>(what: string, answer: z.ZodType<T>, parameters: Record<string, unknown>) =>
    client.ask<T>({
      route: `GET /repos/{owner}/{repo}/git/${what}`,
      parameters,
      answer,
      needs: permissions.contents,
      patienceMs,
    });
  const { tree, parents } = await read("commits/{commit_sha}", commitAnswer, { commit_sha: commit });
  const tip = { commit, tree: tree.sha, parents: parents.map(({ sha }) => sha) };
  const root = await read("trees/{tree_sha}", treeAnswer, { tree_sha: tree.sha });
  const folder = root.tree.find(({ path }) => path === FOLDER);
  if (folder === undefined) return { tip, found: new Map() };
  const entries = new Map<string, FoundEntry>([[FOLDER, folder]]);
  if (folder.type !== "tree") return { tip, found: entries };
  const below = await read("trees/{tree_sha}", treeAnswer, { tree_sha: folder.sha, recursive: "1" });
  if (below.truncated)
    throw new GitHubError(
      "refused",
      `GitHub shows only a part of ${FOLDER} on the branch ${branch}: there are too many files in it`,
    );
  const rendered = new Map(files.map((file) => [file.path, blobSha(file.text)]));
  await Promise.all(
    below.tree.map(async ({ path: own, mode, type, sha, size = 0 }) => {
      const path = `${FOLDER}/${own}`;
      const isOurs = rendered.has(path) ? rendered.get(path) !== sha : isOwnPlace(path);
      entries.set(path, { mode, type, sha });
      if (type !== "blob" || !isOurs || size > largest) return;
      const { content } = await read("blobs/{file_sha}", blobAnswer, { file_sha: sha });
      entries.set(path, { mode, type, sha, text: Buffer.from(content, "base64").toString("utf8") });
    }),
  );
  return { tip, found: entries };
}

/** The commit that a branch leads to; undefined where there is none. */
export async function tipOf(client: Client, branch: string): Promise<string | undefined> {
  try {
    const found = await missing(() =>
      client.ask({
        route: "GET /repos/{owner}/{repo}/git/ref/{ref}",
        parameters: { ref: `heads/${branch}` },
        answer: refAnswer,
        needs: permissions.contents,
        patienceMs,
      }),
    );
    return found?.object.sha;
  } catch (error) {
    if (error instanceof GitHubError && error.reason === "refused" && /is empty/i.test(error.said))
      return undefined;
    throw error;
  }
}
