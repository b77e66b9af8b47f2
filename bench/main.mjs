// `npm run bench -- --json`: rolls and checks beside Watchtower, rolls beside kubectl, on this machine, in one run. See
// README.md.
import { writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { Failure } from "../tools/failure.mjs";
import { cluster, engine, watchtower as watchtowerProgram } from "../tools/programs.mjs";
import { progress as onStderr } from "../tools/progress.mjs";
import { cases, checks as idle, repositories, tag } from "./cases.mjs";
import { countChecks } from "./checks.mjs";
import { docker } from "./engine.mjs";
import { growth } from "./kubernetes/plot.mjs";
import { kubernetesCase } from "./kubernetes/run.mjs";
import { sizes } from "./kubernetes/sizes.mjs";
import { kubernetesNotes, notes } from "./notes.mjs";
import { inPlace, undoing } from "./place.mjs";
import { row, tables } from "./report.mjs";
import { roll } from "./rolls.mjs";
import { phases } from "./statistics.mjs";
import { openTagalong } from "./tagalong.mjs";
import { openWatchtower } from "./watchtower.mjs";

const usageText = `npm run bench -- [--json] [--case light|busy|twenty|checks|kubernetes]... [--rolls N] [--seed N]
                 [--deployments N]... [--plot FILE]

  --json         one JSON document on standard output instead of tables
  --case         only this one; may be repeated (default: all but kubernetes, which needs Linux and root)
  --rolls        rolls a case and a side, from 1 to 50 (default: 10; kubernetes: 3)
  --seed         of the moments of the pushes within the poll (default: 1)
  --deployments  kubernetes: so many; may be repeated, and go up (default: ${sizes.join(", ")})
  --plot         kubernetes: draws the growth into this file, as SVG
`;

const progress = onStderr();
const open = { tagalong: openTagalong, peer: openWatchtower };

/**
 * @typedef {object} Wanted
 * @property {boolean} json
 * @property {string[]} names
 * @property {number} rolls
 * @property {number} seed
 * @property {import("./kubernetes/run.mjs").Wanted} kubernetes
 * @property {string} [plot]
 */

/**
 * @param {readonly string[]} args
 * @returns {Wanted | undefined} nothing if help was asked for
 */
function wantedBy(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      case: { type: "string", multiple: true },
      rolls: { type: "string" },
      deployments: { type: "string", multiple: true },
      plot: { type: "string" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const beside = [...Object.keys(cases), "checks"];
  const known = [...beside, "kubernetes"];
  const names = values.case ?? beside;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new Failure(`there is no case "${unknown}"`, `the cases are ${known.join(", ")}`);
  const [rolls, seed] = [Number(values.rolls ?? 10), Number(values.seed)];
  const deployments = values.deployments?.map(Number) ?? sizes;
  if (!Number.isInteger(rolls) || rolls < 1 || rolls > 50)
    throw new Failure("--rolls must be a whole number from 1 to 50");
  if (!Number.isInteger(seed) || seed < 0) throw new Failure("--seed must be a whole number, 0 or more");
  if (!deployments.every((one, index) => Number.isInteger(one) && one > (deployments[index - 1] ?? 0)))
    throw new Failure("--deployments must be whole numbers, each larger than the one before");
  return {
    ...{ json: values.json, names, rolls, seed },
    kubernetes: { rolls: Number(values.rolls ?? 3), sizes: deployments },
    ...(values.plot === undefined ? {} : { plot: values.plot }),
  };
}

/**
 * Opens a side at a first version, lets it be measured, and takes it off the machine.
 * @template T
 * @param {import("./place.mjs").Place} place
 * @param {"tagalong" | "peer"} name
 * @param {string} what
 * @param {number} services
 * @param {(side: import("./rolls.mjs").Side) => Promise<T>} measure
 */
async function withSide({ means, images, clear }, name, what, services, measure) {
  const places = repositories(name, services);
  const first = await images.add(`${what}-${name}-0`, places);
  await images.tag(places, tag, first);
  const title = name === "peer" ? "Watchtower" : "Tagalong";
  const side = await progress.step(`${what}: bringing up ${title}`, 20, () => open[name](means, places));
  const result = await measure(side);
  await side.stop();
  await clear();
  return result;
}

/**
 * @param {import("./place.mjs").Place} place
 * @param {string} name
 * @param {import("./cases.mjs").Case} what
 * @param {Wanted} wanted
 */
async function rollCase(place, name, what, { rolls, seed }) {
  const load = Math.round((loadavg()[0] ?? 0) * 100) / 100;
  const moments = phases(rolls, seed);
  /** @param {"tagalong" | "peer"} sideName */
  const measured = (sideName) =>
    withSide(place, sideName, name, what.services, async (side) => {
      /** @type {import("./rolls.mjs").Roll[]} */
      const done = [];
      for (const [index, moment] of moments.entries()) {
        const version = await place.images.add(`${name}-${sideName}-${index + 1}`, side.repositories);
        const one = await roll(side, what, place.images, version, moment, place.means);
        done.push(one);
        progress.say(
          `  ${sideName} ${index + 1}/${rolls}: ${Math.round(one.ms)} ms, ${one.failed} of ${one.requests} requests failed`,
        );
      }
      return { marks: side.marks, rolls: done };
    });
  progress.say(`${name}: ${what.services} services, ${what.says}`);
  const tagalong = await measured("tagalong");
  return row(name, what, load, { tagalong, peer: await measured("peer") });
}

/** @param {import("./place.mjs").Place} place */
async function checkCase(place) {
  const { services, seconds } = idle;
  const counted = async (/** @type {"tagalong" | "peer"} */ name) =>
    withSide(place, name, "checks", services, (side) =>
      progress.step(`  counting what ${name} does while nothing moves`, seconds, () =>
        countChecks(side, seconds, place.means),
      ),
    );
  progress.say(`checks: ${services} services, ${seconds} s without a push`);
  const tagalong = await counted("tagalong");
  return { tagalong, peer: await counted("peer") };
}

/** @returns {Record<string, string | number>} */
const machine = () => ({
  cores: cpus().length,
  memoryGB: Math.round(totalmem() / 1e9),
  node: process.versions.node,
  pulumi: engine.version,
  seconds: Math.round(performance.now() / 1_000),
});

/** @returns {Promise<Record<string, string | number>>} */
async function dockerEngine() {
  const { Version, ApiVersion, KernelVersion } = await docker.version();
  return {
    docker: `${Version} (API ${ApiVersion})`,
    kernel: KernelVersion ?? "",
    watchtower: watchtowerProgram.version,
  };
}

/** @param {Wanted} wanted */
async function bench(wanted) {
  const interrupted = new AbortController();
  const end = (/** @type {NodeJS.Signals} */ signal) => {
    progress.say(`${signal}: clearing up`);
    interrupted.abort(new Failure("interrupted"));
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  /** @type {import("./report.mjs").Document} */
  const document = { rolls: [], checks: null, kubernetes: [], machine: {}, notes: [] };
  const measured = async () => {
    if (wanted.names.some((name) => name !== "kubernetes"))
      await inPlace(progress, interrupted.signal, async (place) => {
        for (const [name, what] of Object.entries(cases)) {
          if (wanted.names.includes(name)) document.rolls.push(await rollCase(place, name, what, wanted));
        }
        if (wanted.names.includes("checks")) document.checks = await checkCase(place);
        document.machine = await dockerEngine();
        document.notes.push(...notes);
      });
    if (wanted.names.includes("kubernetes")) {
      document.kubernetes = await undoing(progress, (onClose) =>
        kubernetesCase(wanted.kubernetes, progress, interrupted.signal, onClose),
      );
      if (wanted.plot !== undefined) writeFileSync(wanted.plot, growth(document.kubernetes));
      document.machine = { ...document.machine, kubernetes: cluster.version };
      document.notes.push(...kubernetesNotes);
    }
    document.machine = { ...machine(), ...document.machine };
    return document;
  };
  // What failed since it was interrupted is no news.
  return measured().catch((error) => {
    throw interrupted.signal.aborted ? interrupted.signal.reason : error;
  });
}

try {
  const wanted = wantedBy(process.argv.slice(2));
  if (!wanted) process.stdout.write(usageText);
  else {
    const document = await bench(wanted);
    process.stdout.write(wanted.json ? `${JSON.stringify(document, null, 2)}\n` : tables(document));
  }
  process.exit(0);
} catch (error) {
  const text =
    error instanceof Failure ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
