/**
 * From the raw values of the namespace `tagalong` to a typed config, or to one error with every mistake.
 * Decisions only: where the values come from is config.ts's and stackFile.ts's concern.
 */
import type { z } from "zod";
import { ConfigError, type ConfigPath, encryptCommand, type Problem } from "./explain";
import { asMap, type RawConfig } from "./raw";
import { brokenRepositoryRules, isRepositorySecret, textsIn } from "./repositoryRules";
import { badStackName, brokenRules, REPOSITORY_STACK } from "./rules";
import { environmentSchema, repositorySchema } from "./schema";
import { brokenWorkflowRules } from "./workflowRules";

export { REPOSITORY_STACK };

/** One image that services run. */
export type ImageConfig = EnvironmentConfig["images"][string];
/** One service: durations in milliseconds, memory in bytes, `publish` and references parsed. */
export type ServiceConfig = EnvironmentConfig["services"][string];
/** How the environment rolls; durations in milliseconds. */
export type RolloutConfig = EnvironmentConfig["rollout"];
/** The watcher's container. */
export type WatcherConfig = NonNullable<EnvironmentConfig["watcher"]>;

/** The config of an environment's stack, defaults filled in. Secrets and passwords are secret outputs. */
export interface EnvironmentConfig extends z.output<typeof environmentSchema> {
  readonly kind: "environment";
  /** The stack's name, which is the environment's. */
  readonly stack: string;
}

/** The workflows of the managed repository. */
export type WorkflowsConfig = RepositoryConfig["workflows"];

/** The config of the repository's stack. */
export interface RepositoryConfig extends z.output<typeof repositorySchema> {
  readonly kind: "repository";
  readonly stack: string;
  /** Whether the stack writes the workflows into the repository: the config has a key for them, be it empty. */
  readonly writesWorkflows: boolean;
}

export type StackConfig = EnvironmentConfig | RepositoryConfig;

/** What is known beside the values. */
export interface ConfigFacts {
  /** Name of the stack. */
  readonly stack: string;
  /** Whether the value at a path is encrypted in the stack file; by default secrets and passwords are. */
  readonly isEncrypted?: (path: ConfigPath) => boolean;
  /** The environments' stacks of the project; left out where nobody knows them. */
  readonly environments?: readonly string[];
}

/**
 * The typed config of a stack.
 * @param raw values by key, without the namespace: `{images: …, services: …}`
 * @throws ConfigError with every mistake, by path
 */
export function validateConfig(raw: unknown, facts: ConfigFacts): StackConfig {
  const all = asMap(raw);
  const problems = [...misplaced(all, facts.stack), ...plainSecrets(all, facts)];
  if (facts.stack === REPOSITORY_STACK) {
    const own = without(all, environmentOnly);
    const result = repositorySchema.safeParse(own);
    problems.push(
      ...issuesOf(result.error),
      ...brokenRules({ images: own["images"] }, facts.stack),
      ...brokenWorkflowRules(own),
      ...brokenRepositoryRules(own, facts.environments),
    );
    if (result.success && problems.length === 0) {
      const writesWorkflows = own["workflows"] !== undefined;
      return { kind: "repository", stack: facts.stack, writesWorkflows, ...result.data };
    }
  } else {
    const own = { tag: facts.stack, ...without(all, repositoryOnly) };
    const result = environmentSchema.safeParse(own);
    problems.push(...badStackName(facts.stack), ...issuesOf(result.error), ...brokenRules(own, facts.stack));
    if (result.success && problems.length === 0) {
      return { kind: "environment", stack: facts.stack, ...result.data };
    }
  }
  throw new ConfigError(facts.stack, problems);
}

const environmentOnly = Object.keys(environmentSchema.shape).filter(
  (key) => !(key in repositorySchema.shape),
);
const repositoryOnly = Object.keys(repositorySchema.shape).filter((key) => !(key in environmentSchema.shape));

function without(raw: RawConfig, keys: readonly string[]): RawConfig {
  return Object.fromEntries(Object.entries(raw).filter(([key]) => !keys.includes(key)));
}

/** Keys that belong to the other kind of stack. */
function misplaced(raw: RawConfig, stack: string): Problem[] {
  const inRepository = stack === REPOSITORY_STACK;
  return Object.keys(raw)
    .filter((key) => (inRepository ? environmentOnly : repositoryOnly).includes(key))
    .map((key) => ({
      path: [key],
      text: inRepository
        ? "belongs to an environment — move it to the file of an environment's stack"
        : "stands in Pulumi.repository.yaml alone — remove it here",
    }));
}

/** Secrets that are not encrypted, and encrypted values where they would not stay secret. */
function plainSecrets(raw: RawConfig, { stack, isEncrypted = keepsSecrets }: ConfigFacts): Problem[] {
  const passwords = Object.entries(asMap(raw["registries"]))
    .filter(([, registry]) => typeof asMap(registry)["password"] === "string")
    .map(([host]) => ["registries", host, "password"]);
  const secrets = Object.keys(asMap(raw["secrets"])).map((name) => ["secrets", name]);
  const texts = textsIn(raw["repository"], ["repository"]);
  const plain = [...secrets, ...passwords, ...texts.filter(isRepositorySecret)].filter(
    (path) => !isEncrypted(path),
  );
  const misled = [
    ...Object.keys(raw)
      .filter((key) => key !== "repository" && !keepsSecrets([key]) && isEncrypted([key]))
      .map((key): ConfigPath => [key]),
    ...texts.filter((path) => !isRepositorySecret(path) && isEncrypted(path)),
  ];
  return [
    ...plain.map((path) => ({ path, text: `is not encrypted — replace it: ${encryptCommand(path, stack)}` })),
    ...misled.map((path) => ({
      path,
      text:
        path[0] === "repository"
          ? "is encrypted, and would not stay secret on GitHub — set it without --secret"
          : "holds an encrypted value, which would not stay secret here — move it to tagalong:secrets, or set it without --secret",
    })),
  ];
}

function keepsSecrets(path: ConfigPath): boolean {
  return path[0] === "secrets" || path[0] === "registries" || isRepositorySecret(path);
}

/** The schema's complaints, one a key. */
function issuesOf(error: z.ZodError | undefined): Problem[] {
  return (error?.issues ?? []).flatMap((issue): Problem[] => {
    const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    if (issue.code !== "unrecognized_keys") {
      return [{ path, text: issue.message }];
    }
    const texts = issue.message.split("\n");
    return issue.keys.map((key, index) => ({ path: [...path, key], text: texts[index] ?? "unknown key" }));
  });
}
