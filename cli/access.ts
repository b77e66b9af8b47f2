// `tagalong access`: the checklist of the repository, its packages and who may write to them, asked now and of those who
// know. It changes nothing, and needs neither the stack's state nor its passphrase.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Circumstances, checklist, type Row } from "../access/checklist";
import { surveyed } from "../access/open";
import { REPOSITORY_STACK, type RepositoryConfig } from "../config";
import { checkReadable } from "../config/editStackFile";
import { environmentsIn } from "../config/environments";
import { checkStackFile } from "../config/stackFile";
import { settingsFor, wantedWorkflows } from "../workflows";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { json, type Output, outputTo, type Style, table } from "./output";

const styles: Readonly<Record<Row["state"], Style | undefined>> = {
  ok: "green",
  up: "cyan",
  click: "red",
  unknown: "yellow",
};
const words: Readonly<Record<Row["state"], string>> = {
  ok: "ok",
  up: "fixed by up",
  click: "needs a click",
  unknown: "unknown",
};

export async function access(
  options: { cwd: string; json?: boolean },
  output: Output = outputTo(),
  env: NodeJS.ProcessEnv = process.env,
): Promise<ExitCode> {
  const directory = resolve(options.cwd);
  const environments = environmentsIn(directory);
  const config = repositoryConfig(directory, environments);
  const { survey, isWorkflow } = await surveyed(config, undefined, env, wantedWorkflows(config));
  const circumstances: Circumstances = { environments, isWorkflow };
  const rows = checklist(settingsFor(config), survey, circumstances);
  const { owner, name } = config.repository;
  output.write(
    options.json ? json({ repository: `${owner}/${name}`, rows: rows.map(complete) }) : shown(rows, output),
  );
  return endOf(rows);
}

/** What is wrong comes before what is not known. */
export function endOf(rows: readonly Row[]): ExitCode {
  if (rows.some(({ state }) => state === "click" || state === "up")) return exitCodes.failed;
  return rows.some(({ state }) => state === "unknown") ? exitCodes.unknown : exitCodes.ok;
}

function repositoryConfig(directory: string, environments: readonly string[]): RepositoryConfig {
  const [project, stack] = ["Pulumi.yaml", `Pulumi.${REPOSITORY_STACK}.yaml`].map((file) => {
    const path = join(directory, file);
    if (!existsSync(path)) {
      const fix = "run in the project's folder, or name it with --cwd";
      throw new CommandError(`no ${file} in ${directory}: ${fix}`, exitCodes.usage);
    }
    const text = readFileSync(path, "utf8");
    checkReadable(text, file);
    return text;
  });
  const config = checkStackFile(project ?? "", stack ?? "", REPOSITORY_STACK, environments);
  if (config.kind !== "repository") throw new Error(`${REPOSITORY_STACK} is no environment`);
  return config;
}

const complete = ({ what, state, detail, page }: Row) => ({ what, state, detail, page: page ?? null });

function shown(rows: readonly Row[], output: Output): string {
  return table(
    ["what", "state", "detail"],
    rows.map(({ what, state, detail, page }) => [
      what,
      { text: words[state], ...(styles[state] ? { style: styles[state] } : {}) },
      page !== undefined && state !== "ok" ? `${detail} (${page})` : detail,
    ]),
    output,
  );
}
