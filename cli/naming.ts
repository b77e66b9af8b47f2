// Naming the release of an environment, as promote and rollback do: verified on every image, asked of whoever has a say
// in it, shown, and only then written.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { releaseIn } from "../config/editStackFile";
import { stackFileValues } from "../config/stackFile";
import { releaseProblem } from "../config/values";
import { type Candidate, findCandidate } from "../watcher/candidate";
import { type Evidence, evidenceFor } from "../watcher/evidence";
import { evidenceTable } from "../watcher/evidenceText";
import { type Edit, planEdit, writeEdit } from "./edit";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { json, type Output, paragraph } from "./output";
import type { Environment, Project } from "./project";

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

/** @param release undefined: the environment follows its tag again */
export async function nameRelease(
  project: Project,
  environment: Environment,
  release: string | undefined,
  options: NamingOptions,
  output: Output,
): Promise<ExitCode> {
  const problem = release === undefined ? undefined : releaseProblem(release);
  if (problem !== undefined) throw new CommandError(problem, exitCodes.usage);
  const { name, file, secretTexts } = environment;
  const shared = readFileSync(join(project.directory, "Pulumi.yaml"), "utf8");
  const target = { file, project: shared, stack: name };
  // A file that cannot be edited is told before anything else is.
  const { edit: planned, config } = planEdit(target, release);
  const candidate = await findCandidate(config, project.client, secretTexts);
  const evidence = await evidenceFor(candidate, config, project.client, { directory: project.directory });
  const { course } = candidate;
  const isRefused = course.kind === "refuse";
  const edit = isRefused ? null : options.dryRun ? planned : writeEdit(target, release);
  const naming: Naming = {
    environment: name,
    release: release ?? null,
    images: imagesOf(candidate),
    refusals: isRefused ? [course.why] : [],
    notes: [
      ...(options.notes ?? []),
      ...(course.kind === "stay" ? [course.why] : []),
      ...sharedNote(shared, readFileSync(file, "utf8")),
    ],
    edit,
    next: edit?.changed ? `pulumi up -s ${name}` : null,
  };
  output.write(options.json ? json(naming) : rendered(naming, evidence, options, output));
  return isRefused ? exitCodes.refused : exitCodes.ok;
}

function imagesOf({ images, admissions, running }: Candidate): Naming["images"] {
  return Object.fromEntries(
    Object.entries(images).map(([image, { digest, version = null, revision: commit = null, platforms }]) => {
      const admission = admissions[image];
      const from = running?.images[image]?.to ?? null;
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

function rendered(naming: Naming, evidence: Evidence, options: NamingOptions, output: Output): string {
  const { environment, release, images, refusals, notes, edit, next } = naming;
  const isOverridable = release !== null && Object.values(images).some(({ admitted }) => !admitted);
  return [
    paragraph(evidenceTable(evidence, Date.now()), output),
    ...notes.map((note) => paragraph(`Note: ${note}`, output, 0, "yellow")),
    ...refusals.map((refusal) => paragraph(`Refused: ${refusal}`, output, 0, "red")),
    ...(isOverridable
      ? [`All of it may run with: tagalong override ${environment} --release ${release} --reason "…"\n`]
      : []),
    edit === null ? "Nothing was edited.\n" : editText(edit, next, options.dryRun === true, output),
  ].join("");
}

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
