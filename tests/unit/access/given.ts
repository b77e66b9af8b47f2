/** A repository as it should be, on GitHub and in the config. */
import type { Survey } from "../../../access/survey";
import { type RepositoryConfig, validateConfig } from "../../../config";
import type { RepositoryFacts } from "../../../github";

export type Settings = RepositoryConfig["repository"];

export function settings(values: object = {}): Settings {
  const images = { server: { repository: "ghcr.io/acme/shop/server" } };
  const config = validateConfig(
    { images, repository: { owner: "acme", name: "shop", ...values } },
    { stack: "repository" },
  );
  if (config.kind !== "repository") throw new Error("no repository");
  return config.repository;
}

export function repository(changes: Partial<RepositoryFacts> = {}): RepositoryFacts {
  return {
    full_name: "acme/shop",
    archived: false,
    visibility: "private",
    private: true,
    description: "The shop",
    topics: ["shop"],
    default_branch: "main",
    permissions: { admin: true },
    allow_squash_merge: true,
    allow_merge_commit: false,
    allow_rebase_merge: false,
    allow_auto_merge: false,
    delete_branch_on_merge: true,
    security_and_analysis: {
      secret_scanning: { status: "enabled" },
      secret_scanning_push_protection: { status: "enabled" },
    },
    alerts: true,
    rulesets: ["Tagalong: default branch", "Tagalong: release tags"].map((name, i) => ({
      ...{ id: i, name, enforcement: "active" },
    })),
    actions: {
      ...{ enabled: true, allowed_actions: "selected", sha_pinning_required: true },
      selected: { github_owned_allowed: true, verified_allowed: true, patterns_allowed: [] },
    },
    workflow: { default_workflow_permissions: "read", can_approve_pull_request_reviews: false },
    environments: {
      dev: {
        ...{ wait: 0, adminsBypass: false, selfReview: false, users: [], teams: [], letsIn: "selected" },
        policies: [{ id: 1, name: "main", type: "branch" }],
        variables: {},
        secrets: [],
      },
    },
    ...changes,
  };
}

type Changes = Partial<Omit<Survey, "facts">> & { facts?: Partial<Survey["facts"]> };

export function survey({ facts, ...changes }: Changes = {}): Survey {
  return {
    facts: {
      ...{ login: "ada", lacking: {}, repository: repository() },
      owner: { kind: "organization", plan: "enterprise" },
      ...facts,
    },
    people: {},
    isDefaultBranchThere: true,
    packages: {
      server: {
        repository: "ghcr.io/acme/shop/server",
        onGitHub: { owner: "acme", name: "shop/server" },
        found: {
          visibility: "private",
          page: "https://github.com/orgs/acme/packages/container/package/shop%2Fserver",
          linkedTo: "acme/shop",
        },
        write: { kind: "proved" },
      },
    },
    ...changes,
  };
}
