// The files that a watcher reads its stack's config from, which may be edited while it runs.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ConfigError, type EnvironmentConfig } from "../config";
import { checkStackFile } from "../config/stackFile";

export interface StackFolder {
  stack: string;
  /** The project's folder. */
  directory: string;
}

/** The project's name. @throws Error where there is no project in the folder */
export function readProject(directory: string): string {
  const file = join(directory, "Pulumi.yaml");
  if (!existsSync(file))
    throw new Error(`no Pulumi.yaml in ${directory}: run in the project's folder, or name it with --cwd`);
  const { name } = (parse(readFileSync(file, "utf8")) ?? {}) as { name?: string };
  if (!name) throw new Error(`${file} has no name`);
  return name;
}

const filesOf = ({ directory, stack }: StackFolder): [string, string] => [
  join(directory, "Pulumi.yaml"),
  join(directory, `Pulumi.${stack}.yaml`),
];

/** Differs once one of the files has been written. */
export const stampOf = (options: StackFolder): string =>
  filesOf(options)
    .map((file) => (existsSync(file) ? `${statSync(file).mtimeMs} ${statSync(file).size}` : ""))
    .join();

/**
 * The stack's config, secrets left encrypted.
 * @throws ConfigError; Error where a file is missing
 */
export function readConfigFiles(options: StackFolder): EnvironmentConfig {
  const [project, stack] = filesOf(options).map((file) => {
    if (!existsSync(file))
      throw new Error(`${file} is missing: the watcher reads the stack's config from it`);
    return readFileSync(file, "utf8");
  });
  const config = checkStackFile(project ?? "", stack ?? "", options.stack);
  if (config.kind === "repository")
    throw new ConfigError(options.stack, [
      { path: ["repository"], text: "this stack has no environment to watch — watch dev, for example" },
    ]);
  return config;
}

/** By name, as they stand encrypted in the stack's file. */
export function readSecretTexts(options: StackFolder): Record<string, unknown> {
  const [, file] = filesOf(options);
  const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as { config?: Record<string, unknown> };
  return (config?.["tagalong:secrets"] ?? {}) as Record<string, unknown>;
}
