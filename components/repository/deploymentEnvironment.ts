// One environment on GitHub: who may use it and after what, with the variables and secrets of its jobs.
import * as github from "@pulumi/github";
import * as pulumi from "@pulumi/pulumi";
import type { RepositoryConfig } from "../../config";
import type { EnvironmentFacts } from "../../github";
import type { Adoption } from "./adoption";

export type EnvironmentSettings = RepositoryConfig["repository"]["environments"][string];

export interface DeploymentEnvironmentArgs {
  environment: string;
  /** Undefined where the config says nothing of it. */
  settings: EnvironmentSettings | undefined;
  /** The repository's name as it is told to GitHub, and as imports take it. */
  repository: pulumi.Input<string>;
  repositoryName: string;
  defaultBranch: string;
  people: Readonly<Record<string, number>>;
  /** Undefined where GitHub has none of this name. */
  existing: EnvironmentFacts | undefined;
  adoption: Adoption;
  /** Without reviewers and wait timer, where the plan has none. */
  isUnprotected: boolean;
}

const types = {
  environment: "github:index/repositoryEnvironment:RepositoryEnvironment",
  policy: "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy",
  variable: "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable",
};

export class DeploymentEnvironment extends pulumi.ComponentResource {
  constructor(name: string, args: DeploymentEnvironmentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:DeploymentEnvironment", name, {}, opts);
    const { environment, settings, repository, repositoryName, existing, adoption, people } = args;
    const { reviewers = [], wait = 0, selfReview = false, adminsBypass = false } = settings ?? {};
    const isReviewed = reviewers.length > 0 && !args.isUnprotected;
    const id = `${repositoryName}:${environment}`;
    const ids = (isTeam: boolean) =>
      reviewers.filter((who) => who.startsWith("team:") === isTeam).map((who) => people[who] ?? 0);
    const made = new github.RepositoryEnvironment(
      name,
      {
        repository,
        environment,
        canAdminsBypass: adminsBypass,
        ...(wait > 0 && !args.isUnprotected ? { waitTimer: wait / 60_000 } : {}),
        ...(isReviewed
          ? { preventSelfReview: !selfReview, reviewers: [{ users: ids(false), teams: ids(true) }] }
          : {}),
        deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
      },
      {
        parent: this,
        // With it would go its history and the secrets that others put there.
        retainOnDelete: true,
        ...adoption.of(types.environment, name, existing && id),
      },
    );
    const child = { parent: this, dependsOn: [made] };

    const patterns = [
      ...(settings?.branches ?? [args.defaultBranch]).map((pattern) => ["branch", pattern] as const),
      ...(settings?.tags ?? []).map((pattern) => ["tag", pattern] as const),
    ];
    for (const [kind, pattern] of patterns) {
      const own = `${name}-${kind}-${pattern}`;
      const has = existing?.policies.find((policy) => policy.type === kind && policy.name === pattern);
      new github.RepositoryEnvironmentDeploymentPolicy(
        own,
        {
          repository,
          environment,
          ...(kind === "tag" ? { tagPattern: pattern } : { branchPattern: pattern }),
        },
        { ...child, ...adoption.of(types.policy, own, has && `${id}:${has.id}`) },
      );
    }
    for (const [variable, value] of Object.entries(settings?.variables ?? {})) {
      const own = `${name}-${variable}`;
      const has = Object.hasOwn(existing?.variables ?? {}, variable);
      new github.ActionsEnvironmentVariable(
        own,
        { repository, environment, variableName: variable, value },
        { ...child, ...adoption.of(types.variable, own, has ? `${id}:${variable}` : undefined) },
      );
    }
    for (const [secret, value] of Object.entries(settings?.secrets ?? {})) {
      // Nobody may read what it is, so that it is put there whether it is there or not.
      new github.ActionsEnvironmentSecret(
        `${name}-${secret}`,
        { repository, environment, secretName: secret, plaintextValue: value },
        child,
      );
    }
    this.registerOutputs({});
  }
}
