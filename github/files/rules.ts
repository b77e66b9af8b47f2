/** Whether a branch takes a commit that comes by no pull request, of whoever asks; by reading alone. */
import { z } from "zod";
import type { Client } from "../client";
import { GitHubError, permissions } from "../errors";

/** Rules of rulesets that a commit of ours would break. */
const refusing: readonly string[] = [
  ...["pull_request", "required_status_checks", "update", "merge_queue", "required_deployments"],
  ...["required_signatures", "workflows", "code_scanning"],
];
const patienceMs = 10_000;
const rulesAnswer = z.array(z.object({ type: z.string(), ruleset_id: z.number().optional() }));
const rulesetAnswer = z.object({ current_user_can_bypass: z.string().optional() });

/** @throws GitHubError */
export async function refusesPushes(client: Client, branch: string): Promise<boolean> {
  const ask = <T>(what: string, answer: z.ZodType<T>, parameters: Record<string, unknown>) =>
    known(() =>
      client.ask<T>({
        route: `GET /repos/{owner}/{repo}/${what}`,
        parameters,
        answer,
        needs: permissions.metadata,
        patienceMs,
      }),
    );
  // A plan without rulesets says so with a 403.
  const rules = (await ask("rules/branches/{branch}", rulesAnswer, { branch, per_page: 100 })) ?? [];
  const rulesets = new Set(
    rules.filter(({ type }) => refusing.includes(type)).map(({ ruleset_id: id }) => id),
  );
  const answers = await Promise.all(
    [...rulesets].map(async (id) => {
      const ruleset =
        id === undefined ? undefined : await ask("rulesets/{ruleset_id}", rulesetAnswer, { ruleset_id: id });
      return !["always", "exempt"].includes(ruleset?.current_user_can_bypass ?? "never");
    }),
  );
  return answers.includes(true);
}

/** Undefined where GitHub does not show it. */
async function known<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof GitHubError && ["permission", "not-found"].includes(error.reason)) return undefined;
    throw error;
  }
}
