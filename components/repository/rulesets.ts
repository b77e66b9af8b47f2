// The two rulesets of a repository: nobody writes to its default branch but by a pull request that passed, and nobody
// moves or removes a release's tag.
import * as github from "@pulumi/github";
import * as pulumi from "@pulumi/pulumi";
import type { RepositoryConfig } from "../../config";
import { bypassOf } from "../../config/values";
import type { Adoption } from "./adoption";

type Settings = RepositoryConfig["repository"];

export interface RulesetsArgs {
  settings: Settings;
  repository: pulumi.Input<string>;
  /** Ids of the teams that may bypass, as the config names them. */
  people: Readonly<Record<string, number>>;
  /** Rulesets that GitHub has, by name. */
  existing: Readonly<Record<string, number>>;
  adoption: Adoption;
  /** Whether it is github.com, where Actions' own number is known. */
  isPublicGitHub: boolean;
}

export const branchRuleset = "Tagalong: default branch";
export const tagRuleset = "Tagalong: release tags";
export const requiredCheck = "gate";
/** Of GitHub Actions on github.com, so that no other app may report the check. */
const actionsApp = 15368;

const type = "github:index/repositoryRuleset:RepositoryRuleset";

export class Rulesets extends pulumi.ComponentResource {
  constructor(name: string, args: RulesetsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:Rulesets", name, {}, opts);
    const { settings, repository, existing, adoption } = args;
    const bypassActors = settings.bypass.map((who) => actorOf(who, args.people));
    const declare = (
      child: string,
      title: string,
      own: Pick<github.RepositoryRulesetArgs, "target" | "rules"> & { include: string },
    ) =>
      new github.RepositoryRuleset(
        `${name}-${child}`,
        {
          repository,
          name: title,
          target: own.target,
          enforcement: "active",
          conditions: { refName: { includes: [own.include], excludes: [] } },
          rules: own.rules,
          bypassActors,
        },
        {
          parent: this,
          // What protects a repository stays with it.
          retainOnDelete: true,
          ...adoption.of(type, `${name}-${child}`, importId(settings.name, existing[title])),
        },
      );
    declare("branch", branchRuleset, {
      target: "branch",
      include: "~DEFAULT_BRANCH",
      rules: {
        deletion: true,
        nonFastForward: true,
        pullRequest: {
          requiredApprovingReviewCount: settings.approvals,
          dismissStaleReviewsOnPush: true,
          requireCodeOwnerReview: false,
          requireLastPushApproval: false,
          requiredReviewThreadResolution: false,
          allowedMergeMethods: settings.merge,
        },
        requiredStatusChecks: {
          requiredChecks: [
            { context: requiredCheck, ...(args.isPublicGitHub ? { integrationId: actionsApp } : {}) },
          ],
          strictRequiredStatusChecksPolicy: false,
          doNotEnforceOnCreate: false,
        },
      },
    });
    declare("tags", tagRuleset, {
      target: "tag",
      include: "refs/tags/v*",
      rules: { update: true, deletion: true, nonFastForward: true },
    });
    this.registerOutputs({});
  }
}

const importId = (repository: string, id: number | undefined): string | undefined =>
  id === undefined ? undefined : `${repository}:${id}`;

function actorOf(
  who: string,
  people: Readonly<Record<string, number>>,
): { actorId?: number; actorType: string; bypassMode: string } {
  const bypass = bypassOf(who);
  const bypassMode = "always";
  switch (bypass?.kind) {
    case "role":
      return { actorId: bypass.id, actorType: "RepositoryRole", bypassMode };
    case "app":
      return { actorId: bypass.id, actorType: "Integration", bypassMode };
    case "organization-admin":
      return { actorId: 1, actorType: "OrganizationAdmin", bypassMode };
    default:
      return { actorId: people[who] ?? 0, actorType: "Team", bypassMode };
  }
}
