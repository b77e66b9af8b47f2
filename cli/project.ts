// A project's folder as the commands see it: its environments, their config, and the registry that keeps their past.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { EnvironmentConfig } from "../config";
import { checkReadable } from "../config/editStackFile";
import { suggest } from "../config/explain";
import { Ledger } from "../ledger";
import { type Reference, RegistryClient } from "../registry";
import { configurationIn } from "../rollout/configuration";
import { sources } from "../watcher/candidate";
import { followed } from "../watcher/decide";
import { readConfigFiles, readProject, readSecretTexts } from "../watcher/stackFiles";
import { StackCredentials } from "./credentials";
import { CommandError, exitCodes } from "./failure";
import { environmentsIn } from "./stackNames";

/** One environment, as its files are now. */
export interface Environment {
  readonly name: string;
  readonly project: string;
  /** The stack's file. */
  readonly file: string;
  readonly config: EnvironmentConfig;
  /** By image, at the environment tag; only images that a service runs. */
  readonly references: Readonly<Record<string, Reference>>;
  /** By image, where its releases are; the same repositories unless the config says otherwise. */
  readonly sources: Readonly<Record<string, Reference>>;
  readonly ledger: Ledger;
  /** The encrypted texts of the stack's secrets, which tell a changed one without knowing it. */
  readonly secretTexts: Readonly<Record<string, unknown>>;
  /** What tells the config of an image's services from another, see rollout/configuration.ts. */
  configurationOf(image: string): string;
}

export class Project {
  readonly directory: string;
  readonly name: string;
  readonly credentials: StackCredentials;
  readonly client: RegistryClient;

  /** @throws CommandError where there is no project in the folder */
  constructor(folder: string) {
    this.directory = resolve(folder);
    if (!existsSync(join(this.directory, "Pulumi.yaml"))) {
      const fix = "run in the project's folder, or name it with --cwd";
      throw new CommandError(`no Pulumi.yaml in ${this.directory}: ${fix}`, exitCodes.usage);
    }
    this.name = readProject(this.directory);
    this.credentials = new StackCredentials(this.directory);
    this.client = new RegistryClient({ credentials: this.credentials.lookup });
  }

  /** Runs a command with a project, and ends its connections whatever comes of it. */
  static async with<T>(folder: string, work: (project: Project) => Promise<T>): Promise<T> {
    const project = new Project(folder);
    try {
      return await work(project);
    } catch (error) {
      throw project.credentials.explained(error);
    } finally {
      await project.client.close();
    }
  }

  /** Names of all environments, or those named, each known. @throws CommandError naming what is known */
  names(chosen: readonly string[] = []): string[] {
    const known = environmentsIn(this.directory);
    const strange = chosen.find((name) => !known.includes(name));
    if (strange !== undefined) {
      const fix = `${suggest(strange, known)} Each has a file Pulumi.<stack>.yaml in ${this.directory}`;
      throw new CommandError(`there is no environment "${strange}": ${fix}`, exitCodes.usage);
    }
    if (known.length === 0) {
      const fix = "write a file Pulumi.<stack>.yaml for each";
      throw new CommandError(`there is no environment in ${this.directory}: ${fix}`, exitCodes.usage);
    }
    return chosen.length > 0 ? [...new Set(chosen)] : known;
  }

  /** @throws ConfigError; CommandError for a stack that is not there */
  environment(name: string): Environment {
    this.names([name]);
    const folder = { directory: this.directory, stack: name };
    for (const file of ["Pulumi.yaml", `Pulumi.${name}.yaml`])
      checkReadable(readFileSync(join(this.directory, file), "utf8"), file);
    const config = readConfigFiles(folder);
    const secretTexts = readSecretTexts(folder);
    const references = followed(config);
    this.credentials.add(name, config);
    return {
      name,
      project: this.name,
      file: join(this.directory, `Pulumi.${name}.yaml`),
      config,
      references,
      sources: sources(config),
      secretTexts,
      ledger: new Ledger(this.client, name, references),
      configurationOf: (image) => configurationIn(config, image, secretTexts),
    };
  }
}
