// `tagalong workflows`: renders the repository's workflows to a folder, or says what differs there.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { REPOSITORY_STACK, type RepositoryConfig } from "../config";
import { checkStackFile } from "../config/stackFile";
import { renderWorkflows, SIGN, type WorkflowFile } from "../workflows";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { json, type Output, outputTo, paragraph, table } from "./output";

interface Options {
  cwd: string;
  out: string;
  check?: boolean;
  json?: boolean;
}

/** How a file in the folder stands to what is rendered. */
export type Standing = "same" | "new" | "differs" | "foreign" | "stale";

export interface Row {
  path: string;
  standing: Standing;
}

export function workflows(options: Options, output: Output = outputTo()): ExitCode {
  const files = renderWorkflows(repositoryConfig(resolve(options.cwd)));
  const folder = resolve(options.out);
  const rows = standings(folder, files);
  const differing = rows.filter(({ standing }) => standing !== "same");
  if (!options.check) for (const file of files) write(folder, file);
  if (options.json) {
    output.write(json({ folder, written: !options.check, files: rows }));
  } else if (options.check && differing.length > 0) {
    const cells = differing.map(({ path, standing }) => [path, words[standing]]);
    output.write(table(["file", ""], cells, output));
    output.write(paragraph(`Next: tagalong workflows --out ${options.out}`, output));
  } else {
    output.write(paragraph(told(folder, files.length, rows, options), output));
  }
  return options.check && differing.length > 0 ? exitCodes.failed : exitCodes.ok;
}

const words: Readonly<Record<Standing, string>> = {
  same: "as it is rendered",
  new: "is not there",
  differs: "differs from what is rendered: edited by hand, or the config or Tagalong has changed since",
  foreign: "is not of Tagalong, and would be overwritten",
  stale: "was rendered once and is not any more: remove it",
};

function told(folder: string, count: number, rows: readonly Row[], { check }: Options): string {
  if (check) return `${count} files in ${folder} are as they are rendered`;
  const changed = rows.filter(({ standing }) => standing !== "same" && standing !== "stale").length;
  const stale = rows.filter(({ standing }) => standing === "stale").map(({ path }) => path);
  const rest = stale.length > 0 ? `\nNot rendered any more, remove: ${stale.join(", ")}` : "";
  return `${changed} of ${count} files written to ${folder}${rest}`;
}

/** @throws ConfigError; CommandError where there is no such stack */
function repositoryConfig(directory: string): RepositoryConfig {
  const stackFile = join(directory, `Pulumi.${REPOSITORY_STACK}.yaml`);
  const project = join(directory, "Pulumi.yaml");
  const missing = [project, stackFile].find((file) => !existsSync(file));
  if (missing !== undefined) {
    const fix = "run in the project's folder, or name it with --cwd";
    throw new CommandError(`no ${missing}: ${fix}`, exitCodes.usage);
  }
  const config = checkStackFile(
    readFileSync(project, "utf8"),
    readFileSync(stackFile, "utf8"),
    REPOSITORY_STACK,
  );
  if (config.kind !== "repository") throw new Error(`${REPOSITORY_STACK} is not the repository's stack`);
  return config;
}

/** What the folder has of each file, and what it has of ours that is not rendered any more. */
export function standings(folder: string, files: readonly WorkflowFile[]): Row[] {
  const rendered = new Set(files.map(({ path }) => path));
  const rows = files.map((file): Row => ({ path: file.path, standing: standingOf(folder, file) }));
  const stale = [".github/workflows", ".github/tagalong"].flatMap((place) =>
    existsSync(join(folder, place))
      ? readdirSync(join(folder, place))
          .map((name) => `${place}/${name}`)
          .filter((path) => !rendered.has(path) && isOurs(join(folder, path)))
      : [],
  );
  return [...rows, ...stale.map((path): Row => ({ path, standing: "stale" }))];
}

function standingOf(folder: string, { path, text, mode }: WorkflowFile): Standing {
  const file = join(folder, path);
  if (!existsSync(file)) return "new";
  const isExecutable = (statSync(file).mode & 0o100) !== 0;
  const sameMode = process.platform === "win32" || isExecutable === (mode === "100755");
  if (readFileSync(file, "utf8") === text && sameMode) return "same";
  return isOurs(file) ? "differs" : "foreign";
}

const isOurs = (file: string): boolean =>
  statSync(file).isFile() && readFileSync(file, "utf8").slice(0, 500).includes(SIGN);

function write(folder: string, { path, text, mode }: WorkflowFile): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode === "100755" ? 0o755 : 0o644);
}
