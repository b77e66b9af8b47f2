// `tagalong status`: every environment, what it runs, since when, how it fares and what is in its way.

import { type Containers, containersHere } from "./containers";
import { CommandError, codeOf, type ExitCode, exitCodes, sentenceOf } from "./failure";
import { json, type Output, outputTo, paragraph, type Style, table } from "./output";
import { podsOf } from "./pods";
import { type Environment, Project } from "./project";
import { look, type Sight } from "./sight";
import { type Finding, findingOf, type State, shortDigest, standing } from "./standing";
import { age, ago } from "./times";

/** One environment, as `--json` has it; docs/cli.md documents it. */
export interface StatusEntry {
  environment: string;
  state: State | "broken";
  reasons: string[];
  tag: string | null;
  release: string | null;
  hold: { at: string; by: string; reason: string } | null;
  services: Record<
    string,
    {
      image: string;
      digest: string | null;
      version: string | null;
      commit: string | null;
      since: string | null;
      verdict: Finding;
      containers: { running: number; digests: string[] } | null;
    }
  >;
  images: Record<
    string,
    { repository: string; running: string | null; carried: string | null; named: string | null }
  >;
  watcher: { at: string; isRunning: boolean; where: string } | null;
}

export async function status(
  chosen: string[],
  options: { cwd: string; json?: boolean },
  output: Output = outputTo(),
): Promise<ExitCode> {
  return Project.with(options.cwd, async (project) => {
    const names = project.names(chosen);
    const now = Date.now();
    let here: ReturnType<typeof containersHere> | undefined;
    const containersOf = async (environment: Environment): Promise<Containers | undefined> => {
      if (environment.config.engine === "kubernetes") return podsOf(environment);
      here ??= containersHere(project.name);
      return (await here).get(`${project.name}/${environment.name}`);
    };
    const looked = await Promise.all(
      names.map(async (name) => {
        try {
          const environment = project.environment(name);
          const sight = await look(project, environment, await containersOf(environment), now);
          return {
            entry: entryOf(sight, now),
            code: sight.unknown.length > 0 ? exitCodes.unknown : exitCodes.ok,
          };
        } catch (error) {
          // A mistake in one environment's file hides no other environment.
          if (codeOf(error) !== exitCodes.usage || error instanceof CommandError) throw error;
          return { entry: broken(name, sentenceOf(error)), code: exitCodes.usage };
        }
      }),
    );
    const entries = looked.map(({ entry }) => entry);
    output.write(options.json ? json({ environments: entries }) : rendered(entries, output, now));
    return looked.map(({ code }) => code).reduce((one, other) => (one > other ? one : other));
  });
}

/** What is told of an environment. */
export function entryOf(sight: Sight, now: number): StatusEntry {
  const { state, reasons } = standing(sight, now);
  const { environment, tag, release = null, hold = null, watcher = null } = sight;
  return {
    environment,
    state,
    reasons,
    tag,
    release,
    hold,
    services: Object.fromEntries(
      Object.entries(sight.services).map(([name, { image, containers = null }]) => {
        const { running, findings } = sight.images[image] ?? { findings: {} };
        const { digest = null, version = null, revision: commit = null, since = null } = running ?? {};
        return [name, { image, digest, version, commit, since, verdict: findingOf(findings), containers }];
      }),
    ),
    images: Object.fromEntries(
      Object.entries(sight.images).map(([image, { repository, running, carried, named }]) => {
        const onTag = carried === "none" ? undefined : carried;
        const digests = {
          running: running?.digest ?? null,
          carried: onTag?.digest ?? null,
          named: named?.digest ?? null,
        };
        return [image, { repository, ...digests }];
      }),
    ),
    watcher,
  };
}

function broken(environment: string, reason: string): StatusEntry {
  const nothing = { tag: null, release: null, hold: null, services: {}, images: {}, watcher: null };
  return { environment, state: "broken", reasons: [reason], ...nothing };
}

const styles: Readonly<Record<StatusEntry["state"], Style | undefined>> = {
  steady: "green",
  rolling: "cyan",
  pending: "cyan",
  empty: "dim",
  held: "yellow",
  refused: "red",
  unauthorised: "red",
  unknown: "yellow",
  broken: "red",
};
const verdictStyles: Readonly<Record<Finding["outcome"], Style | undefined>> = {
  healthy: "green",
  rejected: "red",
  none: "dim",
};

export function rendered(entries: readonly StatusEntry[], output: Output, now: number): string {
  return entries.map((entry) => block(entry, output, now)).join("\n");
}

function block(entry: StatusEntry, output: Output, now: number): string {
  const { environment, state, reasons, release, tag, services, watcher } = entry;
  const names = release === null ? (tag === null ? "" : `follows :${tag}`) : `release ${release}`;
  const head = [
    output.paint("bold", environment),
    output.paint(styles[state], state),
    names,
    seen(watcher, now),
  ];
  const rows = Object.entries(services).map(([service, one]) => [
    service,
    one.version ?? "–",
    (one.commit ?? "–").slice(0, 7),
    one.digest === null ? "–" : shortDigest(one.digest),
    age(one.since ?? undefined, now) || "–",
    { text: verdictText(one, now), ...styled(verdictStyles[one.verdict.outcome]) },
  ]);
  const columns = ["service", "version", "commit", "digest", "age", "verdict"];
  return [
    `${head.filter((text) => text !== "").join("  ")}\n`,
    rows.length > 0 ? table(columns, rows, output, 2) : "",
    ...reasons.map((reason) => paragraph(reason, output, 2, styles[state])),
  ].join("");
}

const styled = (style: Style | undefined) => (style ? { style } : {});

function verdictText({ digest, verdict }: StatusEntry["services"][string], now: number): string {
  if (verdict.outcome === "none") return digest === null ? "–" : "none yet";
  const text = `${verdict.outcome} ${ago(verdict.at, now)}`;
  return verdict.reason === undefined ? text : `${text}: ${verdict.reason}`;
}

function seen(watcher: StatusEntry["watcher"], now: number): string {
  if (watcher === null) return "no watcher seen";
  return watcher.isRunning
    ? `watcher runs (${watcher.where})`
    : `watcher last seen ${ago(watcher.at, now)} (${watcher.where})`;
}
