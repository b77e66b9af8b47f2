/** What lies between two commits, as GitHub knows it. */
import { z } from "zod";
import type { Client } from "./client";
import { GitHubError, oneLine, permissions } from "./errors";

export interface Commit {
  sha: string;
  /** First line of its message. */
  title: string;
  /** Login on GitHub, else the name that Git recorded. */
  author: string;
  url: string;
}

export interface Comparison {
  /** Of the second commit, seen from the first: `behind` is a way back. */
  direction: "ahead" | "behind" | "diverged" | "identical";
  /** What the second has and the first has not: newest first, the newest of them where they are too many. */
  gained: Commit[];
  /** How many there are in all. */
  gainedTotal: number;
  /** What the first has and the second has not: what a way back takes away. */
  lost: Commit[];
  lostTotal: number;
  /** The comparison on GitHub. */
  url: string;
}

export interface CompareOptions {
  /** How many commits of each side are wanted, 100 at most. */
  most?: number;
  signal?: AbortSignal;
}

const commitAnswer = z
  .object({
    sha: z.string(),
    html_url: z.string(),
    commit: z.object({ message: z.string(), author: z.object({ name: z.string().optional() }).nullish() }),
    author: z.object({ login: z.string().optional() }).nullish(),
  })
  .transform(
    ({ sha, html_url, commit, author }): Commit => ({
      sha,
      title: oneLine(commit.message.trimStart().split("\n")[0] ?? "", 200),
      author: oneLine(author?.login ?? commit.author?.name ?? "", 100),
      url: html_url,
    }),
  );

const comparisonAnswer = z.object({
  status: z.enum(["ahead", "behind", "diverged", "identical"]),
  ahead_by: z.number(),
  behind_by: z.number(),
  total_commits: z.number(),
  html_url: z.string(),
  commits: z.array(commitAnswer),
});
type Answer = z.output<typeof comparisonAnswer>;

const wantedByDefault = 50;
/** Somebody waits for a preview. */
const patienceMs = 5_000;

/**
 * @param from the older commit, full or any other name that GitHub resolves
 * @throws GitHubError: `not-found` where the repository lacks a commit, and names it
 */
export async function compare(
  client: Client,
  from: string,
  to: string,
  options: CompareOptions = {},
): Promise<Comparison> {
  const most = Math.min(Math.max(options.most ?? wantedByDefault, 1), 100);
  const forth = await page(client, from, to, most, 1, options.signal);
  const back = forth.behind_by > 0 ? await page(client, to, from, most, 1, options.signal) : undefined;
  return {
    direction: forth.status,
    gained: await newest(forth, (number) => page(client, from, to, most, number, options.signal), most),
    gainedTotal: forth.ahead_by,
    lost: back
      ? await newest(back, (number) => page(client, to, from, most, number, options.signal), most)
      : [],
    lostTotal: forth.behind_by,
    url: forth.html_url,
  };
}

/**
 * The commit among several that has all others behind it; the first where there is none such, or where the token may not
 * know.
 */
export async function newestOf(
  client: Client,
  [first, ...rest]: readonly [string, ...string[]],
  signal?: AbortSignal,
): Promise<string> {
  let newest = first;
  for (const other of rest) {
    try {
      if ((await page(client, newest, other, 1, 1, signal)).status === "ahead") newest = other;
    } catch (error) {
      const isFinal = error instanceof GitHubError && ["permission", "not-found"].includes(error.reason);
      if (!isFinal) throw error;
    }
  }
  return newest;
}

/** GitHub gives the oldest first, a page at a time: the newest are on the last two pages. */
async function newest(
  first: Answer,
  read: (page: number) => Promise<Answer>,
  most: number,
): Promise<Commit[]> {
  const pages = Math.ceil(first.total_commits / most);
  const commits = pages > 1 ? [...(pages > 2 ? (await read(pages - 1)).commits : first.commits)] : [];
  commits.push(...(pages > 1 ? (await read(pages)).commits : first.commits));
  return commits.slice(-most).reverse();
}

async function page(
  client: Client,
  from: string,
  to: string,
  most: number,
  number: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  try {
    return await client.ask({
      route: "GET /repos/{owner}/{repo}/compare/{basehead}",
      parameters: { basehead: `${from}...${to}`, per_page: most, page: number },
      answer: comparisonAnswer,
      needs: permissions.contents,
      patienceMs,
      signal,
    });
  } catch (error) {
    if (!(error instanceof GitHubError) || error.reason !== "not-found") throw error;
    throw await explained(client, [from, to], error, signal);
  }
}

/** GitHub answers 404 alike for a commit that it lacks, a repository that it lacks, and one that it hides. */
async function explained(
  client: Client,
  commits: readonly string[],
  error: GitHubError,
  signal: AbortSignal | undefined,
): Promise<GitHubError> {
  const { owner, name } = client.repository;
  const ask = (route: string, parameters: Record<string, unknown> = {}) =>
    client.ask({ route, parameters, answer: z.object({}), needs: permissions.contents, patienceMs, signal });
  try {
    await ask("GET /repos/{owner}/{repo}");
  } catch {
    return error;
  }
  const missing: string[] = [];
  for (const commit of commits) {
    try {
      await ask("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", { commit_sha: commit });
    } catch (failure) {
      if (!(failure instanceof GitHubError) || !["not-found", "refused"].includes(failure.reason))
        return error;
      missing.push(commit);
    }
  }
  const what =
    missing.length > 0
      ? `has no commit ${missing.join(" and no ")}`
      : "sees nothing in common between the two";
  return new GitHubError(
    "not-found",
    `${owner}/${name} ${what}: push it, or correct tagalong:repository in Pulumi.repository.yaml`,
    { said: error.said },
  );
}
