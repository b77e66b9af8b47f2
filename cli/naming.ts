// Naming the release of an environment, as promote and rollback do: verified on every image, asked of whoever has a say
// in it, shown, and only then written.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { releaseIn } from "../config/editStackFile";
import { stackFileValues } from "../config/stackFile";
import { releaseProblem } from "../config/values";
import { resolveRelease } from "../ledger";
import type { Admission } from "../rollout/admission";
import { periods } from "../rollout/past";
import type { Hold } from "../rollout/record";
import type { Release } from "../rollout/release";
import { admissionOf } from "./admission";
import { type Edit, editRelease } from "./edit";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { type Cell, json, type Output, paragraph, table } from "./output";
import type { Environment, Project } from "./project";
import { findingOf, titleOf } from "./standing";
import { ago } from "./times";

/** What came of it, as `--json` has it; docs/cli.md documents it. */
export interface Naming {
  environment: string;
  /** null: none, the environment follows its tag. */
  release: string | null;
  images: Record<
    string,
    {
      /** What the environment runs. */
      from: string | null;
      to: string;
      version: string | null;
      commit: string | null;
      platforms: string[];
      admitted: boolean;
      reason: string | null;
    }
  >;
  /** Why `pulumi up` would refuse; empty where it would not. */
  refusals: string[];
  notes: string[];
  /** null where it was refused. */
  edit: Edit | null;
  /** The command that makes it so. */
  next: string | null;
}

export interface NamingOptions {
  dryRun?: boolean;
  json?: boolean;
  /** What a person should know beside it. */
  notes?: string[];
}

interface Facts {
  release: Release;
  admissions: Readonly<Record<string, Admission>>;
  hold: Hold | undefined;
  running: Readonly<Record<string, { digest: string; version?: string }>>;
}

/** @param release undefined: the environment follows its tag again */
export async function nameRelease(
  project: Project,
  environment: Environment,
  release: string | undefined,
  options: NamingOptions,
  output: Output,
): Promise<ExitCode> {
  const now = Date.now();
  const problem = release === undefined ? undefined : releaseProblem(release);
  if (problem !== undefined) throw new CommandError(problem, exitCodes.usage);
  const shared = readFileSync(join(project.directory, "Pulumi.yaml"), "utf8");
  const target = { file: environment.file, project: shared, stack: environment.name };
  // A file that cannot be edited is told before anything else is.
  const planned = editRelease(target, release, true);
  const facts = await factsOf(project, environment, release, now);
  const refusals = refusalsOf(environment.name, facts, now);
  const isRefused = refusals.length > 0;
  const edit = isRefused ? null : options.dryRun ? planned : editRelease(target, release);
  const naming: Naming = {
    environment: environment.name,
    release: release ?? null,
    images: imagesOf(facts),
    refusals,
    notes: [...(options.notes ?? []), ...sharedNote(shared, readFileSync(environment.file, "utf8"))],
    edit,
    next: edit?.changed ? `pulumi up -s ${environment.name}` : null,
  };
  output.write(options.json ? json(naming) : rendered(naming, facts, options, output, now));
  return isRefused ? exitCodes.refused : exitCodes.ok;
}

const noImages: Release = {};

async function factsOf(
  project: Project,
  environment: Environment,
  name: string | undefined,
  now: number,
): Promise<Facts> {
  const { references, ledger } = environment;
  const [release, hold, receipts] = await Promise.all([
    name === undefined ? noImages : resolveRelease(project.client, references, name),
    ledger.hold(),
    ledger.receipts(),
  ]);
  const admissions = await Promise.all(
    Object.entries(release).map(
      async ([image, { digest }]): Promise<[string, Admission]> => [
        image,
        await admissionOf(project, environment, image, digest, now),
      ],
    ),
  );
  const [current] = periods(receipts, Object.keys(references));
  return { release, hold, admissions: Object.fromEntries(admissions), running: current?.images ?? {} };
}

/** What `pulumi up` would say to it, in sentences; nothing where it would do it. */
export function refusalsOf(environment: string, facts: Facts, now: number): string[] {
  const { release, admissions, hold, running } = facts;
  const isNews = Object.entries(release).some(([image, { digest }]) => running[image]?.digest !== digest);
  const held =
    hold && isNews
      ? [
          `${environment} was put on hold by ${hold.by} ${ago(hold.at, now)}: ${hold.reason}; lift it first: tagalong resume ${environment}`,
        ]
      : [];
  const refused = Object.entries(admissions).flatMap(([image, admission]) =>
    admission.admitted ? [] : [`${image}: ${admission.reason}`],
  );
  return [...held, ...refused];
}

function imagesOf({ release, admissions, running }: Facts): Naming["images"] {
  return Object.fromEntries(
    Object.entries(release).map(([image, { digest, version = null, revision: commit = null, platforms }]) => {
      const admission = admissions[image];
      const from = running[image]?.digest ?? null;
      const admitted = admission?.admitted ?? false;
      const reason = admission?.admitted === false ? admission.reason : null;
      return [image, { from, to: digest, version, commit, platforms, admitted, reason }];
    }),
  );
}

/** A release in Pulumi.yaml holds for every stack that names none, which is hardly meant. */
function sharedNote(project: string, stack: string): string[] {
  const release = stackFileValues(project, "").values["release"];
  if (release === undefined) return [];
  const what =
    releaseIn(stack, "the stack's file") === undefined ? "is what this stack runs" : "stands behind it";
  return [
    `Pulumi.yaml names the release ${String(release)} too, which ${what}: it belongs to a stack's file, take it out there`,
  ];
}

function rendered(naming: Naming, facts: Facts, options: NamingOptions, output: Output, now: number): string {
  const { environment, release, refusals, notes, edit, next } = naming;
  const title = release === null ? `${environment} follows its tag` : `${environment} to ${release}`;
  const afters = Object.values(facts.admissions).flatMap(({ evidence }) => evidence.after?.environment ?? []);
  const [after] = afters;
  const rows = Object.entries(facts.release).map(([image, one]): Cell[] => {
    const running = facts.running[image];
    const findings = facts.admissions[image]?.evidence.after?.findings;
    const { outcome, at } = findingOf(findings ?? {});
    const verdict = outcome === "none" ? "no verdict" : `${outcome} ${ago(at, now)}`;
    return [
      image,
      running ? titleOf(running) : "–",
      running?.digest === one.digest ? "the same" : titleOf(one),
      (one.revision ?? "–").slice(0, 7),
      ...(after === undefined ? [] : [verdict]),
      one.platforms.join(", "),
    ];
  });
  const columns = [
    "image",
    "runs",
    "is to run",
    "commit",
    ...(after === undefined ? [] : [`in ${after}`]),
    "platforms",
  ];
  return [
    `${output.paint("bold", title)}\n`,
    rows.length > 0 ? table(columns, rows, output, 2) : "",
    ...notes.map((note) => paragraph(`Note: ${note}`, output, 0, "yellow")),
    ...refusals.map((refusal) => paragraph(`Refused: ${refusal}`, output, 0, "red")),
    ...(isOverridable(facts) ? [overrideHint(naming)] : []),
    ...(edit === null ? ["Nothing was edited.\n"] : [editText(edit, next, options.dryRun === true, output)]),
  ].join("");
}

/** Whether an override is what it takes. */
const isOverridable = ({ admissions }: Facts): boolean =>
  Object.values(admissions).some(({ admitted }) => !admitted);

const overrideHint = ({ environment, release }: Naming): string =>
  `All of it may run with: tagalong override ${environment} --release ${release} --reason "…"\n`;

function editText(
  { file, diff, changed }: Edit,
  next: string | null,
  dryRun: boolean,
  output: Output,
): string {
  if (!changed) return `${file} says so already.\n`;
  const coloured = diff.split("\n").map((line) => {
    const isHead = /^(?:---|\+\+\+|@@)/.test(line);
    return output.paint(
      isHead ? "bold" : line.startsWith("+") ? "green" : line.startsWith("-") ? "red" : undefined,
      line,
    );
  });
  const what = dryRun ? `${file} was not edited (--dry-run).` : `${file} is edited and not committed.`;
  return `\n${coloured.join("\n")}\n${what} Next: ${next}\n`;
}
