// Our side: a stack of its own in a temporary folder, brought up by `pulumi up`, then followed by `tagalong watch`.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { run } from "../tools/command.mjs";
import { root } from "../tools/paths.mjs";
import { intervalSeconds, ports, project, tag } from "./cases.mjs";
import { follow } from "./engine.mjs";
import { start } from "./processes.mjs";

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

/** @typedef {{event: string, message: string, time: number, release?: Record<string, {version?: string}>}} LogLine */

/**
 * @param {import("./rolls.mjs").Means} means
 * @param {readonly string[]} repositories
 * @returns {Promise<import("./rolls.mjs").Side>}
 */
export async function openTagalong(means, repositories) {
  const { front, signal, onClose } = means;
  const folder = join(means.folder, `stack-${repositories.length}-${Date.now()}`);
  const urls = repositories.map((_, index) => `http://127.0.0.1:${ports.tagalong + index}/`);
  writeProject(folder, repositories, means.edge);
  const env = {
    ...means.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    XDG_STATE_HOME: join(folder, "lease"),
  };
  const pulumi = (/** @type {string[]} */ ...args) =>
    run("pulumi", [...args, "--non-interactive", "--color", "never"], { env, cwd: folder, seconds: 300 });
  await pulumi("stack", "init", tag);
  await pulumi("up", "--stack", tag, "--yes", "--skip-preview");
  signal.throwIfAborted();

  const engine = await follow(`dev.tagalong.environment=${environment}`);
  onClose(async () => engine.close());
  const program = [join(root, "cli", "tagalong.mjs"), "watch", "--stack", tag];
  const watcher = await start(process.execPath, program, { env, cwd: folder });
  const stop = async () => {
    await watcher.stop(30_000);
    engine.close();
  };
  onClose(stop);

  const told = () =>
    watcher.lines.flatMap(({ text }) => {
      try {
        return [/** @type {LogLine} */ (JSON.parse(text))];
      } catch {
        return [];
      }
    });
  /** Throws once anything went another way than up: a figure of such a run would mean nothing. */
  function check() {
    const bad = told().find(({ event }) => ["rejected", "failed", "refused", "unknown"].includes(event));
    if (bad || !watcher.alive()) {
      throw new Error(`the watcher did not do what was expected; its last lines:\n${watcher.tail()}`);
    }
  }
  /** @param {(line: LogLine) => boolean} wanted */
  async function heard(wanted) {
    for (const end = Date.now() + 120_000; ; await sleep(20, undefined, { signal })) {
      const line = told().find(wanted);
      if (line) return line;
      check();
      if (Date.now() > end) throw new Error(`the watcher is silent; its last lines:\n${watcher.tail()}`);
    }
  }
  await heard(({ event }) => event === "watching");
  // Its first look is followed by an update that only confirms; the second round of looks comes after it.
  await front.nextLook(800, signal);
  await front.nextLook(800, signal);

  /** @param {LogLine} line @param {string} version */
  const isOf = (line, version) =>
    Object.values(line.release ?? {}).some((image) => image.version === version);
  return {
    name: "tagalong",
    repositories,
    urls,
    marks,
    pid: watcher.pid,
    check,
    settled: async (version) => void (await heard((line) => line.event === "healthy" && isOf(line, version))),
    stop,
    marksOf: ({ pushedAt, servingAt, version }) => {
      const lines = told();
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
function writeProject(folder, repositories, edgeImage) {
  mkdirSync(join(folder, "state"), { recursive: true });
  for (const name of ["program.cjs", "package.json", "node_modules"])
    symlinkSync(join(root, name), join(folder, name));
  const names = repositories.map((repository) => repository.split("/").at(-1) ?? "");
  const images = names.map((name, index) => [
    name,
    { repository: `127.0.0.1:${ports.front}/${repositories[index]}` },
  ]);
  const services = names.map((name, index) => [
    name,
    { image: name, port: 8080, publish: ports.tagalong + index, health: { path: "/healthz" } },
  ]);
  const write = (/** @type {string} */ file, /** @type {unknown} */ content) =>
    writeFileSync(join(folder, file), stringify(content));
  write("Pulumi.yaml", {
    name: project,
    main: "program.cjs",
    runtime: { name: "nodejs", options: { typescript: false } },
    plugins: { providers: [{ name: "tagalong", path: join(root, "provider", "plugin") }] },
    config: { "tagalong:images": { value: Object.fromEntries(images) } },
  });
  write(`Pulumi.${tag}.yaml`, {
    config: {
      "tagalong:edge": { image: edgeImage },
      "tagalong:services": Object.fromEntries(services),
      "tagalong:rollout": { interval: `${intervalSeconds}s` },
    },
  });
}
