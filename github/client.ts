/**
 * One question to GitHub's REST API, over Octokit. Promises a deadline for each try, as much patience with limits and
 * outages as the caller has, an answer of the shape that was asked for, and that a write whose answer was lost is not
 * sent again: only the caller can find out whether it was done.
 */
import { Octokit } from "@octokit/core";
import type { z } from "zod";
import { version } from "../package.json";
import { within } from "../registry/within";
import { type Failure, judge } from "./answers";
import { oneLine, type Permission } from "./errors";
import type { Access, Repository } from "./repository";

export interface Question<T> {
  /** In GitHub's form: `GET /repos/{owner}/{repo}/deployments`; owner and repo need no parameters. */
  route: string;
  parameters?: Record<string, unknown>;
  answer: z.ZodType<T>;
  needs: Permission;
  /** How long to wait, all in all, before trying again. */
  patienceMs: number;
  signal?: AbortSignal | undefined;
  /** Is told the headers of the answer, by lower-case name. */
  onHeaders?: (headers: Readonly<Record<string, unknown>>) => void;
}

export interface Clock {
  now(): number;
  /** Ends early, and quietly, when the signal does. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
}

const deadlineMs = 10_000;
const mostTries = 3;
const silent = () => {};
const silence = { debug: silent, info: silent, warn: silent, error: silent };

const systemClock: Clock = {
  now: Date.now,
  pause: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const timer = setTimeout(done, ms);
      function done() {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      }
      signal?.addEventListener("abort", done);
    }),
};

export class Client {
  readonly #octokit: Octokit;

  constructor(
    readonly repository: Repository,
    readonly access: Access,
    readonly clock: Clock = systemClock,
    /** Ends every question; one of its own goes before. */
    private readonly signal?: AbortSignal,
  ) {
    this.#octokit = new Octokit({
      auth: access.token,
      baseUrl: access.baseUrl,
      userAgent: `tagalong/${version}`,
      request: { log: silence },
      log: silence,
    });
  }

  /** @throws GitHubError; what the signal was aborted with, once it is */
  async ask<T>(asked: Question<T>): Promise<T> {
    const question = { signal: this.signal, ...asked };
    const isWrite = !question.route.startsWith("GET ");
    for (let tried = 1, waitedMs = 0; ; tried += 1) {
      const found = await this.#try(question);
      if ("answer" in found) return found.answer;
      question.signal?.throwIfAborted();
      const { again, error } = judge(found.failure, {
        repository: this.repository,
        variable: this.access.variable,
        needs: question.needs,
        isWrite,
        tried,
        now: this.clock.now(),
      });
      if (again === undefined || tried >= mostTries || waitedMs + again.inMs > question.patienceMs)
        throw error;
      waitedMs += again.inMs;
      await this.clock.pause(again.inMs, question.signal);
      question.signal?.throwIfAborted();
    }
  }

  async #try<T>({
    route,
    parameters,
    answer,
    signal,
    onHeaders,
  }: Question<T>): Promise<{ answer: T } | { failure: Failure }> {
    const patience = within(deadlineMs, signal);
    try {
      const { status, data, headers } = await this.#octokit.request(route, {
        // What stands in no path would become a query.
        ...(route.includes("{owner}") ? { owner: this.repository.owner } : {}),
        ...(route.includes("{repo}") ? { repo: this.repository.name } : {}),
        ...parameters,
        headers: { "x-github-api-version": "2022-11-28" },
        request: { signal: patience.signal },
      });
      onHeaders?.(headers);
      const parsed = answer.safeParse(data);
      if (parsed.success) return { answer: parsed.data };
      // A body that broke off arrives as a text; GitHub itself answers in JSON.
      return { failure: { kind: "unreadable", status } };
    } catch (error) {
      return { failure: failureOf(error, this.access.token) };
    } finally {
      patience.clear();
    }
  }
}

/** What Octokit threw, without the request, which has the token in its headers; nor may an answer repeat it. */
function failureOf(error: unknown, token: string): Failure {
  const { response, cause } = error as {
    response?: { status: number; headers: Record<string, unknown>; data: unknown };
    cause?: unknown;
  };
  if (response === undefined) {
    const [innermost] = [(cause as Error | undefined)?.cause, cause, error].filter(
      (one) => one instanceof Error,
    );
    const code = (innermost as NodeJS.ErrnoException | undefined)?.code;
    return { kind: "silent", detail: typeof code === "string" ? code : (innermost?.name ?? "no answer") };
  }
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const { message } = (response.data ?? {}) as { message?: unknown };
  const said = typeof message === "string" ? oneLine(message.replaceAll(token, "[token]"), 200) : "";
  return { kind: "answered", status: response.status, headers, said };
}
