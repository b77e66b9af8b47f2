// `npm run bench -- --json`: rolls and checks beside Watchtower, on this machine, in one run. See README.md.
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { run } from "../tools/command.mjs";
import { Failure } from "../tools/failure.mjs";
import { watchtower as watchtowerProgram } from "../tools/programs.mjs";
import { progress as onStderr } from "../tools/progress.mjs";
import { cases, checks as idle, repositories, tag } from "./cases.mjs";
import { countChecks } from "./checks.mjs";
import { docker } from "./engine.mjs";
import { notes } from "./notes.mjs";
import { inPlace } from "./place.mjs";
import { row, tables } from "./report.mjs";
import { roll } from "./rolls.mjs";
import { phases } from "./statistics.mjs";
import { openTagalong } from "./tagalong.mjs";
import { openWatchtower } from "./watchtower.mjs";

const usageText = `npm run bench -- [--json] [--case light|busy|twenty|checks]... [--rolls N] [--seed N]

  --json    one JSON document on standard output instead of tables
  --case    only this one; may be repeated (default: all)
  --rolls   rolls a case and a side, from 1 to 50 (default: 10)
  --seed    of the moments of the pushes within the poll (default: 1)
`;

const progress = onStderr();
const open = { tagalong: openTagalong, peer: openWatchtower };

/** @typedef {{json: boolean, names: string[], rolls: number, seed: number}} Wanted */

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
      rolls: { type: "string", default: "10" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const known = [...Object.keys(cases), "checks"];
  const names = values.case ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new Failure(`there is no case "${unknown}"`, `the cases are ${known.join(", ")}`);
  const [rolls, seed] = [Number(values.rolls), Number(values.seed)];
  if (!Number.isInteger(rolls) || rolls < 1 || rolls > 50)
    throw new Failure("--rolls must be a whole number from 1 to 50");
  if (!Number.isInteger(seed) || seed < 0) throw new Failure("--seed must be a whole number, 0 or more");
  return { json: values.json, names, rolls, seed };
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

/** @param {NodeJS.ProcessEnv} env */
async function machine(env) {
  const { Version, ApiVersion, KernelVersion } = await docker.version();
  return {
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 1e9),
    node: process.versions.node,
    docker: `${Version} (API ${ApiVersion})`,
    kernel: KernelVersion ?? "",
    pulumi: (await run("pulumi", ["version"], { env })).trim().replace(/^v/, ""),
    watchtower: watchtowerProgram.version,
    seconds: Math.round(performance.now() / 1_000),
  };
}

/** @param {Wanted} wanted */
async function bench(wanted) {
  const interrupted = new AbortController();
  const end = (/** @type {NodeJS.Signals} */ signal) => {
    progress.say(`${signal}: clearing up`);
    interrupted.abort(new Failure("interrupted; nothing is left on the machine"));
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const measured = inPlace(progress, interrupted.signal, async (place) => {
    /** @type {import("./report.mjs").Document} */
    const document = { rolls: [], checks: null, machine: {}, notes };
    for (const [name, what] of Object.entries(cases)) {
      if (wanted.names.includes(name)) document.rolls.push(await rollCase(place, name, what, wanted));
    }
    if (wanted.names.includes("checks")) document.checks = await checkCase(place);
    document.machine = await machine(place.means.env);
    return document;
  });
  // What failed since it was interrupted is no news.
  return measured.catch((error) => {
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
