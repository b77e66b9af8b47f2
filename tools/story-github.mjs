// The GitHub of `npm start -- --with-github`: the one that the tests ask (tests/github), as a process of the story. It
// listens on loopback alone, and its token is told to nobody but the story's own processes.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "./failure.mjs";
import { root } from "./paths.mjs";
import { repository } from "./story-folder.mjs";
import { Interrupted } from "./story-processes.mjs";
import { lastError } from "./story-text.mjs";

const ENTRY = "tests/github/story.ts";
const BUNDLE = "dist/github.cjs";
const PATIENCE_SECONDS = 60;

/** What it needs beside the project itself, and `npm ci --omit=dev` leaves out. */
const packages = ["emulate", "ajv", "ajv-formats"];

/** @typedef {import("./story-play.mjs").Story} Story */
/** @typedef {{ url: string, token: string, child: import("./story-processes.mjs").Child }} GitHub */

/**
 * @param {string} [folder]
 * @throws Failure where it cannot be had here
 */
export function checkGitHub(folder = root) {
  const missing = packages.filter((name) => !existsSync(join(folder, "node_modules", name, "package.json")));
  if (missing.length > 0) {
    throw new Failure(
      `--with-github needs the npm packages for development, and these are not here: ${missing.join(", ")}`,
      "install them: npm ci --include=dev",
    );
  }
}

/**
 * Starts it; all that the story starts from now on asks it.
 * @param {Story} story
 * @returns {Promise<GitHub>}
 */
export async function openGitHub({ processes, place, signal }) {
  await bundle();
  const { owner, name } = repository;
  rmSync(place.githubToken, { force: true });
  const args = [join(root, BUNDLE), owner, name, place.shop, place.githubToken];
  const child = processes.spawn("github", process.execPath, args, root);
  const [out, log] = [processes.path("github", "out"), processes.path("github", "log")];
  for (const end = Date.now() + PATIENCE_SECONDS * 1000; ; await sleep(25)) {
    if (signal.aborted) throw new Interrupted();
    const ended = child.ended;
    const [url] = /^http:\S+(?=\n)/.exec(readFileSync(out, "utf8")) ?? [];
    if (url) {
      const token = readFileSync(place.githubToken, "utf8");
      Object.assign(processes.env, { GITHUB_API_URL: url, GITHUB_TOKEN: token });
      return { url, token, child };
    }
    if (ended || Date.now() > end) {
      const how = ended ? "ended at once" : `did not answer within ${PATIENCE_SECONDS} s`;
      throw new Failure(
        `the story's GitHub ${how}: ${lastError(readFileSync(log, "utf8"))}`,
        `its log: ${log}`,
      );
    }
  }
}

async function bundle() {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: [ENTRY],
    outfile: BUNDLE,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "cjs",
    // It finds an ES module by its place.
    define: { __dirname: JSON.stringify(join(root, "tests", "github")) },
    logLevel: "error",
  });
}

/** @typedef {import("./story-text.mjs").Deployment} Deployment */

/**
 * What the repository's page shows, oldest first. Reports come a moment after what they report.
 * @param {Story} story
 * @param {GitHub} github
 * @returns {Promise<Deployment[]>}
 */
export async function deploymentsOn({ signal }, github) {
  for (const end = Date.now() + 10_000; ; await sleep(100, undefined, { signal }).catch(() => {})) {
    const deployments = await read(github);
    const isOver = deployments.every(({ states }) => states.at(-1) !== "in_progress");
    if (isOver || signal.aborted || Date.now() > end) return deployments;
  }
}

/**
 * @param {GitHub} github
 * @returns {Promise<Deployment[]>}
 */
async function read({ url: api, token }) {
  /** @param {string} url */
  const ask = async (url) => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Failure(`${url}: ${response.status} ${await response.text()}`);
    return /** @type {any[]} */ (await response.json());
  };
  const { owner, name } = repository;
  const all = await ask(`${api}/repos/${owner}/${name}/deployments?per_page=100`);
  const shown = all
    .toReversed()
    .map(async ({ environment, sha, description, payload, statuses_url: url }) => {
      const statuses = await ask(`${url}?per_page=100`);
      const versions = Object.values(payload.images).map(({ version }) => version);
      return {
        environment,
        commit: sha,
        version: [...new Set(versions)].join(", "),
        description,
        states: statuses.map(({ state }) => state).toReversed(),
      };
    });
  return Promise.all(shown);
}
