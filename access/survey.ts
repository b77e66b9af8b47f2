/**
 * Everything that must be known before the repository's stack runs, asked of GitHub and of the registries; nothing is
 * changed by asking. The program, its preview and `tagalong access` ask alike.
 */
import { z } from "zod";
import type { RepositoryConfig } from "../config";
import { type Client, GitHubError, type GitHubFacts, inspect } from "../github";
import { permissions } from "../github/errors";
import type { RegistryClient } from "../registry";
import { type PackageSurvey, surveyPackages } from "./packages";
import { isPerson } from "./preflight";
import { surveyWorkflows, type WantedWorkflows, type WorkflowSurvey } from "./workflows";

export interface Survey {
  facts: GitHubFacts;
  /** Ids of the users and teams that the config names, as it names them; those that are there. */
  people: Readonly<Record<string, number>>;
  /** Whether the branch that the config names is there; true where it names none. */
  isDefaultBranchThere: boolean;
  /** By image. */
  packages: Readonly<Record<string, PackageSurvey>>;
  /** Left out where the stack writes no workflows. */
  workflows?: WorkflowSurvey;
}

const patienceMs = 5_000;
const idAnswer = z.object({ id: z.number() });

/** @throws GitHubError where GitHub does not answer */
export async function survey(
  { repository: settings, images }: Pick<RepositoryConfig, "repository" | "images">,
  client: Client,
  registry: RegistryClient,
  wanted?: WantedWorkflows,
): Promise<Survey> {
  const facts = await inspect(client, {
    webhook: settings.webhook !== undefined,
    labels: Object.keys(settings.labels).length > 0,
  });
  const [people, isDefaultBranchThere, packages, workflows] = await Promise.all([
    findPeople(settings, client),
    hasDefaultBranch(settings, facts, client),
    surveyPackages(images, facts, client, registry),
    wanted && surveyWorkflows(settings, wanted, facts, client),
  ]);
  return { facts, people, isDefaultBranchThere, packages, ...(workflows && { workflows }) };
}

async function findPeople(
  { owner, environments, bypass }: RepositoryConfig["repository"],
  client: Client,
): Promise<Record<string, number>> {
  const named = [
    ...Object.values(environments).flatMap(({ reviewers }) => reviewers),
    ...bypass.filter((who) => isPerson(who, "bypass")),
  ];
  const found = await Promise.all(
    [...new Set(named)].map(async (who) => {
      const id = await there(client, {
        ...(who.startsWith("team:")
          ? {
              route: "GET /orgs/{org}/teams/{team_slug}",
              parameters: { org: owner, team_slug: who.slice(5) },
              needs: permissions.members,
            }
          : { route: "GET /users/{username}", parameters: { username: who }, needs: permissions.metadata }),
        answer: idAnswer,
      });
      return id === undefined ? [] : [[who, id.id] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}

async function hasDefaultBranch(
  { defaultBranch }: RepositoryConfig["repository"],
  { repository }: GitHubFacts,
  client: Client,
): Promise<boolean> {
  if (defaultBranch === undefined || repository === undefined || repository.default_branch === defaultBranch)
    return true;
  const found = await there(client, {
    route: "GET /repos/{owner}/{repo}/branches/{branch}",
    parameters: { branch: defaultBranch },
    answer: z.object({ name: z.string() }),
    needs: permissions.contents,
  });
  return found !== undefined;
}

type Question<T> = Omit<Parameters<typeof Client.prototype.ask<T>>[0], "patienceMs">;

async function there<T>(client: Client, question: Question<T>): Promise<T | undefined> {
  try {
    return await client.ask<T>({ ...question, patienceMs });
  } catch (error) {
    if (error instanceof GitHubError && ["not-found", "permission"].includes(error.reason)) return undefined;
    throw error;
  }
}
