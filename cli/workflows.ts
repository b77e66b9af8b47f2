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
import {
  blobSha,
  type FoundEntry,
  type FoundFiles,
  isOwnPlace,
  parentsOf,
  type Standing,
  standings,
} from "../github";
import { renderWorkflows, type WorkflowFile } from "../workflows";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { json, type Output, outputTo, paragraph, table } from "./output";

interface Options {
  cwd: string;
  out: string;
  check?: boolean;
  json?: boolean;
}

export interface Row {
  path: string;
  standing: Standing;
}

export function workflows(options: Options, output: Output = outputTo()): ExitCode {
  const files = renderWorkflows(repositoryConfig(resolve(options.cwd)));
  const folder = resolve(options.out);
  const rows = [...standings(files, foundIn(folder, files))].map(([path, standing]) => ({ path, standing }));
  const differing = rows.filter(({ standing }) => standing !== "same");
  const blocked = rows.find(({ standing }) => standing === "blocked");
  if (blocked !== undefined && !options.check)
    throw new CommandError(`${join(folder, blocked.path)} ${words.blocked}`, exitCodes.failed);
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
  outdated: "is as it was rendered once: the config or Tagalong has changed since",
  edited: "was edited by hand, and would be overwritten",
  foreign: "is not of Tagalong, and would be overwritten",
  blocked: "is no file, or lies below one that is no folder: move that away",
  stale: "was rendered once and is not any more: remove it",
  leftover: "was rendered once, and edited by hand, and is not rendered any more: remove it",
};
const isGone = (standing: Standing): boolean => standing === "stale" || standing === "leftover";

function told(folder: string, count: number, rows: readonly Row[], { check }: Options): string {
  if (check) return `${count} files in ${folder} are as they are rendered`;
  const changed = rows.filter(({ standing }) => standing !== "same" && !isGone(standing)).length;
  const stale = rows.filter(({ standing }) => isGone(standing)).map(({ path }) => path);
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

/** What the folder has where files are rendered, or were once. */
function foundIn(folder: string, files: readonly WorkflowFile[]): FoundFiles {
  const once = [".github", ".github/workflows", ".github/tagalong"].flatMap((place) =>
    isFolder(join(folder, place)) ? readdirSync(join(folder, place)).map((name) => `${place}/${name}`) : [],
  );
  const rendered = new Map(files.map((file) => [file.path, file]));
  const paths = new Set([...rendered.keys(), ...once.filter(isOwnPlace)]);
  const places = new Set([...paths].flatMap(parentsOf));
  return new Map(
    [...places, ...paths].flatMap((path): [string, FoundEntry][] => {
      const file = join(folder, path);
      if (!existsSync(file)) return [];
      if (!statSync(file).isFile()) return [[path, { type: "tree", mode: "040000", sha: "" }]];
      const text = readFileSync(file, "utf8");
      const isExecutable = (statSync(file).mode & 0o100) !== 0;
      const mode =
        process.platform === "win32" ? (rendered.get(path)?.mode ?? "") : isExecutable ? "100755" : "100644";
      return [[path, { type: "blob", mode, sha: blobSha(text), text }]];
    }),
  );
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

function write(folder: string, { path, text, mode }: WorkflowFile): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode === "100755" ? 0o755 : 0o644);
}
