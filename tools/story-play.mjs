// The story itself: the environment comes up, two releases roll forward under steady traffic, and a broken one between
// them is refused.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "./failure.mjs";
import { root } from "./paths.mjs";
import { commit, stack } from "./story-folder.mjs";
import { promote } from "./story-promote.mjs";
import { create, up } from "./story-stack.mjs";
import { seconds, shortDigest, table } from "./story-text.mjs";
import { Watcher } from "./story-watcher.mjs";
import { now, startTraffic } from "./traffic.mjs";

const REQUESTS_A_SECOND = 40;

/** Steady traffic before the first roll, in which a watcher that has just begun sees that all is as it should be. */
const BASELINE_MILLISECONDS = 5_000;

/**
 * @typedef {object} Story
 * @property {import("./story-engine.mjs").StoryEngine} engine what its environments run on
 * @property {import("./story-folder.mjs").Place} place
 * @property {import("./story-processes.mjs").Processes} processes
 * @property {import("./story-text.mjs").Teller} tell
 * @property {AbortSignal} signal
 * @property {string} images their folder in the registry
 * @property {string} base
 * @property {string} pulumi
 */

/** @typedef {import("./story-watcher.mjs").Refusal} Refusal */
/** @typedef {import("./story-watcher.mjs").Decision} Decision */
/** @typedef {{ version: string, commit: string, digests: Record<string, string>, pushedAt: number }} Push */
/** @typedef {{ from: Push, to: Push, until: number }} Roll from the push to the environment's verdict */

/**
 * @typedef {object} Played
 * @property {{ service: string, from: string, to: string, pushedToServingMs: number, requests: number, failed: number }[]} rolls
 * @property {Refusal[]} refused
 * @property {import("./story-promote.mjs").Promoted} promoted
 * @property {number} failed requests, of all
 * @property {Record<string, string>} urls
 * @property {import("./story-processes.mjs").Child} watcher
 */

/**
 * @param {Story} story
 * @returns {Promise<Played>}
 */
export async function play(story) {
  const { tell, signal, processes, place } = story;
  tell.happened(`"${stack}" is to follow ${story.images}/{server,client}:${stack}`);
  const first = await push(story, "1.0.0", "the shop");
  await create(story, stack, signal);
  const urls = await up(story, stack, signal);
  const url = urls["client"] ?? "";
  tell.happened(`pulumi up: ${stack} runs 1.0.0, the shop is at ${url}`, "green");

  const command = [process.execPath, join(root, "cli", "tagalong.mjs"), "watch", "--stack", stack];
  const watcher = new Watcher(processes, [...command, "--cwd", place.project], place.project);
  const seen = new Sightings();
  const traffic = startTraffic({
    url,
    rate: REQUESTS_A_SECOND,
    classify: seen.classify,
    maxSeconds: 1200,
  });
  try {
    await watcher.hear({ signal, what: "it watches", until: ({ event }) => event === "watching" });
    tell.happened(`the watcher is on, and ${REQUESTS_A_SECOND} requests a second come in`);
    await sleep(BASELINE_MILLISECONDS, undefined, { signal }).catch(() => {});
    const scene = { story, watcher, seen, traffic };
    const second = await push(story, "1.1.0", "a better shop");
    const better = await rollForward(scene, first, second);
    const third = await push(story, "1.2.0", "a shop that fails at start", "exit");
    const broken = await refuse(scene, second, third);
    const fourth = await push(story, "1.2.1", "the mistake is mended");
    const mended = await rollForward(scene, second, fourth);
    const promoted = await promote(story, { first: second, rejected: third, last: fourth });

    const report = await traffic.stop();
    const rowsOf = (/** @type {Roll} */ { from, to, until }) =>
      Object.entries(to.digests).map(([service, digest]) => {
        const { requests, failed } = report.between(to.pushedAt, until);
        const was = { version: from.version, digest: from.digests[service] ?? "" };
        const servedAt = seen.firstAt(service, to);
        const pushedToServingMs = servedAt && Math.max(0, Math.round(servedAt - to.pushedAt));
        return {
          service,
          from: was,
          to: { version: to.version, digest },
          pushedToServingMs,
          requests,
          failed,
        };
      });
    tell.plain(`\n${table([better, broken.roll, mended].flatMap(rowsOf), tell.paint)}\n`);
    const { requests, failed, samples } = report;
    const all = requests + promoted.requests;
    tell.plain(`${all} requests in all, ${failed + promoted.failed} failed`);
    for (const { kind, message } of samples.slice(0, 5))
      tell.plain(tell.paint("red", `  ${kind}: ${message}`));
    return {
      urls,
      watcher: watcher.child,
      failed: failed + promoted.failed,
      refused: broken.refused,
      promoted,
      rolls: [better, mended].flatMap(rowsOf).map((row) => ({
        service: row.service,
        from: row.from.digest,
        to: row.to.digest,
        pushedToServingMs: row.pushedToServingMs ?? 0,
        requests: row.requests,
        failed: row.failed,
      })),
    };
  } finally {
    watcher.close();
    await traffic.stop();
  }
}

/**
 * Commits, builds and pushes, as CI would.
 * @param {Story} story
 * @param {string} version
 * @param {string} message
 * @param {string} [broken] how the image is to fail
 * @returns {Promise<Push>}
 */
async function push({ place, processes, tell, signal, images, base }, version, message, broken) {
  const made = await commit(place, { version, message, env: processes.env });
  const args = [
    "--registry",
    images,
    "--base",
    base,
    "--version",
    version,
    "--tag",
    stack,
    "--tag",
    version,
    "--push",
    "--json",
  ];
  if (broken) args.push("--broken", broken);
  const script = join(place.shop, "docker-build.sh");
  const what = `building and pushing ${version}`;
  const out = await processes.run(`build-${version}`, script, args, { what, cwd: place.shop, signal });
  const pushedAt = now();
  const built = /** @type {{ images: Record<string, { digest: string }> }} */ (JSON.parse(out)).images;
  const digests = Object.fromEntries(Object.entries(built).map(([image, { digest }]) => [image, digest]));
  const which = Object.entries(digests).map(([image, digest]) => `${image} ${shortDigest(digest)}`);
  tell.happened(`pushed ${version} (commit ${made.slice(0, 7)}, ${message})`, "bold");
  tell.more(`${stack} is now ${which.join(", ")}`);
  return { version, commit: made, digests, pushedAt };
}

/** @typedef {{ story: Story, watcher: Watcher, seen: Sightings, traffic: import("./traffic.mjs").Traffic }} Scene */

/**
 * @param {Scene} scene
 * @param {Push} from
 * @param {Push} to
 * @returns {Promise<Roll>}
 */
async function rollForward({ story: { tell, signal, images }, watcher, seen, traffic }, from, to) {
  const decision = await watcher.hear({
    signal,
    what: `${to.version} is healthy`,
    until: (heard) => {
      tellDecision(tell, images, heard);
      return heard.event === "rejected" || (heard.event === "healthy" && carries(heard, to));
    },
  });
  if (decision.event === "rejected") {
    throw new Failure(
      `${to.version} is good and was refused all the same: ${decision.message}`,
      logsOf(watcher),
    );
  }
  const served = Object.keys(to.digests).map((service) => {
    const at = seen.firstAt(service, to);
    if (at) return `${service} ${seconds(at - to.pushedAt)}`;
    throw new Failure(`${to.version} is healthy, but no answer of its ${service} came`, logsOf(watcher));
  });
  const until = now();
  const { requests, failed } = traffic.snapshot().between(to.pushedAt, until);
  const counts = `${requests} requests, ${failed} failed`;
  tell.happened(
    `${to.version} serves, ${served.join(" and ")} after the push; ${counts}`,
    failed ? "red" : "green",
  );
  return { from, to, until };
}

/**
 * @param {Scene} scene
 * @param {Push} from
 * @param {Push} to
 * @returns {Promise<{ roll: Roll, refused: Refusal[] }>}
 */
async function refuse({ story: { tell, signal, images }, watcher, seen, traffic }, from, to) {
  /** @type {Refusal[]} */
  let refused = [];
  await watcher.hear({
    signal,
    what: `${to.version} is refused`,
    until: (heard) => {
      tellDecision(tell, images, heard);
      if (heard.event === "rejected") refused = heard.failures ?? [];
      return heard.event === "healthy" || (heard.event === "returned" && refused.length > 0);
    },
  });
  const served = Object.keys(to.digests).find((service) => seen.firstAt(service, to));
  if (refused.length === 0 || served) {
    throw new Failure(`${to.version} is broken and was not kept out`, logsOf(watcher));
  }
  const until = now();
  const { requests, failed } = traffic.snapshot().between(to.pushedAt, until);
  tell.happened(
    `${to.version} is refused, ${from.version} went on serving; ${requests} requests, ${failed} failed`,
    failed ? "red" : "green",
  );
  return { roll: { from, to, until }, refused };
}

/** @param {Watcher} watcher */
const logsOf = ({ log, decisions }) => `the watcher's logs: ${log} and ${decisions}`;

/**
 * @param {Decision} decision
 * @param {Push} push
 */
const carries = ({ release = {} }, { digests }) =>
  Object.entries(digests).every(([image, digest]) => release[image]?.digest === digest);

/**
 * @param {import("./story-text.mjs").Teller} tell
 * @param {string} images
 * @param {Decision} decision
 */
function tellDecision(tell, images, { event, message, failures = [] }) {
  if (event === "waiting" || event === "refused") return; // both last, and say again what was told
  const lines =
    event === "rejected" && failures.length > 0
      ? failures.map(({ service, digest, reason }) => `${service} ${digest}: ${reason.split("\n")[0]}`)
      : message.split("\n").slice(0, 1);
  const [first = "", ...rest] = lines.map((line) =>
    line.replaceAll(`${images}/`, "").replace(/sha256:([0-9a-f]{12})[0-9a-f]*/g, "$1"),
  );
  tell.happened(`  ${event.padEnd(8)}  ${first}`, "cyan");
  for (const line of rest) tell.more(`${" ".repeat(12)}${line}`);
}

/** When each version of each service first answered. The client's answer has the server's in it. */
class Sightings {
  /** @type {Map<string, number>} */
  #first = new Map();

  /** @type {import("./traffic.mjs").Classify} */
  classify = (body) => {
    const client = parsed(body);
    for (const [service, answer] of Object.entries({ client, server: client["server"] })) {
      const key = keyOf(service, fields(answer));
      if (!this.#first.has(key)) this.#first.set(key, now());
    }
    const { version, commit } = client;
    return typeof version === "string" && typeof commit === "string" ? { version, commit } : undefined;
  };

  /**
   * @param {string} service
   * @param {Push} push
   */
  firstAt = (service, push) => this.#first.get(keyOf(service, push));
}

/**
 * @param {string} service
 * @param {{ version?: unknown, commit?: unknown }} answer
 */
const keyOf = (service, { version, commit }) => `${service} ${version} ${commit}`;

/** @param {unknown} value @returns {Record<string, unknown>} */
const fields = (value) =>
  typeof value === "object" && value !== null ? /** @type {Record<string, unknown>} */ (value) : {};

/** @param {string} body */
function parsed(body) {
  try {
    return fields(JSON.parse(body));
  } catch {
    return {};
  }
}
