// `tagalong diff`: what the config as it is edited would change, as Markdown for a pull request: one table for all
// environments, from the same evidence as a preview shows.
import { type Evidence, gatherEvidence } from "../watcher/evidence";
import { evidenceMarkdown } from "../watcher/evidenceText";
import { CommandError, codeOf, type ExitCode, exitCodes, sentenceOf } from "./failure";
import { json, type Output, outputTo, plain } from "./output";
import { Project } from "./project";

/** One environment, as `--json` has it; docs/cli.md documents it. */
type DiffEntry = Evidence | { environment: string; problem: string };

export async function diff(
  chosen: string[],
  options: { cwd: string; json?: boolean },
  output: Output = outputTo(),
): Promise<ExitCode> {
  return Project.with(options.cwd, async (project) => {
    const found = await Promise.all(project.names(chosen).map((name) => entryOf(project, name)));
    const entries = found.map(({ entry }) => entry);
    output.write(options.json ? json({ environments: entries }) : rendered(entries, Date.now()));
    return found.map(({ code }) => code).reduce((one, other) => (one > other ? one : other));
  });
}

async function entryOf(project: Project, name: string): Promise<{ entry: DiffEntry; code: ExitCode }> {
  const { client, directory } = project;
  try {
    const { config, secretTexts } = project.environment(name);
    const entry = await gatherEvidence(config, client, { directory, secretTexts });
    return { entry, code: entry.course.kind === "refuse" ? exitCodes.refused : exitCodes.ok };
  } catch (error) {
    // What is not known of one environment hides no other; a mistake of ours is one.
    const explained = project.credentials.explained(error);
    if (explained instanceof CommandError || !isTold(explained)) throw explained;
    return { entry: { environment: name, problem: sentenceOf(explained) }, code: codeOf(explained) };
  }
}

const isTold = (error: unknown): boolean =>
  codeOf(error) !== exitCodes.failed || (error instanceof Error && error.name === "ReleaseError");

export function rendered(entries: readonly DiffEntry[], now: number): string {
  const known = entries.filter((entry): entry is Evidence => !("problem" in entry));
  const problems = entries.flatMap((entry) => ("problem" in entry ? [entry] : []));
  const table = known.length > 0 ? evidenceMarkdown(known, now) : "";
  return table + problems.map(({ environment, problem }) => warning(environment, problem)).join("");
}

/** In a block, where nothing that a registry said is taken for Markdown. */
function warning(environment: string, problem: string): string {
  const lines = problem.replaceAll("````", "").split("\n");
  const quoted = [
    "[!WARNING]",
    `${environment}: not known what \`pulumi up\` would do`,
    "````text",
    ...lines.map(plain),
    "````",
  ];
  return `\n${quoted.map((line) => `> ${line}`).join("\n")}\n`;
}
