// Repositories, as `emulate` has them, with what its answers lack and what an administrator sets.
import { type Answer, type Call, notFound, type Route, refusal } from "../world";
import type { Owners } from "./owners";

const base = "/repos/{owner}/{repo}";
const analysis = ["secret_scanning", "secret_scanning_push_protection"] as const;

export class Repositories {
  /** By `owner/name`: what was set, over what `emulate` knows. */
  readonly #set = new Map<string, Record<string, unknown>>();
  readonly #alerts = new Set<string>();
  /** `owner/name branch` of every branch that somebody pushed. */
  readonly branches = new Set<string>();
  constructor(private readonly owners: Owners) {}

  /** Settings from before anybody asked: what a person has clicked. */
  set(repository: string, settings: Record<string, unknown>): void {
    this.#set.set(repository, { ...this.#set.get(repository), ...settings });
  }

  hasAlerts(repository: string): boolean {
    return this.#alerts.has(repository);
  }

  readonly routes: Route[] = [
    { method: "GET", path: base, needs: ["metadata", "read"], handle: (call) => this.#shown(call) },
    { method: "PATCH", path: base, needs: ["administration", "write"], handle: (call) => this.#edit(call) },
    {
      method: "POST",
      path: "/orgs/{org}/repos",
      handle: (call) => this.#create(call, call.parameters["org"] ?? ""),
    },
    { method: "POST", path: "/user/repos", handle: (call) => this.#create(call, call.login) },
    {
      method: "PUT",
      path: `${base}/topics`,
      needs: ["administration", "write"],
      handle: ({ repository, body }) => {
        this.set(repository, { topics: body["names"] });
        return { status: 200, body: { names: body["names"] } };
      },
    },
    {
      method: "GET",
      path: `${base}/vulnerability-alerts`,
      needs: ["administration", "read"],
      handle: ({ repository }) => (this.#alerts.has(repository) ? { status: 204 } : notFound()),
    },
    {
      method: "GET",
      path: `${base}/branches/{branch}`,
      needs: ["contents", "read"],
      handle: (call) => this.#branch(call),
    },
    ...(["PUT", "DELETE"] as const).map(
      (method): Route => ({
        method,
        path: `${base}/vulnerability-alerts`,
        needs: ["administration", "write"],
        handle: ({ repository }) => {
          this.#alerts[method === "PUT" ? "add" : "delete"](repository);
          return { status: 204 };
        },
      }),
    ),
  ];

  async #shown(call: Call, name = call.repository): Promise<Answer> {
    const { status, body } = await call.world.ask("GET", `/repos/${name}`);
    if (status !== 200) return notFound();
    const whole = body as {
      owner: { login: string };
      forks_count: number;
      pushed_at: string | null;
      created_at: string;
    };
    const set = this.#set.get(name) ?? {};
    const { forks_count: network_count } = whole;
    return {
      status,
      body: {
        ...whole,
        allow_update_branch: false,
        web_commit_signoff_required: false,
        squash_merge_commit_title: "COMMIT_OR_PR_TITLE",
        squash_merge_commit_message: "COMMIT_MESSAGES",
        merge_commit_title: "MERGE_MESSAGE",
        merge_commit_message: "PR_TITLE",
        security_and_analysis: Object.fromEntries(analysis.map((one) => [one, { status: "disabled" }])),
        ...set,
        homepage: set["homepage"] || null,
        // GitHub has a time there for a repository without a push as well.
        pushed_at: whole.pushed_at ?? whole.created_at,
        permissions: permissionsOf(call),
        owner: await call.world.user(whole.owner.login),
        network_count,
        subscribers_count: 0,
      },
    };
  }

  #branch({ repository, parameters, world }: Call): Answer {
    const { branch = "" } = parameters;
    if (!this.branches.has(`${repository} ${branch}`)) return notFound();
    const url = `${world.repositoryUrl(repository)}/branches/${branch}`;
    const sha = "0".repeat(40);
    const commitUrl = `${world.repositoryUrl(repository)}/commits/${sha}`;
    const tree = { sha, url: `${world.repositoryUrl(repository)}/git/trees/${sha}` };
    const commit = { url: commitUrl, author: null, committer: null, message: "", comment_count: 0, tree };
    return {
      status: 200,
      body: {
        name: branch,
        commit: {
          ...{ url: commitUrl, sha, node_id: "C_1", html_url: commitUrl, comments_url: commitUrl },
          ...{ commit, author: null, committer: null, parents: [] },
        },
        _links: { html: `${world.url}/${repository}/tree/${branch}`, self: url },
        protected: false,
        protection: {},
        protection_url: `${url}/protection`,
      },
    };
  }

  async #edit(call: Call): Promise<Answer> {
    const { repository, body, world } = call;
    const before = (await this.#shown(call)).body as Record<string, unknown>;
    const { security_and_analysis: wanted, ...rest } = body;
    if (before["archived"] === true) return refusal(403, "Repository was archived so is read-only.");
    const { visibility = before["visibility"], default_branch } = body as Record<string, string>;
    if (default_branch !== undefined && default_branch !== before["default_branch"]) {
      if (!this.branches.has(`${repository} ${default_branch}`))
        return refusal(422, `Validation Failed: The branch ${default_branch} was not found.`);
    }
    if (wanted !== undefined && this.owners.plan !== "enterprise" && visibility !== "public")
      return refusal(422, "Secret scanning is not available for this repository.");
    if (visibility !== before["visibility"])
      await world.ask("PATCH", `/repos/${repository}`, { visibility, private: visibility !== "public" });
    const { name: _, auto_init: __, license_template: ___, gitignore_template: ____, ...settings } = rest;
    this.set(repository, {
      ...settings,
      ...(wanted === undefined
        ? {}
        : {
            security_and_analysis: { ...(before["security_and_analysis"] as object), ...(wanted as object) },
          }),
    });
    return this.#shown(call);
  }

  async #create(call: Call, owner: string): Promise<Answer> {
    const { world, body } = call;
    if (!this.owners.mayMembersCreate && !call.isAdministrator)
      return refusal(403, "You need admin access to the organization before adding a repository to it.");
    const isPerson = (await world.ask("GET", `/users/${owner}`)).status === 200;
    const visibility = body["visibility"] ?? (body["private"] === true ? "private" : "public");
    const { status, body: made } = await world.ask("POST", `/orgs/${owner}/repos`, {
      name: body["name"],
      private: visibility !== "public",
      visibility,
    });
    if (isPerson || status === 404) return notFound();
    if (status !== 201) return refusal(422, "Repository creation failed.");
    const { full_name: name } = made as { full_name: string };
    const {
      name: _,
      auto_init: __,
      team_id: ___,
      license_template: ____,
      gitignore_template: _____,
      ...settings
    } = body;
    this.set(name, settings);
    return { ...(await this.#shown(call, name)), status: 201 };
  }
}

/** Of the person, not of the token. */
function permissionsOf({ isAdministrator }: Call): Record<string, boolean> {
  const may = isAdministrator;
  return { admin: may, maintain: may, push: may, triage: true, pull: true };
}
