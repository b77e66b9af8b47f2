/**
 * One HTTP exchange with one host. Promises one pool of connections an origin, connections that survive HEADs
 * (undici closes them after each unless `reset` is false), a deadline over the whole exchange (or, of a body that is
 * handed on as it comes, between its pieces), a bound on the body, and that a host which asked for patience is not
 * contacted until its time is over.
 */
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Pool } from "undici";
import { type Reason, RegistryError } from "./errors";
import { explainFailure } from "./failures";
import { Patience } from "./patience";
import { parseRetryAfter } from "./retry-after";

/** What is sent. `limit` is the longest body accepted, in bytes. */
export interface Exchange {
  readonly origin: string;
  /** Path with query. */
  readonly path: string;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body;
  readonly limit: number;
  /** Takes the body of a 200 as it comes, instead of its being collected; the answer's own is empty then. */
  readonly sink?: (body: Readable) => Promise<void>;
  /** How many deadlines long it may take; 1 if left out. */
  readonly patience?: number;
}

export type Method = "HEAD" | "GET" | "POST" | "PUT" | "DELETE";
/** A stream is sent once and cannot be sent again. */
export type Body = string | Buffer | Readable;

/** What came back, complete. */
export interface Answer {
  readonly origin: string;
  readonly status: number;
  /** By lower-case name; the values of a repeated header are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Milliseconds for which the host asked not to be contacted; undefined if it did not. */
  readonly retryAfterMs: number | undefined;
}

interface Pause {
  readonly untilMs: number;
  readonly reason: Reason;
}

const connectionsPerOrigin = 8;
/** Origins are few (registry, token issuer, blob store); a registry that redirects everywhere must not fill memory. */
const mostPools = 32;
const idleConnectionMs = 55_000;
const pauseAfterBare429Ms = 10_000;

export class Wire {
  readonly #pools = new Map<string, Pool>();
  readonly #pauses = new Map<string, Pause>();
  #closed = false;

  /**
   * @param deadlineMs for one exchange, from its start (waiting for a connection included) to the last byte
   * @param now a monotonic clock in milliseconds
   */
  constructor(
    readonly deadlineMs: number,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** @throws RegistryError: rate-limited or server (paused), network, timeout, invalid (oversized, unreadable) */
  async exchange(wanted: Exchange): Promise<Answer> {
    this.#refuseWhilePaused(wanted.origin);
    const { origin, path, method, headers, body, sink } = wanted;
    const deadlineMs = this.deadlineMs * (wanted.patience ?? 1);
    const patience = new Patience(deadlineMs);
    try {
      const got = await this.#pool(origin).request({
        path,
        method,
        headers,
        body: body instanceof Readable ? patience.watched(body) : (body ?? null),
        signal: patience.signal,
        reset: false,
        blocking: false,
      });
      const flat = flatten(got.headers);
      const retryAfterMs = this.#notePause(origin, got.statusCode, flat);
      let bytes = Buffer.alloc(0);
      if (sink && got.statusCode === 200) await sink(patience.watched(got.body));
      else bytes = await collect(got.body, Number(flat["content-length"] ?? 0), wanted.limit);
      // undici frees a connection one turn of the event loop after its answer: who asks sooner opens a second one.
      await setImmediate();
      return { origin, status: got.statusCode, headers: flat, body: bytes, retryAfterMs };
    } catch (error) {
      throw error instanceof RegistryError ? error : explainFailure(error, origin, deadlineMs);
    } finally {
      patience.end();
    }
  }

  /** Ends every connection; exchanges under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #pool(origin: string): Pool {
    if (this.#closed) throw new RegistryError("network", "this client was closed; make a new one");
    const known = this.#pools.get(origin);
    if (known) return known;
    for (const [other, pool] of this.#pools) {
      if (this.#pools.size < mostPools) break;
      if (pool.stats.running > 0 || pool.stats.queued > 0) continue;
      this.#pools.delete(other);
      void pool.close();
    }
    const pool = new Pool(origin, {
      connections: connectionsPerOrigin,
      keepAliveTimeout: idleConnectionMs,
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: this.deadlineMs,
    });
    this.#pools.set(origin, pool);
    return pool;
  }

  #refuseWhilePaused(origin: string): void {
    const pause = this.#pauses.get(origin);
    if (!pause) return;
    const left = Math.ceil(pause.untilMs - this.now());
    if (left > 0) {
      const detail = `${origin} asked not to be contacted for another ${left} ms; nothing to do, it is asked again then`;
      throw new RegistryError(pause.reason, detail, { retryAfterMs: left });
    }
    this.#pauses.delete(origin);
  }

  #notePause(origin: string, status: number, headers: Answer["headers"]): number | undefined {
    if (status !== 429 && status < 500) return undefined;
    const asked = parseRetryAfter(headers["retry-after"], headers.date, Date.now());
    const delay = asked ?? (status === 429 ? pauseAfterBare429Ms : undefined);
    if (delay === undefined) return undefined;
    const untilMs = Math.max(this.#pauses.get(origin)?.untilMs ?? 0, this.now() + delay);
    this.#pauses.set(origin, { untilMs, reason: status === 429 ? "rate-limited" : "server" });
    return delay;
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}

async function collect(
  body: AsyncIterable<Buffer>,
  announced: number,
  limit: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > limit || announced > limit) {
      throw new RegistryError(
        "invalid",
        `the answer is longer than the ${limit} bytes of any manifest; look for a proxy`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
