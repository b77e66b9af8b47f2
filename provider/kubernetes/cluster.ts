// A connection to a cluster's API: plain requests on its paths, and errors that say what to do. Requests that only read
// are asked again where the API is busy for a moment.
import { type IncomingMessage, request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { within } from "../../registry/within";
import { ClusterError, refusal, silence } from "./errors";
import { findWay, type Way } from "./kubeconfig";

export type Query = Record<string, string | number | boolean | undefined>;

export interface WatchEvent<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: T;
}

interface Ask {
  query?: Query;
  signal?: AbortSignal | undefined;
}

interface Sent extends Ask {
  method: string;
  path: string;
  body?: unknown;
  type?: string;
}

/** How a patch says what changes. */
const patchTypes = {
  apply: "application/apply-patch+yaml",
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
} as const;

/** For one answer, complete. */
const patienceMs = 30_000;
const tries = 4;
const pageSize = 500;
/** After so long the API ends a watch, and it is opened again: the way to notice a connection that died in silence. */
const watchSeconds = 30;

/** Connects to the cluster of the context; nothing is read, loaded or asked before the first request. */
export const connectCluster = ({ context }: { context: string }): Cluster => new Cluster(context);

export class Cluster {
  private found: Promise<Way> | undefined;

  constructor(private readonly context: string) {}

  /** `the cluster of the context "shop" at https://…`, for messages. */
  async name(): Promise<string> {
    return (await this.way()).name;
  }

  /** Host name or address of the API. */
  async host(): Promise<string> {
    return new URL((await this.way()).server).hostname.replace(/^\[|\]$/g, "");
  }

  /** The error for an answer that somebody has waited for too long. */
  async silence(): Promise<ClusterError> {
    return silence(await this.way(), new DOMException("", "TimeoutError"));
  }

  get<T>(path: string, ask: Ask = {}): Promise<T> {
    return this.json<T>({ ...ask, method: "GET", path });
  }

  /** The answer as text, such as a log. */
  async text(path: string, ask: Ask = {}): Promise<string> {
    return this.send({ ...ask, method: "GET", path });
  }

  post<T>(path: string, body: unknown, ask: Ask = {}): Promise<T> {
    return this.json<T>({ ...ask, method: "POST", path, body });
  }

  put<T>(path: string, body: unknown, ask: Ask = {}): Promise<T> {
    return this.json<T>({ ...ask, method: "PUT", path, body });
  }

  patch<T>(path: string, kind: keyof typeof patchTypes, body: unknown, ask: Ask = {}): Promise<T> {
    return this.json<T>({ ...ask, method: "PATCH", path, body, type: patchTypes[kind] });
  }

  delete<T>(path: string, body?: unknown, ask: Ask = {}): Promise<T> {
    return this.json<T>({ ...ask, method: "DELETE", path, body });
  }

  /** All objects of a path; `resourceVersion` is where a watch goes on from. */
  async list<T>(path: string, ask: Ask = {}): Promise<{ items: T[]; resourceVersion: string }> {
    const items: T[] = [];
    let resourceVersion = "";
    for await (const page of this.pages<T>(path, ask)) {
      items.push(...page.items);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  /** All objects of a path, a page at a time. */
  async *pages<T>(path: string, ask: Ask = {}): AsyncGenerator<{ items: T[]; resourceVersion: string }> {
    let next: string | undefined;
    do {
      const query = { ...ask.query, limit: pageSize, continue: next };
      const { items, metadata } = await this.get<Page<T>>(path, { ...ask, query });
      yield { items: items ?? [], resourceVersion: metadata.resourceVersion };
      next = metadata.continue;
    } while (next);
  }

  /**
   * What changes from `resourceVersion` on, until the API ends the watch, as it does every while: then watch again from
   * the last one seen.
   * @throws ClusterError; with the reason `Expired`, list again
   */
  async *watch<T>(path: string, ask: Ask & { resourceVersion: string }): AsyncGenerator<WatchEvent<T>> {
    const query = {
      ...ask.query,
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds: watchSeconds,
      resourceVersion: ask.resourceVersion,
    };
    const sent = { method: "GET", path, query };
    const patience = within((watchSeconds + 5) * 1000, ask.signal);
    const answer = await this.open({ ...sent, signal: patience.signal }).catch((error: unknown) => {
      patience.clear();
      throw error;
    });
    // A watch alone must not keep a process alive; and whoever stops listening must not leave it open.
    answer.socket.unref();
    let rest = "";
    try {
      for await (const chunk of answer.setEncoding("utf8")) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line === "") continue;
          const event = JSON.parse(line) as WatchEvent<T> | { type: "ERROR"; object: unknown };
          if (event.type === "ERROR") throw refusal(await this.way(), sent, 0, JSON.stringify(event.object));
          yield event;
        }
      }
    } catch (error) {
      if (error instanceof ClusterError || ask.signal?.aborted) throw error;
      if (!patience.signal.aborted) throw silence(await this.way(), error);
    } finally {
      patience.clear();
      answer.destroy();
    }
  }

  private async json<T>(sent: Sent): Promise<T> {
    return JSON.parse(await this.send(sent)) as T;
  }

  /** The body of a good answer. */
  private async send(sent: Sent): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const patience = within(patienceMs, sent.signal);
      try {
        return await this.read(sent, patience.signal).finally(patience.clear);
      } catch (error) {
        sent.signal?.throwIfAborted();
        const again = error instanceof ClusterError && error.isPassing && sent.method === "GET";
        if (!again || attempt === tries) throw error;
        await pause(error.retryAfterMs ?? 250 * 2 ** attempt, undefined, { signal: sent.signal });
      }
    }
  }

  private async read(sent: Sent, signal: AbortSignal): Promise<string> {
    const answer = await this.open({ ...sent, signal });
    try {
      return await textOf(answer);
    } catch (error) {
      throw silence(await this.way(), signal.aborted ? signal.reason : error);
    }
  }

  /** A good answer, its body not read yet. @throws ClusterError for any other */
  private async open(sent: Sent & { signal: AbortSignal }): Promise<IncomingMessage> {
    const way = await this.way();
    const { method, path, query = {}, body, type, signal } = sent;
    const url = new URL(way.server + path);
    for (const [key, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(key, String(value));
    const text = body === undefined ? undefined : JSON.stringify(body);
    const options = await way.options();
    const headers = {
      ...options.headers,
      accept: "application/json, */*",
      "user-agent": "tagalong",
      ...(text === undefined ? {} : { "content-type": type ?? "application/json" }),
    };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = url.protocol === "http:" ? overHttp : overHttps;
      const sending = request(url, { ...options, method, headers, signal }, resolve);
      sending.once("error", reject);
      sending.once("socket", (socket) => socket.setKeepAlive(true, 5000));
      sending.end(text);
    }).catch((error: unknown) => {
      throw silence(way, signal.aborted ? signal.reason : error);
    });
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    const said = await textOf(answer).catch(() => "");
    throw refusal(way, sent, status, said, Number(answer.headers["retry-after"]));
  }

  private way(): Promise<Way> {
    this.found ??= findWay(this.context);
    return this.found;
  }
}

interface Page<T> {
  items?: T[];
  metadata: { continue?: string; resourceVersion: string };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) text += chunk;
  return text;
}
