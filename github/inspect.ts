/**
 * What there is of a repository on GitHub, and who owns it, by reading alone. Promises that what could not be read for
 * want of a permission is named with it, and that every other failure is thrown: what is not known is never taken for
 * what is not there.
 */
import { z } from "zod";
import type { Client, Question } from "./client";
import { GitHubError, type Permission, permissions } from "./errors";
import { type EnvironmentFacts, inspectEnvironments } from "./inspectEnvironments";

export type { EnvironmentFacts } from "./inspectEnvironments";

/** What a plan or a token may lack. */
export type Feature =
  | "rulesets"
  | "actions"
  | "workflowPermissions"
  | "environments"
  | "environmentProtection"
  | "secretScanning"
  | "vulnerabilityAlerts"
  | "webhook"
  | "labels";

export interface RulesetFacts {
  id: number;
  name: string;
  enforcement: string;
  target?: string | undefined;
  bypass_actors?: unknown[] | undefined;
  conditions?: unknown;
  rules?: unknown[] | undefined;
}

const repositoryAnswer = z.object({
  full_name: z.string(),
  archived: z.boolean(),
  visibility: z.string().optional(),
  private: z.boolean(),
  description: z.string().nullable(),
  topics: z.array(z.string()).optional(),
  default_branch: z.string(),
  has_issues: z.boolean().optional(),
  has_projects: z.boolean().optional(),
  has_wiki: z.boolean().optional(),
  permissions: z.object({ admin: z.boolean() }).optional(),
  allow_squash_merge: z.boolean().optional(),
  allow_merge_commit: z.boolean().optional(),
  allow_rebase_merge: z.boolean().optional(),
  allow_auto_merge: z.boolean().optional(),
  delete_branch_on_merge: z.boolean().optional(),
  security_and_analysis: z
    .record(z.string(), z.object({ status: z.string().optional() }).nullish())
    .nullish(),
});
const rulesetAnswer = z.object({
  id: z.number(),
  name: z.string(),
  enforcement: z.string(),
  target: z.string().optional(),
  bypass_actors: z.array(z.unknown()).optional(),
  conditions: z.unknown().optional(),
  rules: z.array(z.unknown()).optional(),
});
const actionsAnswer = z.object({
  enabled: z.boolean(),
  allowed_actions: z.string().optional(),
  sha_pinning_required: z.boolean().optional(),
});
const selectedAnswer = z.object({
  github_owned_allowed: z.boolean().optional(),
  verified_allowed: z.boolean().optional(),
  patterns_allowed: z.array(z.string()).optional(),
});
const workflowAnswer = z.object({
  default_workflow_permissions: z.string(),
  can_approve_pull_request_reviews: z.boolean(),
});
const hookAnswer = z.object({
  id: z.number(),
  active: z.boolean(),
  events: z.array(z.string()),
  config: z.object({ url: z.string().optional() }),
});
const labelAnswer = z.object({ name: z.string(), color: z.string(), description: z.string().nullish() });

export interface RepositoryFacts extends z.output<typeof repositoryAnswer> {
  /** Undefined where a feature could not be read; `lacking` says why. */
  alerts?: boolean | undefined;
  rulesets?: RulesetFacts[] | undefined;
  actions?: z.output<typeof actionsAnswer> & { selected?: z.output<typeof selectedAnswer> };
  workflow?: z.output<typeof workflowAnswer>;
  environments?: Readonly<Record<string, EnvironmentFacts>>;
  hooks?: z.output<typeof hookAnswer>[];
  labels?: z.output<typeof labelAnswer>[];
}

export interface GitHubFacts {
  /** Whose token it is; undefined for an app's, or a workflow's. */
  login?: string;
  /** Of whose token it is; shown to nobody else. */
  plan?: string;
  /** Of a classic token. */
  scopes?: readonly string[];
  owner?: {
    kind: "user" | "organization";
    plan?: string;
    /** False where an organisation lets its owners alone make repositories, and who asks is none. */
    mayCreate?: boolean;
  };
  /** Undefined where it is not there, or hidden. */
  repository?: RepositoryFacts;
  /** Features that the token may not read, and why. */
  lacking: Partial<Record<Feature, string>>;
}

export interface Wanted {
  webhook: boolean;
  labels: boolean;
}

const patienceMs = 10_000;
const planAnswer = z.object({ plan: z.object({ name: z.string() }).optional() });
const organizationAnswer = planAnswer.extend({ members_can_create_repositories: z.boolean().optional() });
const page = { per_page: 100 };

/** @throws GitHubError where GitHub does not answer, or not who asks */
export async function inspect(client: Client, wanted: Wanted): Promise<GitHubFacts> {
  const facts: GitHubFacts = { lacking: {} };
  const ask = <T>(question: Omit<Question<T>, "patienceMs">) => client.ask({ ...question, patienceMs });
  await whoAsks(client, facts);
  await whoOwns(client, facts);
  const repository = await missing(() =>
    ask({ route: "GET /repos/{owner}/{repo}", answer: repositoryAnswer, needs: permissions.metadata }),
  );
  if (repository === undefined) return facts;
  const found: RepositoryFacts = repository;
  facts.repository = found;
  // To whoever is no administrator, nothing more is said; preflight says that.
  if (found.archived || found.permissions?.admin === false) return facts;
  const may = async (feature: Feature, read: () => Promise<void>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      if (!(error instanceof GitHubError) || !["permission", "not-found"].includes(error.reason)) throw error;
      facts.lacking[feature] = error.message;
    }
  };
  const read = <T>(path: string, answer: z.ZodType<T>, needs: Permission, parameters = {}) =>
    ask({ route: `GET /repos/{owner}/{repo}/${path}`, answer, needs, parameters });
  const { administration, metadata, hooks, issues } = permissions;
  await Promise.all([
    may("rulesets", async () => {
      const short = await read("rulesets", z.array(rulesetAnswer), metadata, {
        ...page,
        includes_parents: false,
      });
      found.rulesets = await Promise.all(
        short.map(({ id }) =>
          read("rulesets/{ruleset_id}", rulesetAnswer, administration, { ruleset_id: id }),
        ),
      );
    }),
    may("actions", async () => {
      found.actions = await read("actions/permissions", actionsAnswer, administration);
      if (found.actions.allowed_actions !== "selected") return;
      found.actions.selected = await read(
        "actions/permissions/selected-actions",
        selectedAnswer,
        administration,
      );
    }),
    may("workflowPermissions", async () => {
      found.workflow = await read("actions/permissions/workflow", workflowAnswer, administration);
    }),
    may("vulnerabilityAlerts", async () => {
      found.alerts =
        (await missing(() => read("vulnerability-alerts", z.unknown(), administration).then(() => true))) ??
        false;
    }),
    may("environments", async () => {
      found.environments = await inspectEnvironments(client);
    }),
    wanted.webhook
      ? may("webhook", async () => {
          found.hooks = await read("hooks", z.array(hookAnswer), hooks, page);
        })
      : undefined,
    wanted.labels
      ? may("labels", async () => {
          found.labels = await read("labels", z.array(labelAnswer), issues, page);
        })
      : undefined,
  ]);
  return facts;
}

async function whoAsks(client: Client, facts: GitHubFacts): Promise<void> {
  try {
    const { login, plan } = await client.ask({
      route: "GET /user",
      answer: planAnswer.extend({ login: z.string() }),
      needs: permissions.metadata,
      patienceMs,
      onHeaders: ({ "x-oauth-scopes": scopes }) => {
        if (typeof scopes === "string")
          facts.scopes = scopes.split(",").flatMap((scope) => scope.trim() || []);
      },
    });
    facts.login = login;
    if (plan) facts.plan = plan.name;
  } catch (error) {
    // An app is nobody.
    if (!(error instanceof GitHubError) || error.reason !== "permission") throw error;
  }
}

async function whoOwns(client: Client, facts: GitHubFacts): Promise<void> {
  const { owner } = client.repository;
  const ask = <T>(route: string, answer: z.ZodType<T>, parameters: Record<string, unknown>) =>
    missing(() => client.ask({ route, answer, parameters, needs: permissions.metadata, patienceMs }));
  const organization = await ask("GET /orgs/{org}", organizationAnswer, { org: owner });
  if (organization) {
    const { plan, members_can_create_repositories: mayMembers } = organization;
    // The plan is shown to owners alone.
    facts.owner = {
      kind: "organization",
      ...(plan ? { plan: plan.name } : mayMembers === false ? { mayCreate: false } : {}),
    };
    return;
  }
  const user = await ask("GET /users/{username}", planAnswer, { username: owner });
  if (user === undefined) return;
  const isOwn = facts.login?.toLowerCase() === owner.toLowerCase();
  facts.owner = { kind: "user", ...(isOwn && facts.plan ? { plan: facts.plan } : {}) };
}

/** Undefined where GitHub has it not. */
export async function missing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof GitHubError && error.reason === "not-found") return undefined;
    throw error;
  }
}
