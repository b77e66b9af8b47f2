/**
 * The stack's config: read once, validated, typed. Every mistake is told in one ConfigError, which index.ts
 * lets through before any resource exists; Pulumi prints it without a stack trace.
 */
import * as pulumi from "@pulumi/pulumi";
import { type StackConfig, validateConfig } from "./config/validate";

export { ConfigError, type Problem } from "./config/explain";
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
} from "./config/validate";
export type { Publish } from "./config/values";

const NAMESPACE = "tagalong:";
/** Keys whose value is a text; all others are maps, which Pulumi hands over as JSON. */
const TEXTS: readonly string[] = ["engine", "tag"];

/**
 * The config of the stack that runs. Pulumi says of a key, not of each value below it, whether it is secret:
 * one encrypted value beside a plain one passes here and is refused by stackFile.ts.
 * @throws ConfigError with every mistake, by path
 */
export function readConfig(): StackConfig {
  const values = Object.entries(pulumi.runtime.allConfig())
    .filter(([name]) => name.startsWith(NAMESPACE))
    .map(([name, text]) => [name.slice(NAMESPACE.length), text] as const)
    .map(([key, text]) => [key, TEXTS.includes(key) ? text : parseMap(text)] as const);
  return validateConfig(Object.fromEntries(values), {
    stack: pulumi.getStack(),
    isEncrypted: ([key]) => isSecretKey(`${NAMESPACE}${key}`),
  });
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
