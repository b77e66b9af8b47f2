/** The environments of a repository on GitHub, with what protects them and the names of what they hold; by reading alone. */
import { z } from "zod";
import type { Client } from "./client";
import { permissions } from "./errors";

const rule = z.object({
  type: z.string(),
  wait_timer: z.number().optional(),
  prevent_self_review: z.boolean().optional(),
  reviewers: z
    .array(z.object({ type: z.string().optional(), reviewer: z.object({ id: z.number() }).optional() }))
    .optional(),
});
const environmentsAnswer = z.object({
  environments: z
    .array(
      z.object({
        name: z.string(),
        can_admins_bypass: z.boolean().optional(),
        protection_rules: z.array(rule).optional(),
        deployment_branch_policy: z
          .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
          .nullish(),
      }),
    )
    .optional(),
});
const policiesAnswer = z.object({
  branch_policies: z.array(
    z.object({ id: z.number().optional(), name: z.string().optional(), type: z.string().optional() }),
  ),
});
const variablesAnswer = z.object({ variables: z.array(z.object({ name: z.string(), value: z.string() })) });
const secretsAnswer = z.object({ secrets: z.array(z.object({ name: z.string() })) });

export interface EnvironmentFacts {
  /** Minutes. */
  wait: number;
  adminsBypass: boolean;
  selfReview: boolean;
  /** Ids. */
  users: readonly number[];
  teams: readonly number[];
  /** Which branches and tags may use it: `selected`, those of its policies. */
  letsIn: "all" | "protected" | "selected";
  policies: readonly { id: number; name: string; type: "branch" | "tag" }[];
  variables: Readonly<Record<string, string>>;
  secrets: readonly string[];
}

const patienceMs = 10_000;
const variablesPage = 30;
const base = "/repos/{owner}/{repo}/environments";

/** @throws GitHubError */
export async function inspectEnvironments(client: Client): Promise<Record<string, EnvironmentFacts>> {
  const { environments = [] } = await client.ask({
    route: `GET ${base}`,
    parameters: { per_page: 100 },
    answer: environmentsAnswer,
    needs: permissions.actions,
    patienceMs,
  });
  const entries = await Promise.all(
    environments.map(async ({ name, protection_rules = [], deployment_branch_policy, can_admins_bypass }) => {
      const read = <T>(what: string, answer: z.ZodType<T>, page = {}) =>
        client.ask<T>({
          route: `GET ${base}/{environment_name}/${what}`,
          parameters: { environment_name: name, per_page: 100, ...page },
          answer,
          needs: permissions.environments,
          patienceMs,
        });
      // GitHub shows at most thirty of them at once.
      const readVariables = async (number = 1): Promise<z.output<typeof variablesAnswer>["variables"]> => {
        const { variables } = await read("variables", variablesAnswer, {
          per_page: variablesPage,
          page: number,
        });
        return variables.length < variablesPage
          ? variables
          : [...variables, ...(await readVariables(number + 1))];
      };
      const letsIn = !deployment_branch_policy
        ? "all"
        : deployment_branch_policy.custom_branch_policies
          ? "selected"
          : "protected";
      const [policies, variables, secrets] = await Promise.all([
        letsIn === "selected" ? read("deployment-branch-policies", policiesAnswer) : { branch_policies: [] },
        readVariables(),
        read("secrets", secretsAnswer),
      ]);
      const reviews = protection_rules.find(({ type }) => type === "required_reviewers");
      const ids = (kind: string) =>
        (reviews?.reviewers ?? []).flatMap(({ type, reviewer }) =>
          type === kind && reviewer ? [reviewer.id] : [],
        );
      const facts: EnvironmentFacts = {
        wait: protection_rules.find(({ type }) => type === "wait_timer")?.wait_timer ?? 0,
        adminsBypass: can_admins_bypass ?? true,
        selfReview: reviews?.prevent_self_review !== true,
        users: ids("User"),
        teams: ids("Team"),
        letsIn,
        policies: policies.branch_policies.flatMap(({ id, name: pattern, type }) =>
          id === undefined || pattern === undefined
            ? []
            : [{ id, name: pattern, type: type === "tag" ? ("tag" as const) : ("branch" as const) }],
        ),
        variables: Object.fromEntries(variables.map(({ name: key, value }) => [key, value])),
        secrets: secrets.secrets.map(({ name: key }) => key),
      };
      return [name, facts] as const;
    }),
  );
  return Object.fromEntries(entries);
}
