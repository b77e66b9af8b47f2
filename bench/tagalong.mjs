// Our side: a stack of its own in a temporary folder, brought up by `pulumi up`, then followed by `tagalong watch`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { intervalSeconds, ports, project, tag } from "./cases.mjs";
import { follow } from "./engine.mjs";
import { projectEnv, pulumiIn, writeProject } from "./project.mjs";
import { isOf, startWatcher } from "./watcher.mjs";

export const environment = `${project}/${tag}`;

/** What is known of a roll, in order. */
export const marks = [
  "seen",
  "moved",
  "rolling",
  "firstCreated",
  "lastCreated",
  "lastStarted",
  "healthy",
  "switched",
  "serving",
  "tidied",
  "verdict",
];

/**
 * @param {import("./rolls.mjs").Means} means
 * @param {readonly string[]} repositories
 * @returns {Promise<import("./rolls.mjs").Side>}
 */
export async function openTagalong(means, repositories) {
  const { front, signal, onClose } = means;
  const folder = join(means.folder, `stack-${repositories.length}-${Date.now()}`);
  const urls = repositories.map((_, index) => `http://127.0.0.1:${ports.tagalong + index}/`);
  writeStack(folder, repositories, means.edge);
  const env = projectEnv(folder, means.env);
  const pulumi = pulumiIn(folder, env);
  await pulumi("stack", "init", tag);
  await pulumi("up", "--stack", tag, "--yes", "--skip-preview");
  signal.throwIfAborted();

  const engine = await follow(`dev.tagalong.environment=${environment}`);
  onClose(async () => engine.close());
  const watcher = await startWatcher({ stack: tag, folder, env, signal });
  const stop = async () => {
    await watcher.stop();
    engine.close();
  };
  onClose(stop);
  await watcher.heard(({ event }) => event === "watching");
  // Its first look is followed by an update that only confirms; the second round of looks comes after it.
  await front.nextLook(800, signal);
  await front.nextLook(800, signal);

  return {
    name: "tagalong",
    repositories,
    urls,
    marks,
    pid: watcher.pid,
    check: watcher.check,
    settled: async (version) =>
      void (await watcher.heard((line) => line.event === "healthy" && isOf(line, version))),
    stop,
    marksOf: ({ pushedAt, servingAt, version }) => {
      const lines = watcher.told();
      const roll = lines.filter(({ time }) => time >= pushedAt);
      const of = (/** @type {string} */ event) =>
        roll.find((line) => line.event === event && isOf(line, version))?.time;
      const moved = roll.filter(({ event }) => event === "moved").map(({ time }) => time);
      const happened = engine.events.filter(({ at }) => at >= pushedAt);
      const at = (/** @type {string} */ action) =>
        happened.filter((event) => event.action === action).map((event) => event.at);
      return {
        seen: front.firstLook(pushedAt),
        moved: last(moved),
        rolling: of("rolling"),
        firstCreated: at("create")[0],
        lastCreated: last(at("create")),
        lastStarted: last(at("start")),
        ...stateTimes(folder, pushedAt),
        serving: servingAt,
        tidied: last(at("destroy")),
        verdict: of("healthy"),
      };
    },
  };
}

/** @param {number[]} times */
const last = (times) => (times.length > 0 ? Math.max(...times) : undefined);

/**
 * When the gate passed and when the traffic was switched, as the stack's state has it.
 * @param {string} folder
 * @param {number} since
 */
function stateTimes(folder, since) {
  const file = join(folder, "state", ".pulumi", "stacks", project, `${tag}.json`);
  /** @type {{type: string, outputs?: {passedAt?: number, switchedAt?: number}}[]} */
  const resources = JSON.parse(readFileSync(file, "utf8")).checkpoint.latest.resources;
  const healthy = resources.find(({ type }) => type === "tagalong:index:Gate")?.outputs?.passedAt;
  const switched = resources.find(({ type }) => type === "tagalong:index:Route")?.outputs?.switchedAt;
  return {
    healthy: (healthy ?? 0) >= since ? healthy : undefined,
    switched: (switched ?? 0) >= since ? switched : undefined,
  };
}

/**
 * @param {string} folder
 * @param {readonly string[]} repositories
 * @param {string} edgeImage
 */
function writeStack(folder, repositories, edgeImage) {
  const names = repositories.map((repository) => repository.split("/").at(-1) ?? "");
  const images = names.map((name, index) => [
    name,
    { repository: `127.0.0.1:${ports.front}/${repositories[index]}` },
  ]);
  const services = names.map((name, index) => [
    name,
    { image: name, port: 8080, publish: ports.tagalong + index, health: { path: "/healthz" } },
  ]);
  writeProject(folder, {
    name: project,
    images: Object.fromEntries(images),
    stack: tag,
    config: {
      "tagalong:edge": { image: edgeImage },
      "tagalong:services": Object.fromEntries(services),
      "tagalong:rollout": { interval: `${intervalSeconds}s` },
    },
  });
}
