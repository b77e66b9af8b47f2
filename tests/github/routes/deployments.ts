// Deployments and their statuses, as GitHub documents them.
import { type Answer, type Call, notFound, paged, type Route, refusal } from "../world";
import type { Environments } from "./environments";

interface Status {
  id: number;
  state: string;
  description: string;
  environment: string;
  environment_url: string;
  log_url: string;
  creator: unknown;
  created_at: string;
}

interface Deployment {
  id: number;
  repository: string;
  sha: string;
  ref: string;
  task: string;
  payload: unknown;
  environment: string;
  original_environment: string;
  description: string | null;
  creator: unknown;
  created_at: string;
  updated_at: string;
  transient_environment: boolean;
  production_environment: boolean;
  /** Newest first. */
  statuses: Status[];
}

const base = "/repos/{owner}/{repo}/deployments";
const longestDescription = 140;

export class Deployments {
  /** Newest first. */
  readonly all: Deployment[] = [];
  #ids = 1_000_000;

  constructor(private readonly environments: Environments) {}

  readonly routes: Route[] = [
    { method: "GET", path: base, needs: ["deployments", "read"], handle: (call) => this.#list(call) },
    { method: "POST", path: base, needs: ["deployments", "write"], handle: (call) => this.#create(call) },
    {
      method: "GET",
      path: `${base}/{deployment_id}`,
      needs: ["deployments", "read"],
      handle: (call) => this.#with(call, (one) => ({ status: 200, body: shown(call, one) })),
    },
    {
      method: "DELETE",
      path: `${base}/{deployment_id}`,
      needs: ["deployments", "write"],
      handle: (call) => this.#with(call, (one) => this.#delete(one)),
    },
    {
      method: "GET",
      path: `${base}/{deployment_id}/statuses`,
      needs: ["deployments", "read"],
      handle: (call) =>
        this.#with(call, (one) => {
          const statuses = one.statuses.map((status) => shownStatus(call, one, status));
          return paged(call, `${urlOf(call, one)}/statuses`, statuses);
        }),
    },
    {
      method: "POST",
      path: `${base}/{deployment_id}/statuses`,
      needs: ["deployments", "write"],
      handle: (call) => this.#with(call, (one) => this.#addStatus(call, one)),
    },
    {
      method: "GET",
      path: `${base}/{deployment_id}/statuses/{status_id}`,
      needs: ["deployments", "read"],
      handle: (call) =>
        this.#with(call, (one) => {
          const status = one.statuses.find(({ id }) => String(id) === call.parameters["status_id"]);
          return status ? { status: 200, body: shownStatus(call, one, status) } : notFound();
        }),
    },
  ];

  #with(call: Call, handle: (one: Deployment) => Answer | Promise<Answer>): Answer | Promise<Answer> {
    const one = this.all.find(
      ({ repository, id }) =>
        repository === call.repository && String(id) === call.parameters["deployment_id"],
    );
    return one ? handle(one) : notFound();
  }

  #list(call: Call): Answer {
    const filters = ["sha", "ref", "task", "environment"] as const;
    const found = this.all.filter(
      (one) =>
        one.repository === call.repository &&
        filters.every((name) => [null, "none", one[name]].includes(call.query.get(name))),
    );
    const url = `${call.world.repositoryUrl(call.repository)}/deployments`;
    return paged(
      call,
      url,
      found.map((one) => shown(call, one)),
    );
  }

  async #create(call: Call): Promise<Answer> {
    const { repository, world, login, body } = call;
    const { ref, task = "deploy", environment = "production", description = "", payload = "" } = body;
    const sha = await world.commit(repository, ref as string);
    if (sha === undefined) return refusal(422, `No ref found for: ${ref}`);
    if (body["auto_merge"] !== false && (await isBehind(call, sha)))
      return refusal(409, `Conflict merging the default branch into ${ref}.`);
    if (body["required_contexts"] === undefined && world.failing.has(sha))
      return refusal(409, `Conflict: Commit status checks failed for ${ref}.`);
    const now = new Date().toISOString();
    const deployment: Deployment = {
      id: ++this.#ids,
      repository,
      sha,
      ref: ref as string,
      task: task as string,
      payload,
      environment: environment as string,
      original_environment: environment as string,
      description: description as string | null,
      creator: await world.user(login),
      created_at: now,
      updated_at: now,
      transient_environment: body["transient_environment"] === true,
      production_environment:
        (body["production_environment"] as boolean | undefined) ?? environment === "production",
      statuses: [],
    };
    this.all.unshift(deployment);
    this.environments.ensure(repository, deployment.environment);
    return { status: 201, body: shown(call, deployment) };
  }

  #delete(one: Deployment): Answer {
    const others = this.all.filter(
      (other) =>
        other !== one && other.repository === one.repository && other.environment === one.environment,
    );
    if (one.statuses[0]?.state !== "inactive" && others.length > 0)
      return refusal(
        422,
        "We cannot delete an active deployment unless it is the only deployment in a given environment.",
      );
    this.all.splice(this.all.indexOf(one), 1);
    return { status: 204 };
  }

  async #addStatus(call: Call, one: Deployment): Promise<Answer> {
    const { body, world, login } = call;
    const {
      state,
      description = "",
      environment_url = "",
      auto_inactive = true,
    } = body as Record<string, string>;
    const log_url = (body["log_url"] ?? body["target_url"] ?? "") as string;
    const wrong = (field: string, message: string) =>
      refusal(422, "Validation Failed", [{ resource: "DeploymentStatus", code: "custom", field, message }]);
    if ([...description].length > longestDescription)
      return wrong("description", `description is too long (maximum is ${longestDescription} characters)`);
    for (const [field, url] of Object.entries({ log_url, environment_url }))
      if (url !== "" && !/^https?:\/\//.test(url)) return wrong(field, `${field} must use http(s) scheme`);
    one.environment = (body["environment"] as string | undefined) ?? one.environment;
    const status = this.#push(one, {
      state: state ?? "",
      description,
      environment_url,
      log_url,
      creator: await world.user(login),
    });
    if (state === "success" && auto_inactive) {
      const prior = this.all.filter(
        (other) =>
          other.id < one.id &&
          other.repository === one.repository &&
          other.environment === one.environment &&
          !other.transient_environment &&
          !other.production_environment &&
          other.statuses[0]?.state === "success",
      );
      for (const other of prior) {
        const { creator } = status;
        this.#push(other, { state: "inactive", description: "", environment_url: "", log_url: "", creator });
      }
    }
    return {
      status: 201,
      body: shownStatus(call, one, status),
      headers: { location: `${urlOf(call, one)}/statuses/${status.id}` },
    };
  }

  #push(one: Deployment, given: Omit<Status, "id" | "environment" | "created_at">): Status {
    const created_at = new Date().toISOString();
    const status: Status = { id: ++this.#ids, environment: one.environment, created_at, ...given };
    one.statuses.unshift(status);
    one.updated_at = created_at;
    return status;
  }
}

/** Whether the default branch has commits that this one lacks. */
async function isBehind({ world, repository }: Call, sha: string): Promise<boolean> {
  const { body } = await world.ask("GET", `/repos/${repository}`);
  const branch = (body as { default_branch: string }).default_branch;
  const comparison = await world.ask("GET", `/repos/${repository}/compare/${branch}...${sha}`);
  return comparison.status !== 200 || (comparison.body as { behind_by: number }).behind_by > 0;
}

const urlOf = ({ world }: Call, { repository, id }: Deployment): string =>
  `${world.repositoryUrl(repository)}/deployments/${id}`;

function shown(call: Call, one: Deployment) {
  const { repository, statuses, ...rest } = one;
  return {
    ...rest,
    url: urlOf(call, one),
    node_id: `DE_${one.id}`,
    statuses_url: `${urlOf(call, one)}/statuses`,
    repository_url: call.world.repositoryUrl(repository),
    performed_via_github_app: null,
  };
}

function shownStatus(call: Call, one: Deployment, status: Status) {
  return {
    ...status,
    url: `${urlOf(call, one)}/statuses/${status.id}`,
    node_id: `DES_${status.id}`,
    target_url: status.log_url,
    updated_at: status.created_at,
    deployment_url: urlOf(call, one),
    repository_url: call.world.repositoryUrl(one.repository),
    performed_via_github_app: null,
  };
}
