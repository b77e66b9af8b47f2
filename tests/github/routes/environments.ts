// Environments with what protects them, as GitHub documents it.
import { type Answer, type Call, notFound, type Route, refusal } from "../world";
import type { Owners } from "./owners";

interface Policy {
  id: number;
  name: string;
  type: string;
}

export interface Environment {
  id: number;
  repository: string;
  name: string;
  created_at: string;
  wait_timer: number;
  can_admins_bypass: boolean;
  prevent_self_review: boolean;
  reviewers: { type: string; id: number }[];
  deployment_branch_policy: Record<string, boolean> | null;
  policies: Policy[];
  variables: Map<string, string>;
  /** Encrypted, as they came. */
  secrets: Map<string, string>;
}

const base = "/repos/{owner}/{repo}/environments";
const one = `${base}/{environment_name}`;
const policies = `${one}/deployment-branch-policies`;

export class Environments {
  readonly #all: Environment[] = [];
  #ids = 0;

  constructor(private readonly owners: Owners) {}

  /** A deployment to an environment that is not there makes it. Names differ by more than capitals. */
  ensure(repository: string, name: string): Environment {
    const known = this.find(repository, name);
    if (known) return known;
    const environment: Environment = {
      ...{ id: ++this.#ids, repository, name, created_at: new Date().toISOString() },
      ...{ wait_timer: 0, can_admins_bypass: true, prevent_self_review: false, reviewers: [] },
      ...{ deployment_branch_policy: null, policies: [], variables: new Map(), secrets: new Map() },
    };
    this.#all.push(environment);
    return environment;
  }

  find(repository: string, name: string): Environment | undefined {
    return this.#all.find(
      (each) => each.repository === repository && each.name.toLowerCase() === name.toLowerCase(),
    );
  }

  /** Handles a call to an environment that is there. */
  with(call: Call, handle: (environment: Environment) => Answer | Promise<Answer>): Answer | Promise<Answer> {
    const found = this.find(call.repository, call.parameters["environment_name"] ?? "");
    return found ? handle(found) : notFound();
  }

  readonly routes: Route[] = [
    {
      method: "GET",
      path: base,
      needs: ["actions", "read"],
      handle: async (call) => {
        const own = this.#all.filter(({ repository }) => repository === call.repository);
        const environments = await Promise.all(own.map((each) => shown(call, this.owners, each)));
        return { status: 200, body: { total_count: own.length, environments } };
      },
    },
    {
      method: "GET",
      path: one,
      needs: ["actions", "read"],
      handle: (call) =>
        this.with(call, async (each) => ({ status: 200, body: await shown(call, this.owners, each) })),
    },
    { method: "PUT", path: one, needs: ["administration", "write"], handle: (call) => this.#put(call) },
    {
      method: "DELETE",
      path: one,
      needs: ["administration", "write"],
      handle: (call) =>
        this.with(call, (each) => {
          this.#all.splice(this.#all.indexOf(each), 1);
          return { status: 204 };
        }),
    },
    {
      method: "GET",
      path: policies,
      needs: ["actions", "read"],
      handle: (call) =>
        this.with(call, (each) => ({
          status: 200,
          body: { total_count: each.policies.length, branch_policies: each.policies.map(shownPolicy) },
        })),
    },
    {
      method: "POST",
      path: policies,
      needs: ["administration", "write"],
      handle: (call) => this.with(call, (each) => this.#addPolicy(call, each)),
    },
    ...(["GET", "PUT", "DELETE"] as const).map(
      (method): Route => ({
        method,
        path: `${policies}/{branch_policy_id}`,
        needs: method === "GET" ? ["actions", "read"] : ["administration", "write"],
        handle: (call) => this.with(call, (each) => this.#policy(method, call, each)),
      }),
    ),
  ];

  async #put(call: Call): Promise<Answer> {
    const { repository, parameters, world } = call;
    const { wait_timer, reviewers, ...rest } = call.body as Partial<Environment>;
    const { private: isPrivate } = (await world.ask("GET", `/repos/${repository}`)).body as {
      private: boolean;
    };
    if (isPrivate && this.owners.plan !== "enterprise" && (wait_timer || reviewers?.length))
      return refusal(
        422,
        "Failed to create the environment protection rule. Please ensure the billing plan supports the required reviewers protection rule.",
      );
    const environment = this.ensure(repository, parameters["environment_name"] ?? "");
    const { deployment_branch_policy = null } = rest;
    // What is left out is taken away.
    Object.assign(environment, {
      can_admins_bypass: rest.can_admins_bypass ?? true,
      prevent_self_review: rest.prevent_self_review ?? false,
      wait_timer: wait_timer ?? 0,
      reviewers: reviewers ?? [],
      deployment_branch_policy,
    });
    if (deployment_branch_policy?.["custom_branch_policies"] !== true) environment.policies = [];
    return { status: 200, body: await shown(call, this.owners, environment) };
  }

  #addPolicy({ body }: Call, each: Environment): Answer {
    const { name, type = "branch" } = body as { name: string; type?: string };
    if (each.deployment_branch_policy?.["custom_branch_policies"] !== true) return notFound();
    if (each.policies.some((policy) => policy.name === name && policy.type === type)) return { status: 303 };
    const policy = { id: ++this.#ids, name, type };
    each.policies.push(policy);
    return { status: 200, body: shownPolicy(policy) };
  }

  #policy(method: string, { body, parameters }: Call, each: Environment): Answer {
    const policy = each.policies.find(({ id }) => String(id) === parameters["branch_policy_id"]);
    if (!policy) return notFound();
    if (method === "DELETE") {
      each.policies.splice(each.policies.indexOf(policy), 1);
      return { status: 204 };
    }
    if (method === "PUT") policy.name = body["name"] as string;
    return { status: 200, body: shownPolicy(policy) };
  }
}

const shownPolicy = (policy: Policy) => ({ ...policy, node_id: `GP_${policy.id}` });

async function shown(call: Call, owners: Owners, environment: Environment) {
  const { id, repository, name, created_at, wait_timer, reviewers } = environment;
  const { world } = call;
  const rule = (type: string, number: number) => ({
    id: id * 10 + number,
    node_id: `GA_${id}_${number}`,
    type,
  });
  const named = await Promise.all(
    reviewers.map(async ({ type, id: number }) => ({
      type,
      reviewer: type === "Team" ? await owners.reviewer(call, number) : await world.userOf(number),
    })),
  );
  return {
    ...{ id, node_id: `EN_${id}`, name, created_at, updated_at: created_at },
    url: `${world.repositoryUrl(repository)}/environments/${encodeURIComponent(name)}`,
    html_url: `${world.url}/${repository}/deployments/activity_log?environments_filter=${encodeURIComponent(name)}`,
    can_admins_bypass: environment.can_admins_bypass,
    protection_rules: [
      ...(wait_timer > 0 ? [{ ...rule("wait_timer", 1), wait_timer }] : []),
      ...(named.length > 0
        ? [
            {
              ...rule("required_reviewers", 2),
              prevent_self_review: environment.prevent_self_review,
              reviewers: named,
            },
          ]
        : []),
      ...(environment.deployment_branch_policy ? [rule("branch_policy", 3)] : []),
    ],
    deployment_branch_policy: environment.deployment_branch_policy,
  };
}
