// What lies between the commits of two images: from the Git repository that the project's folder is in, else from GitHub,
// else a sentence that says why nobody knows.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Comparison, findGitHub, GitHubError } from "../github";
import { plainLine } from "../ledger";

export type Commits =
  | { kind: "known"; from: string; to: string; comparison: Comparison; source: "Git" | "GitHub" }
  | { kind: "unknown"; why: string };

/** Compares two commits; undefined where one of them is not known there. */
export type Compare = (from: string, to: string) => Promise<Comparison | undefined>;

const isCommit = (text: string): boolean => /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(text);
const mostCommits = 50;
const patienceMs = 10_000;
/** Between fields and between commits, which no title has in it. */
const [field, end] = ["%x1f", "%x1e"];

/**
 * @param from label `org.opencontainers.image.revision` of the image that runs; undefined where it has none
 * @param ask GitHub, or why it cannot be asked
 */
export async function commitsBetween(
  from: string | undefined,
  to: string | undefined,
  directory: string,
  ask: Compare | { why: string } = askGitHub(directory),
): Promise<Commits> {
  if (from === undefined || to === undefined) {
    const label = "(org.opencontainers.image.revision)";
    const which = from === undefined ? "old" : "new";
    const why =
      from === to
        ? `neither image says which commit it is of ${label}`
        : `the ${which} image does not say which commit it is of ${label}`;
    return { kind: "unknown", why };
  }
  if (!isCommit(from) || !isCommit(to)) {
    const text = plainLine(isCommit(from) ? to : from, 60);
    return { kind: "unknown", why: `"${text}", which an image is labelled with, is no commit` };
  }
  const local = await compareInGit(directory, from, to);
  if (local) return { kind: "known", from, to, comparison: local, source: "Git" };
  const missing = `${from.slice(0, 12)} or ${to.slice(0, 12)} is not in the Git repository of this folder (\`git fetch\` may get it)`;
  if (typeof ask !== "function") return { kind: "unknown", why: `${missing}, and ${ask.why}` };
  try {
    const comparison = await ask(from, to);
    if (comparison) return { kind: "known", from, to, comparison, source: "GitHub" };
    return { kind: "unknown", why: `${missing}, nor is it on GitHub` };
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    return { kind: "unknown", why: `${missing}, and GitHub does not say: ${error.message}` };
  }
}

function askGitHub(directory: string): Compare | { why: string } {
  const found = findGitHub({ directory, env: process.env });
  if (!("github" in found)) {
    const reason = found.reason?.replace(/^.* is told nothing: /, "GitHub cannot be asked: ");
    return { why: reason ?? "no repository on GitHub is configured" };
  }
  return async (from, to) => {
    try {
      return await found.github.compare(from, to, { most: mostCommits });
    } catch (error) {
      if (error instanceof GitHubError && error.reason === "not-found") return undefined;
      throw error;
    }
  };
}

async function compareInGit(directory: string, from: string, to: string): Promise<Comparison | undefined> {
  const git = async (...args: string[]) => {
    const options = { encoding: "utf8", maxBuffer: 16 * 1024 * 1024, timeout: patienceMs } as const;
    const { stdout } = await promisify(execFile)("git", ["-C", directory, ...args], options);
    return stdout;
  };
  const commits = async (range: string) => {
    const format = `--format=%H${field}%s${field}%an${end}`;
    const text = await git("log", `--max-count=${mostCommits}`, format, range, "--");
    return text
      .split("\x1e")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .map((line) => {
        const [sha = "", title = "", author = ""] = line.split("\x1f");
        return { sha, title: plainLine(title, 200), author: plainLine(author, 100), url: "" };
      });
  };
  try {
    const counted = await git("rev-list", "--count", "--left-right", `${from}...${to}`, "--");
    const [lostTotal = 0, gainedTotal = 0] = counted.trim().split(/\s+/).map(Number);
    const [gained, lost] = [await commits(`${from}..${to}`), await commits(`${to}..${from}`)];
    const direction =
      gainedTotal > 0 ? (lostTotal > 0 ? "diverged" : "ahead") : lostTotal > 0 ? "behind" : "identical";
    return { direction, gained, gainedTotal, lost, lostTotal, url: "" };
  } catch {
    return undefined; // no Git, no repository, or one that lacks a commit
  }
}
