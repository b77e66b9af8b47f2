// The repository on GitHub with everything that is set there: taken over where it is there, made where it is not.
// Promises that nothing of it is ever deleted by Pulumi, and that what the config does not name stays as it is.
import * as github from "@pulumi/github";
import * as pulumi from "@pulumi/pulumi";
import type { WorkflowSurvey } from "../../access/workflows";
import type { RepositoryConfig } from "../../config";
import type { Feature, GitHubFacts } from "../../github";
import { Adoption } from "./adoption";
import { DeploymentEnvironment } from "./deploymentEnvironment";
import { Rulesets } from "./rulesets";
import { Workflows } from "./workflows";

export interface RepositoryArgs {
  settings: RepositoryConfig["repository"];
  /** The environments' stacks; each has an environment on GitHub. */
  environments: readonly string[];
  facts: GitHubFacts;
  people: Readonly<Record<string, number>>;
  /** Features to go without. */
  skipped: ReadonlyMap<Feature, string>;
  /** URNs of what the stack's state has. */
  known: readonly string[];
  /** Left out where no workflows are written. */
  workflows?: WorkflowSurvey | undefined;
  /** Where GitHub's API is, and the token for it. */
  baseUrl: string;
  token: string;
}

const publicApi = "https://api.github.com";
/** What GitHub's provider would set to a default of its own where the config says nothing. */
const nobodysBusiness = [
  ...["homepageUrl", "hasIssues", "hasProjects", "hasWiki", "hasDiscussions", "hasDownloads", "isTemplate"],
  ...["allowForking", "allowUpdateBranch", "webCommitSignoffRequired", "pages", "template"],
  ...["squashMergeCommitTitle", "squashMergeCommitMessage", "mergeCommitTitle", "mergeCommitMessage"],
];
const types = {
  repository: "github:index/repository:Repository",
  actions: "github:index/actionsRepositoryPermissions:ActionsRepositoryPermissions",
  workflow: "github:index/workflowRepositoryPermissions:WorkflowRepositoryPermissions",
  webhook: "github:index/repositoryWebhook:RepositoryWebhook",
  label: "github:index/issueLabel:IssueLabel",
  branch: "github:index/branchDefault:BranchDefault",
};

export class Repository extends pulumi.ComponentResource {
  public readonly url: pulumi.Output<string>;
  public readonly workflows: Workflows | undefined;

  constructor(name: string, args: RepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:Repository", name, {}, opts);
    const { settings, facts, people, skipped } = args;
    const adoption = new Adoption(args.known);
    const isPublicGitHub = args.baseUrl === publicApi;
    const provider = new github.Provider(
      "github",
      {
        owner: settings.owner,
        token: pulumi.secret(args.token),
        baseUrl: `${args.baseUrl.replace(/\/api\/v3$/, "")}/`,
        // GitHub asks for a second between two writes; a server of one's own has no such limit.
        ...(isPublicGitHub ? {} : { writeDelayMs: 1 }),
      },
      { parent: this },
    );
    const own = { parent: this, provider };
    const existing = facts.repository;
    const repository = this.declareRepository(args, adoption, own);
    const repositoryName = repository.name;
    const child = { ...own, dependsOn: [repository] };
    const defaultBranch = settings.defaultBranch ?? existing?.default_branch ?? "main";
    const adopted = (type: string, child: string) =>
      adoption.of(type, child, existing ? settings.name : undefined);

    if (settings.defaultBranch !== undefined && existing !== undefined) {
      new github.BranchDefault(
        name,
        { repository: repositoryName, branch: settings.defaultBranch },
        { ...child, retainOnDelete: true, ...adopted(types.branch, name) },
      );
    }
    // Before the rules that will ask for a pull request.
    this.workflows =
      args.workflows &&
      new Workflows(
        name,
        { repository: `${settings.owner}/${settings.name}`, defaultBranch, survey: args.workflows },
        { parent: this, dependsOn: [repository] },
      );
    if (!skipped.has("rulesets")) {
      const found = (existing?.rulesets ?? []).map(({ id, name: title }) => [title, id] as const);
      new Rulesets(
        name,
        {
          ...{ settings, people, adoption, isPublicGitHub, repository: repositoryName },
          existing: Object.fromEntries(found),
        },
        {
          ...{ parent: this, providers: [provider] },
          dependsOn: this.workflows ? [repository, this.workflows] : [repository],
        },
      );
    }
    if (!skipped.has("actions")) {
      const { allowed, verified, patterns, pinned } = settings.actions;
      new github.ActionsRepositoryPermissions(
        name,
        {
          repository: repositoryName,
          enabled: true,
          allowedActions: allowed === "local" ? "local_only" : allowed,
          shaPinningRequired: pinned,
          ...(allowed === "selected"
            ? {
                allowedActionsConfig: {
                  githubOwnedAllowed: true,
                  verifiedAllowed: verified,
                  patternsAlloweds: patterns,
                },
              }
            : {}),
        },
        // Deleting it would allow everything.
        { ...child, retainOnDelete: true, ...adopted(types.actions, name) },
      );
    }
    if (!skipped.has("workflowPermissions")) {
      new github.WorkflowRepositoryPermissions(
        name,
        {
          repository: repositoryName,
          defaultWorkflowPermissions: settings.workflowPermissions,
          canApprovePullRequestReviews: false,
        },
        { ...child, retainOnDelete: true, ...adopted(types.workflow, name) },
      );
    }
    if (!skipped.has("environments")) {
      for (const environment of args.environments) {
        new DeploymentEnvironment(
          `${name}-${environment}`,
          {
            environment,
            settings: settings.environments[environment],
            repository: repositoryName,
            repositoryName: settings.name,
            defaultBranch,
            people,
            existing: existing?.environments?.[environment],
            adoption,
            isUnprotected: skipped.has("environmentProtection"),
          },
          { parent: this, providers: [provider], dependsOn: [repository] },
        );
      }
    }
    if (settings.webhook !== undefined && !skipped.has("webhook")) {
      const { url, secret } = settings.webhook;
      const hook = existing?.hooks?.find(({ config }) => config.url === url);
      new github.RepositoryWebhook(
        name,
        {
          repository: repositoryName,
          active: true,
          events: ["package", "registry_package"],
          configuration: { url, contentType: "json", insecureSsl: false, secret },
        },
        { ...child, ...adoption.of(types.webhook, name, hook && `${settings.name}/${hook.id}`) },
      );
    }
    if (!skipped.has("labels")) {
      for (const [label, { color, description }] of Object.entries(settings.labels)) {
        const has = existing?.labels?.some((one) => one.name.toLowerCase() === label.toLowerCase());
        new github.IssueLabel(
          `${name}-${label}`,
          { repository: repositoryName, name: label, color: color.toLowerCase(), description },
          {
            ...child,
            ...adoption.of(types.label, `${name}-${label}`, has ? `${settings.name}:${label}` : undefined),
          },
        );
      }
    }
    this.url = repository.htmlUrl;
    this.registerOutputs({ url: this.url });
  }

  private declareRepository(
    { settings, facts, skipped }: RepositoryArgs,
    adoption: Adoption,
    own: pulumi.CustomResourceOptions,
  ): github.Repository {
    const isNew = facts.repository === undefined;
    const { description, topics, visibility, merge, secretScanning } = settings;
    const scanning = facts.repository?.security_and_analysis?.["secret_scanning"]?.status;
    // Where it is off already there is nothing to say, and plans without it refuse even that.
    const scans = secretScanning ? !skipped.has("secretScanning") : scanning === "enabled";
    const status = { status: secretScanning ? "enabled" : "disabled" };
    const left = [
      ...(description === undefined ? ["description"] : []),
      ...(topics === undefined ? ["topics"] : []),
      ...(visibility === undefined ? ["visibility", "private"] : []),
      ...(scans ? [] : ["securityAndAnalysis"]),
      ...(skipped.has("vulnerabilityAlerts") ? ["vulnerabilityAlerts"] : []),
    ];
    return new github.Repository(
      "repository",
      {
        name: settings.name,
        ...(description === undefined ? {} : { description }),
        ...(topics === undefined ? {} : { topics }),
        ...(visibility === undefined ? (isNew ? { visibility: "private" } : {}) : { visibility }),
        ...(isNew ? { hasIssues: true } : {}),
        allowSquashMerge: merge.includes("squash"),
        allowMergeCommit: merge.includes("merge"),
        allowRebaseMerge: merge.includes("rebase"),
        allowAutoMerge: settings.autoMerge,
        deleteBranchOnMerge: settings.deleteBranches,
        ...(skipped.has("vulnerabilityAlerts") ? {} : { vulnerabilityAlerts: settings.vulnerabilityAlerts }),
        ...(scans
          ? { securityAndAnalysis: { secretScanning: status, secretScanningPushProtection: status } }
          : {}),
      },
      {
        ...own,
        protect: true,
        retainOnDelete: true,
        ignoreChanges: [...nobodysBusiness, ...left],
        ...adoption.of(types.repository, "repository", isNew ? undefined : settings.name),
      },
    );
  }
}
