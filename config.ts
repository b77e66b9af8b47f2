/**
 * The stack's config: read once, validated, typed. Every mistake is told in one ConfigError, which index.ts
 * lets through before any resource exists; Pulumi prints it without a stack trace.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { environmentsIn } from "./config/environments";
import { plainIn } from "./config/stackFile";
import { REPOSITORY_STACK, type StackConfig, validateConfig } from "./config/validate";

export { environmentsIn } from "./config/environments";
export { ConfigError, type Problem } from "./config/explain";
export { namespaceOf } from "./config/kubernetes";
export {
  type ConfigFacts,
  type EnvironmentConfig,
  type ImageConfig,
  REPOSITORY_STACK,
  type RepositoryConfig,
  type RolloutConfig,
  type ServiceConfig,
  type StackConfig,
  validateConfig,
  type WatcherConfig,
  type WorkflowsConfig,
} from "./config/validate";
export type { Publish } from "./config/values";

const NAMESPACE = "tagalong:";
/** Keys whose value is a text; all others are maps, which Pulumi hands over as JSON. */
const TEXTS: readonly string[] = ["engine", "tag", "release"];

/**
 * The config of the stack that runs.
 * @param directory where the stack's file is; Pulumi runs a program in its project's directory
 * @throws ConfigError with every mistake, by path
 */
export function readConfig(directory = process.cwd()): StackConfig {
  const values = Object.entries(pulumi.runtime.allConfig())
    .filter(([name]) => name.startsWith(NAMESPACE))
    .map(([name, text]) => [name.slice(NAMESPACE.length), text] as const)
    .map(([key, text]) => [key, TEXTS.includes(key) ? text : parseMap(text)] as const);
  const stack = pulumi.getStack();
  const isPlain = plainInFile(join(directory, `Pulumi.${stack}.yaml`));
  return validateConfig(Object.fromEntries(values), {
    stack,
    environments: environmentsIn(directory),
    isEncrypted: (path) => isSecretKey(`${NAMESPACE}${path[0]}`) && !isPlain(path),
  });
}

/**
 * The texts of Pulumi.yaml, Pulumi.<stack>.yaml and Pulumi.repository.yaml; "" for one that is not there.
 * @param directory as in {@link readConfig}
 */
export function readProjectFiles(
  stack: string,
  directory = process.cwd(),
): { project: string; stack: string; repository: string } {
  const read = (name: string) => {
    const file = join(directory, name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
  return {
    project: read("Pulumi.yaml"),
    stack: read(`Pulumi.${stack}.yaml`),
    repository: read(`Pulumi.${REPOSITORY_STACK}.yaml`),
  };
}

/**
 * Pulumi says of a whole key that it is secret when one value below it is; which one, only the stack's file
 * says. Where there is none (`--config-file`, a bundle), what Pulumi says must do.
 */
function plainInFile(file: string): ReturnType<typeof plainIn> {
  return existsSync(file) ? plainIn(readFileSync(file, "utf8")) : () => false;
}

/** The map that a text stands for; a text that stands for none is left to the schema to complain about. */
function parseMap(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether Pulumi decrypted the key's value, or a part of it. The SDK has the answer but not in its types. */
function isSecretKey(key: string): boolean {
  const runtime: typeof pulumi.runtime & { isConfigSecret?: (key: string) => boolean } = pulumi.runtime;
  if (runtime.isConfigSecret === undefined) {
    throw new Error(
      "This version of @pulumi/pulumi does not say which config is secret; use the pinned version",
    );
  }
  return runtime.isConfigSecret(key);
}
