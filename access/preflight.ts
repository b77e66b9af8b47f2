/**
 * What would stop an update halfway, found before anything is changed. Pure: each problem is a sentence with what, where
 * and the fix.
 */
import type { Feature } from "../github";
import { lackingFeatures, lackText, type Settings } from "./features";
import type { Survey } from "./survey";
import { workflowProblems } from "./workflows";

/** Everything that is in the way of the repository's stack, in one message. */
export class PreflightError extends Error {
  override readonly name = "PreflightError";

  constructor(readonly problems: readonly string[]) {
    const [first = "", ...more] = problems;
    super(
      more.length === 0
        ? `nothing was changed: ${first}`
        : `nothing was changed:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
  }
}

/** Features to go without. */
export type Skipped = ReadonlyMap<Feature, string>;

/**
 * What to go without, as the config allows it.
 * @param isKnown whether the stack's state has the repository
 * @throws PreflightError with everything that is in the way
 */
export function preflight(settings: Settings, survey: Survey, isKnown = false): Skipped {
  const problems = problemsBefore(settings, survey);
  if (isKnown && survey.facts.repository === undefined) {
    const where = `${settings.owner}/${settings.name}`;
    problems.unshift(
      `${where} is in the stack's state, and GitHub does not show it to this token: use one that may see it; or, where it was deleted, take it out with pulumi state delete and the resource's URN`,
    );
  }
  const lacking = Object.entries(lackingFeatures(settings, survey.facts)) as [Feature, string][];
  if (settings.ifMissing === "fail")
    problems.push(...lacking.map(([feature, why]) => lackText(feature, why)));
  if (problems.length > 0) throw new PreflightError(problems);
  return new Map(lacking);
}

/** What no choice of the config lets pass. */
export function problemsBefore(
  settings: Settings,
  { facts, people, isDefaultBranchThere, workflows }: Survey,
): string[] {
  const { owner, name } = settings;
  const where = `${owner}/${name}`;
  const { repository } = facts;
  if (facts.owner === undefined)
    return [`${owner} is neither a user nor an organisation on GitHub; correct tagalong:repository.owner`];
  const scopes = missingScopes(settings, facts.scopes);
  if (repository === undefined) {
    const isStrangers = facts.owner.kind === "user" && facts.login?.toLowerCase() !== owner.toLowerCase();
    return [
      ...scopes,
      ...(isStrangers
        ? [
            `${where} is not there, or hidden from the token, and only ${owner} may make it; correct tagalong:repository, or use a token of ${owner}'s`,
          ]
        : []),
      ...(facts.owner.mayCreate === false
        ? [
            `${where} is not there, and ${owner} lets its owners alone make repositories; ask one to make it, or to allow it on https://github.com/organizations/${owner}/settings/member_privileges`,
          ]
        : []),
      ...(settings.defaultBranch !== undefined && settings.defaultBranch !== "main"
        ? [
            `${where} is new, and a new repository begins with main; leave out tagalong:repository.defaultBranch until ${settings.defaultBranch} was pushed`,
          ]
        : []),
      ...strangers(settings, people),
    ];
  }
  if (repository.full_name !== where) {
    return [
      repository.full_name.toLowerCase() === where.toLowerCase()
        ? `GitHub spells ${where} as ${repository.full_name}; write it so in tagalong:repository`
        : `${where} was renamed or moved to ${repository.full_name}; write that in tagalong:repository`,
    ];
  }
  if (repository.archived)
    return [
      `${where} is archived, and takes no changes; unarchive it on https://github.com/${where}/settings`,
    ];
  if (repository.permissions?.admin === false) {
    const who = facts.login ?? "whose token it is";
    return [
      `${where} is there, and ${who} is no administrator of it; ask one for the role "Admin", or correct tagalong:repository`,
      ...scopes,
    ];
  }
  return [
    ...scopes,
    ...(isDefaultBranchThere
      ? []
      : [
          `${where} has no branch ${settings.defaultBranch}; push it, or correct tagalong:repository.defaultBranch`,
        ]),
    ...strangers(settings, people),
    ...(workflows ? workflowProblems(workflows, facts.scopes) : []),
  ];
}

/** A fine-grained token's permissions are told by nobody; what it may not read is found out by reading. */
function missingScopes(settings: Settings, scopes: readonly string[] | undefined): string[] {
  if (scopes === undefined || scopes.includes("repo")) return [];
  if (settings.visibility === "public" && scopes.includes("public_repo")) return [];
  return ["the token lacks the scope repo; add it on https://github.com/settings/tokens"];
}

function strangers(settings: Settings, people: Survey["people"]): string[] {
  const { owner, environments, bypass } = settings;
  const named = [
    ...Object.entries(environments).flatMap(([environment, { reviewers }]) =>
      reviewers.map((who, i) => [who, `environments.${environment}.reviewers[${i}]`] as const),
    ),
    ...bypass.map((who, i) => [who, `bypass[${i}]`] as const),
  ];
  return named.flatMap(([who, path]) => {
    if (people[who] !== undefined || !isPerson(who, path)) return [];
    const what = who.startsWith("team:")
      ? `has no team ${who.slice(5)}, or the token may not see it (members: read; a classic token: the scope read:org)`
      : "";
    return [
      what === ""
        ? `there is no user ${who} on GitHub; correct tagalong:repository.${path}`
        : `${owner} ${what}; correct tagalong:repository.${path}`,
    ];
  });
}

/** Roles and apps are no people, and need not be looked up. */
export const isPerson = (who: string, path: string): boolean =>
  who.startsWith("team:") || !path.startsWith("bypass");
