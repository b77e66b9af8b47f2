/**
 * A question to a registry, from challenge to answer. Promises that a 401 is answered once with a new token and
 * then believed, and that redirects are followed without our credentials as soon as they leave the registry.
 */
import { Readable } from "node:stream";
import { Authorizer } from "./authorizer";
import { type CredentialLookup, credentialLookup } from "./credentials";
import { RegistryError } from "./errors";
import { insecureHosts, mayFollow, originOf } from "./origin";
import type { Access } from "./scope";
import { type Answer, type Exchange, type Method, Wire } from "./wire";

/** How a transport talks. Every field has a default fit for use. */
export interface TransportOptions {
  /** Default: DOCKER_AUTH_CONFIG, then the Docker config file. */
  readonly credentials?: CredentialLookup;
  /** Hosts that may be spoken to in plain HTTP besides loopback. Default: TAGALONG_INSECURE_REGISTRIES. */
  readonly insecure?: ReadonlySet<string>;
  /** Milliseconds for one exchange, complete. Default: 10,000. */
  readonly deadlineMs?: number;
  /** A monotonic clock in milliseconds, for pauses and token lives. */
  readonly now?: () => number;
}

/** One question about a repository, or one write to it; `limit` bounds the answer's body in bytes. */
export interface Question extends Pick<Exchange, "headers" | "limit" | "body" | "sink" | "patience"> {
  readonly registry: string;
  readonly repository: string;
  readonly method: Method;
  /** Starts at `/v2/`; or the whole URL that the registry named for what comes next. */
  readonly path: string;
  /** The repository whose blobs a write takes over. */
  readonly mountFrom?: string;
}

const defaultDeadlineMs = 10_000;
const mostRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);
/** Those that ask for the same request elsewhere; the others would make a GET of a write. */
const redirectsOfWrites = new Set([307, 308]);

export class Transport {
  readonly #wire: Wire;
  readonly #authorizer: Authorizer;
  readonly #insecure: ReadonlySet<string>;
  readonly #origins = new Map<string, string>();

  constructor(options: TransportOptions = {}) {
    this.#insecure = options.insecure ?? insecureHosts();
    this.#wire = new Wire(options.deadlineMs ?? defaultDeadlineMs, options.now);
    this.#authorizer = new Authorizer(this.#wire, options.credentials ?? credentialLookup(), this.#insecure);
  }

  /**
   * The registry's answer, whatever its status.
   * @throws RegistryError where there is none, or no token could be had
   */
  async ask(question: Question): Promise<Answer> {
    const { registry, body } = question;
    const access = accessOf(question);
    const origin = this.#origin(registry);
    const authorization = await this.#authorizer.authorization(registry, access);
    const answer = await this.#follow(question, origin, authorization);
    const challenge = answer.headers["www-authenticate"];
    if (answer.status !== 401 || answer.origin !== origin || challenge === undefined) return answer;
    if (body instanceof Readable) return answer;
    const renewed = await this.#authorizer.answer(registry, access, challenge, authorization);
    return renewed === undefined ? answer : this.#follow(question, origin, renewed);
  }

  /** With what a registry was asked last, for messages: `without credentials`, `with the credentials of …`. */
  identity(registry: string): string {
    return this.#authorizer.identity(registry);
  }

  /** Ends every connection. */
  close(): Promise<void> {
    return this.#wire.close();
  }

  #origin(registry: string): string {
    const origin = this.#origins.get(registry) ?? originOf(registry, this.#insecure);
    this.#origins.set(registry, origin);
    return origin;
  }

  async #follow(question: Question, origin: string, authorization: string | undefined): Promise<Answer> {
    const { method, headers, registry } = question;
    let target = this.#next(question.path, new URL(origin), registry);
    let ours = true;
    for (let hops = 0; hops <= mostRedirects; hops += 1) {
      ours &&= target.origin === origin;
      const answer = await this.#wire.exchange({
        ...question,
        origin: target.origin,
        path: target.pathname + target.search,
        headers: ours && authorization !== undefined ? { ...headers, authorization } : headers,
      });
      const location = answer.headers.location;
      if (!followed(method).has(answer.status) || location === undefined) return answer;
      if (question.body instanceof Readable) return answer;
      target = this.#next(location, target, registry);
    }
    throw new RegistryError(
      "invalid",
      `${registry} redirected more than ${mostRedirects} times; look for a loop in a proxy or mirror`,
    );
  }

  #next(location: string, from: URL, registry: string): URL {
    const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    if (next && (next.origin === from.origin || mayFollow(next, registry, this.#insecure))) return next;
    const host = next?.host ?? "nowhere";
    throw new RegistryError(
      "invalid",
      `${registry} redirected to ${host} without TLS; not followed. If it is right, list both hosts in TAGALONG_INSECURE_REGISTRIES`,
    );
  }
}

function accessOf({ method, repository, mountFrom }: Question): Access {
  const writes = method === "POST" || method === "PUT";
  return { repository, writes, ...(mountFrom === undefined ? {} : { mountFrom }) };
}

function followed(method: Method): ReadonlySet<number> {
  return method === "HEAD" || method === "GET" ? redirects : redirectsOfWrites;
}
