/**
 * Rolls as GitHub deployments, so that the repository's page shows what runs where. Promises that a receipt has one
 * deployment however often it is reported, by whomever and after whatever was lost: it is found again by the receipt's
 * id in its payload, and only what is missing is added. Bounded in requests and in time.
 */
import { z } from "zod";
import type { Receipt } from "../rollout/record";
import type { Client, Question } from "./client";
import { newestOf } from "./compare";
import { GitHubError, permissions } from "./errors";
import {
  commitsOf,
  descriptionOf,
  isNews,
  isProduction,
  payloadOf,
  type State,
  type Status,
  statusOf,
} from "./reporting";

export interface ReportOptions {
  /** Where the roll's log can be read; only http and https are passed on. */
  logUrl?: string;
  /** Where the environment answers. */
  environmentUrl?: string;
  signal?: AbortSignal;
}

export type Report =
  | { kind: "reported"; deployment: number; commit: string; state: State }
  /** There is no commit to report it for. */
  | { kind: "skipped"; reason: string }
  | { kind: "failed"; error: GitHubError };

interface Deployment {
  id: number;
  /** Of its payload; undefined where it is somebody else's. */
  receipt: string | undefined;
}

interface Known {
  deployment: Deployment;
  /** Id of the receipt. */
  receipt: string;
  commit: string;
  /** Newest first. */
  statuses: Status[];
}

const deploymentAnswer = z
  .object({ id: z.number(), payload: z.unknown() })
  .transform(({ id, payload }): Deployment => ({ id, receipt: receiptIn(payload) }));
const statusAnswer = z
  .object({ state: z.string(), description: z.string().nullish() })
  .transform(({ state, description }) => ({ state, description: description ?? "" }) as Status);

/** GitHub gives a payload back as it came: an object, or a text that may hold one. */
function receiptIn(payload: unknown): string | undefined {
  if (typeof payload === "string") {
    try {
      return receiptIn(JSON.parse(payload) as object);
    } catch {
      return undefined;
    }
  }
  const { receipt } = (payload ?? {}) as { receipt?: unknown };
  return typeof receipt === "string" ? receipt : undefined;
}

const base = "/repos/{owner}/{repo}/deployments";
const onePage = 100;
const mostTries = 3;
const pauseMs = 2_000;
/** A roll does not wait for its mirror, so limits may be sat out. */
const patienceMs = 90_000;
/** How many deployments before ours may need a word that they serve no longer. */
const mostRetired = 5;

export class Deployments {
  /** What is known of the deployment that was reported last, so that the next step of its roll is one request. */
  #last: Known | undefined;

  constructor(private readonly client: Client) {}

  /** Never throws what GitHub did: whoever rolls has better to do. */
  async report(receipt: Receipt, options: ReportOptions = {}): Promise<Report> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await this.#reconcile(receipt, options);
      } catch (error) {
        this.#last = undefined;
        if (!(error instanceof GitHubError)) throw error;
        // A lost answer: whether the deployment or the status was made is looked up by the next try.
        if (!error.isUnsure || tried >= mostTries) return { kind: "failed", error };
        await this.client.clock.pause(pauseMs, options.signal);
        options.signal?.throwIfAborted();
      }
    }
  }

  async #reconcile(receipt: Receipt, options: ReportOptions): Promise<Report> {
    const known =
      this.#last?.receipt === receipt.id ? this.#last : await this.#findOrCreate(receipt, options);
    if ("reason" in known) return { kind: "skipped", reason: known.reason };
    this.#last = known;
    const { deployment, commit, statuses } = known;
    const status = statusOf(receipt);
    if (isNews(status, statuses)) await this.#add(deployment, status, options, statuses);
    if (status.state === "success") await this.#retire(receipt, deployment, statuses, options);
    return { kind: "reported", deployment: deployment.id, commit, state: status.state };
  }

  async #findOrCreate(receipt: Receipt, options: ReportOptions): Promise<Known | { reason: string }> {
    const commits = commitsOf(receipt);
    if (commits.kind === "none") return commits;
    const commit = await newestOf(this.client, commits.candidates, options.signal);
    const found = (await this.#list({ environment: receipt.environment, sha: commit }, options))
      .filter((one) => one.receipt === receipt.id)
      .sort((a, b) => a.id - b.id);
    const [deployment, ...doubles] = found;
    // Two who reported at once, or a list that did not show yet what was made: one of them stays.
    for (const double of doubles) await this.#end(double, "Reported twice", options);
    if (deployment === undefined) {
      return {
        deployment: await this.#create(receipt, commit, options),
        receipt: receipt.id,
        commit,
        statuses: [],
      };
    }
    return { deployment, receipt: receipt.id, commit, statuses: await this.#statuses(deployment, options) };
  }

  async #create(receipt: Receipt, commit: string, options: ReportOptions): Promise<Deployment> {
    const { owner, name } = this.client.repository;
    try {
      return await this.#ask(options, {
        route: `POST ${base}`,
        parameters: {
          ref: commit,
          environment: receipt.environment,
          description: descriptionOf(receipt),
          payload: payloadOf(receipt),
          // The image is what it is: nothing is merged, and no check decides over it any more.
          auto_merge: false,
          required_contexts: [],
          transient_environment: false,
          production_environment: isProduction(receipt.environment),
        },
        answer: deploymentAnswer,
      });
    } catch (error) {
      if (!(error instanceof GitHubError) || !/no ref found/i.test(error.said)) throw error;
      throw new GitHubError(
        "not-found",
        `${owner}/${name} has no commit ${commit}, which the images name in the label org.opencontainers.image.revision: push it, or correct tagalong:repository in Pulumi.repository.yaml`,
        { said: error.said },
      );
    }
  }

  /**
   * GitHub itself marks what was there before as inactive, but only what it does not take for production; and of what
   * is reported late it cannot know that something newer serves already.
   */
  async #retire(
    receipt: Receipt,
    own: Deployment,
    statuses: Status[],
    options: ReportOptions,
  ): Promise<void> {
    const ours = (await this.#list({ environment: receipt.environment }, options)).filter(
      (one): one is Deployment & { receipt: string } =>
        one.receipt !== undefined && one.receipt !== receipt.id,
    );
    const newer = ours.filter((one) => one.receipt > receipt.id).slice(0, mostRetired);
    for (const one of newer) {
      if (!(await this.#statuses(one, options)).some(({ state }) => state === "success")) continue;
      const replaced: Status = { state: "inactive", description: "Something newer serves" };
      if (isNews(replaced, statuses)) await this.#add(own, replaced, options, statuses);
      return;
    }
    if (!isProduction(receipt.environment)) return;
    const older = ours.filter((one) => one.receipt < receipt.id).slice(0, mostRetired);
    for (const one of older) {
      const has = await this.#statuses(one, options);
      if (has[0]?.state === "success")
        await this.#add(one, { state: "inactive", description: `Replaced by ${receipt.id}` }, options, has);
      // Whatever served before that one was retired by it.
      if (has.some(({ state }) => state === "success")) return;
    }
  }

  async #end(deployment: Deployment, description: string, options: ReportOptions): Promise<void> {
    const status: Status = { state: "inactive", description };
    const statuses = await this.#statuses(deployment, options);
    if (isNews(status, statuses)) await this.#add(deployment, status, options, statuses);
  }

  async #add(
    deployment: Deployment,
    status: Status,
    options: ReportOptions,
    statuses: Status[],
  ): Promise<void> {
    const { logUrl, environmentUrl } = options;
    await this.#ask(options, {
      route: `POST ${base}/{deployment_id}/statuses`,
      parameters: {
        deployment_id: deployment.id,
        ...status,
        ...(isWebPage(logUrl) ? { log_url: logUrl } : {}),
        ...(isWebPage(environmentUrl) ? { environment_url: environmentUrl } : {}),
      },
      answer: statusAnswer,
    });
    statuses.unshift(status);
  }

  #list(filter: { environment: string; sha?: string }, options: ReportOptions): Promise<Deployment[]> {
    return this.#ask(options, {
      route: `GET ${base}`,
      parameters: { ...filter, per_page: onePage },
      answer: z.array(deploymentAnswer),
    });
  }

  #statuses(deployment: Deployment, options: ReportOptions): Promise<Status[]> {
    return this.#ask(options, {
      route: `GET ${base}/{deployment_id}/statuses`,
      parameters: { deployment_id: deployment.id, per_page: onePage },
      answer: z.array(statusAnswer),
    });
  }

  #ask<T>(
    { signal }: ReportOptions,
    question: Pick<Question<T>, "route" | "parameters" | "answer">,
  ): Promise<T> {
    return this.client.ask({ ...question, needs: permissions.deployments, patienceMs, signal });
  }
}

const isWebPage = (url: string | undefined): url is string =>
  url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
