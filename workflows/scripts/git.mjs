// What the scripts ask of Git.
import { spawnSync } from "node:child_process";
import { Stop } from "./words.mjs";

/**
 * @param {string} folder
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function tryGit(folder, args, env = process.env) {
  const { status, stdout, stderr, error } = spawnSync("git", ["-C", folder, ...args], {
    encoding: "utf8",
    env: { ...env, GIT_TERMINAL_PROMPT: "0" },
    maxBuffer: 64 * 2 ** 20,
  });
  if (error) throw new Stop(`git cannot be run: ${error.message}`);
  return { status, out: stdout.trim(), said: stderr.trim() };
}

/** @param {string} folder @param {readonly string[]} args @param {NodeJS.ProcessEnv} [env] */
export function git(folder, args, env) {
  const { status, out, said } = tryGit(folder, args, env);
  if (status === 0) return out;
  throw new Stop(`git ${args.join(" ")} failed: ${said || `exit code ${status}`}`);
}

/**
 * Fetches references again. Nothing was left in the checkout to do so with, so the token is put into the environment of
 * this one call, where no process list shows it.
 * @param {string} folder @param {readonly string[]} references @param {NodeJS.ProcessEnv} env
 */
export function fetchReferences(folder, references, env) {
  const { status, out: origin } = tryGit(folder, ["remote", "get-url", "origin"]);
  // A repository of its own, as of a run on somebody's machine, has all that there is.
  if (status !== 0) return;
  const server = env.GITHUB_SERVER_URL ?? "https://github.com";
  const token = env.GITHUB_TOKEN;
  const header = token && Buffer.from(`x-access-token:${token}`).toString("base64");
  const own =
    header && origin.startsWith(`${server}/`)
      ? {
          GIT_CONFIG_COUNT: "1",
          GIT_CONFIG_KEY_0: `http.${server}/.extraheader`,
          GIT_CONFIG_VALUE_0: `AUTHORIZATION: basic ${header}`,
        }
      : {};
  git(folder, ["fetch", "--quiet", "--force", "--no-tags", "origin", ...references], { ...env, ...own });
}

/** Where the sources are, as a browser opens it, and never with the credentials that a remote may carry. @param {string} folder */
export function sourceOf(folder) {
  const { status, out } = tryGit(folder, ["remote", "get-url", "origin"]);
  const url = out
    .replace(/^(?:ssh:\/\/)?git@([^:/]+)[:/]/, "https://$1/")
    .replace(/^(https?:\/\/)[^/@]*@/, "$1")
    .replace(/\.git$/, "");
  return status === 0 && /^https?:/.test(url) ? url : undefined;
}

/** The branch as its origin has it, where there is an origin. @param {string} folder @param {string} branch */
export const branchReference = (folder, branch) =>
  tryGit(folder, ["remote", "get-url", "origin"]).status === 0
    ? `refs/remotes/origin/${branch}`
    : `refs/heads/${branch}`;

/** Whether files differ between two commits, by Git's patterns. @param {string} folder @param {string} base @param {readonly string[]} patterns */
export function differs(folder, base, patterns) {
  const { status, said } = tryGit(folder, ["diff", "--quiet", base, "HEAD", "--", ...patterns]);
  if (status === 0 || status === 1) return status === 1;
  throw new Stop(
    `git cannot compare ${base} with HEAD: ${said}`,
    "the checkout needs the whole history: fetch-depth: 0",
  );
}

/** Commits from HEAD back along the branch, HEAD first. @param {string} folder @param {number} count */
export const ancestors = (folder, count) =>
  git(folder, ["rev-list", "--first-parent", `--max-count=${count}`, "HEAD"]).split("\n");

/** @param {string} folder @param {string} commit @param {string} of */
export const isAncestor = (folder, commit, of) =>
  tryGit(folder, ["merge-base", "--is-ancestor", commit, of]).status === 0;
