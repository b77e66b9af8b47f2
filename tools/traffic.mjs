// Steady traffic on a service of this machine, to see what a roll does to its users. The schedule is open-loop:
// requests leave on time however slow the answers are, so a stall shows as what it is. Bounded in count and
// time; this machine only, its clusters included, since traffic that nobody asked for is an attack anywhere else.
import { Agent, request as httpRequest } from "node:http";
import { isIPv4 } from "node:net";

export const kinds = /** @type {const} */ (["keepalive-get", "keepalive-post", "new-connection", "slow"]);
export const reasons = /** @type {const} */ (["status", "reset", "refused", "timeout", "other"]);

const tickMs = 5;
const maxRate = 2_000;
const maxInFlight = 4_096;
const maxSamples = 50;
const maxBody = 1024 * 1024;

/** @typedef {(typeof kinds)[number]} Kind */
/** @typedef {(typeof reasons)[number]} Reason */
/** @typedef {import("node:http").IncomingHttpHeaders} Headers */
/** @typedef {{version?: string | undefined, commit?: string | undefined}} Identity who gave an answer */
/** @typedef {(body: string, headers: Headers) => Identity | undefined} Classify */

/**
 * @typedef {object} TrafficOptions
 * @property {string} url where the service is: an http:// address of the loopback range, or of a cluster on this machine
 * @property {number} [rate] requests a second, all kinds together; 40 unless told
 * @property {readonly Kind[]} [kinds] taken in turn, so a kind named twice gets twice its share; all unless told
 * @property {number} [slowMs] how long a slow request takes: GET /slow?ms=…; 2000 unless told
 * @property {Classify} [classify] who gave an answer; reads version and commit of a JSON body unless told
 * @property {number} [maxSeconds] ends by itself after that; 300 unless told
 * @property {number} [maxRequests] ends by itself after that many; 200,000 unless told
 * @property {number} [timeoutMs] when a request is given up, a slow one's own time not counted; 10,000 unless told
 * @property {boolean} [retryReused] send a GET once more, on a new connection, when a reused connection was reset
 *   before any byte of the answer, as a well-behaved client does; off unless told, and then it counts as failed
 */

/**
 * @typedef {object} VersionSeen
 * @property {string} version
 * @property {string} commit
 * @property {number} responses
 * @property {number} firstAt when its first answer was complete, ms epoch
 * @property {number} lastAt when its last answer was complete
 * @property {number} lastSentAt when the last request that it answered had been sent: a slow request that was in
 *   flight during the switch moves lastAt, not this
 */

/** @typedef {{kind: Kind, sentAt: number, failedAt: number, reason: Reason, message: string}} Failure */
/** @typedef {{requests: number, ok: number, failed: number, inFlight: number}} Counts */

/**
 * @typedef {object} Report
 * @property {number} startedAt ms epoch
 * @property {number} endedAt when the report was made
 * @property {number} requests sent, retries not counted
 * @property {number} ok
 * @property {number} failed
 * @property {number} inFlight neither yet; 0 once stopped
 * @property {number} retried requests that needed their second try
 * @property {number} skipped were due and not sent, since 4,096 were in flight already
 * @property {Record<Reason, number>} failures
 * @property {Failure[]} samples the first failures, 50 at most
 * @property {VersionSeen[]} versions in the order in which they were first seen
 * @property {{p50: number, p99: number, max: number}} latencyMs of answers that were ok, slow ones left out
 * @property {(from: number, to: number) => Counts} between what became of the requests sent from one moment to
 *   just before another, as far as it is known when asked
 */

/** @typedef {{stop: () => Promise<Report>, snapshot: () => Report}} Traffic */

/** @typedef {{kind: Kind, sentAt: number, doneAt: number, failed: boolean}} Entry */
/** @typedef {{body: string, headers: Headers}} Answer */

/**
 * Starts at once, and ends by `stop()`, which waits for what is in flight, or by its own bounds.
 *
 * @param {TrafficOptions} options
 * @returns {Traffic}
 */
export function startTraffic(options) {
  const {
    rate = 40,
    kinds: mix = kinds,
    slowMs = 2_000,
    classify = classifyJson,
    maxSeconds = 300,
    maxRequests = 200_000,
    timeoutMs = 10_000,
    retryReused = false,
  } = options;
  const base = local(options.url);
  if (!(rate > 0 && rate <= maxRate))
    throw new RangeError(`rate must be above 0 and at most ${maxRate} a second`);
  if (!(maxSeconds > 0 && maxSeconds <= 3_600))
    throw new RangeError("maxSeconds must be above 0 and at most 3600");
  for (const kind of mix)
    if (!kinds.includes(kind)) throw new RangeError(`there is no kind of request "${kind}"`);
  if (mix.length === 0) throw new RangeError("kinds must name at least one kind of request");

  const agent = new Agent({ keepAlive: true });
  const startedAt = now();
  /** @type {Entry[]} */
  const entries = [];
  /** @type {Set<Promise<void>>} */
  const inFlight = new Set();
  /** @type {Map<string, VersionSeen>} */
  const versions = new Map();
  /** @type {Failure[]} */
  const samples = [];
  /** @type {Record<Reason, number>} */
  const failures = { status: 0, reset: 0, refused: 0, timeout: 0, other: 0 };
  let due = 0;
  let ok = 0;
  let failed = 0;
  let skipped = 0;
  let retried = 0;
  /** @type {Promise<Report> | undefined} */
  let stopping;

  const ticker = setInterval(tick, tickMs);

  function tick() {
    const elapsed = (now() - startedAt) / 1_000;
    const target = Math.min(Math.floor(Math.min(elapsed, maxSeconds) * rate), maxRequests);
    for (; due < target; due += 1) {
      if (inFlight.size >= maxInFlight) {
        skipped += 1;
        continue;
      }
      const sent = send(/** @type {Kind} */ (mix[due % mix.length]));
      inFlight.add(sent);
      void sent.then(() => inFlight.delete(sent));
    }
    if (elapsed >= maxSeconds || due >= maxRequests) clearInterval(ticker);
  }

  /** @param {Kind} kind */
  async function send(kind) {
    /** @type {Entry} */
    const entry = { kind, sentAt: now(), doneAt: 0, failed: false };
    entries.push(entry);
    try {
      const answer = await exchange(kind).catch((error) => {
        if (!retryReused || kind === "keepalive-post" || !(error instanceof Failed) || !error.stale)
          throw error;
        retried += 1;
        return exchange(kind, true);
      });
      entry.doneAt = now();
      see(entry, classify(answer.body, answer.headers));
      ok += 1;
    } catch (error) {
      entry.doneAt = now();
      entry.failed = true;
      failed += 1;
      const reason = error instanceof Failed ? error.reason : "other";
      const message = error instanceof Error ? error.message : String(error);
      failures[reason] += 1;
      if (samples.length < maxSamples) {
        samples.push({ kind, sentAt: entry.sentAt, failedAt: entry.doneAt, reason, message });
      }
    }
  }

  /**
   * @param {Kind} kind
   * @param {boolean} fresh on a new connection
   * @returns {Promise<Answer>}
   */
  function exchange(kind, fresh = kind === "new-connection") {
    const post = kind === "keepalive-post";
    const path = post ? "echo" : kind === "slow" ? `slow?ms=${slowMs}` : "";
    const body = post ? `{"sentAt":${now()}}` : "";
    const patience = timeoutMs + (kind === "slow" ? slowMs : 0);
    return new Promise((resolve, reject) => {
      let answered = false;
      const request = httpRequest(new URL(path, base), {
        agent: fresh ? false : agent,
        method: post ? "POST" : "GET",
        headers: post
          ? { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
          : {},
      });
      const timer = setTimeout(
        () => request.destroy(new Failed("timeout", `no complete answer within ${patience} ms`)),
        patience,
      );
      request.on("error", fail);
      request.on("response", (response) => {
        answered = true;
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += chunk;
          if (text.length > maxBody)
            request.destroy(new Failed("other", `the answer is larger than ${maxBody} bytes`));
        });
        response.on("error", fail);
        response.on("end", () => {
          clearTimeout(timer);
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve({ body: text, headers: response.headers });
          else reject(new Failed("status", `status ${status}: ${text.slice(0, 200).trim()}`));
        });
      });
      request.end(body);

      /** @param {NodeJS.ErrnoException} error */
      function fail(error) {
        clearTimeout(timer);
        if (error instanceof Failed) reject(error);
        else reject(new Failed(reasonOf(error), error.message, request.reusedSocket && !answered));
      }
    });
  }

  /**
   * @param {Entry} entry
   * @param {Identity | undefined} identity
   */
  function see({ sentAt, doneAt }, identity) {
    if (!identity) return;
    const { version = "", commit = "" } = identity;
    const key = `${version} ${commit}`;
    const seen = versions.get(key);
    if (!seen) {
      versions.set(key, {
        version,
        commit,
        responses: 1,
        firstAt: doneAt,
        lastAt: doneAt,
        lastSentAt: sentAt,
      });
      return;
    }
    seen.responses += 1;
    seen.lastAt = doneAt;
    seen.lastSentAt = Math.max(seen.lastSentAt, sentAt);
  }

  /** @returns {Report} */
  function snapshot() {
    const sent = entries.length;
    return {
      startedAt,
      endedAt: now(),
      requests: sent,
      ok,
      failed,
      inFlight: sent - ok - failed,
      retried,
      skipped,
      failures: { ...failures },
      samples: [...samples],
      versions: [...versions.values()].map((seen) => ({ ...seen })),
      // Both read every request, and a snapshot is often taken for a version alone.
      get latencyMs() {
        return latency(entries.slice(0, sent));
      },
      between: (from, to) =>
        count(entries.slice(0, sent).filter(({ sentAt }) => sentAt >= from && sentAt < to)),
    };
  }

  async function finish() {
    clearInterval(ticker);
    while (inFlight.size > 0) await Promise.all(inFlight);
    agent.destroy();
    return snapshot();
  }

  return {
    snapshot,
    stop() {
      stopping ??= finish();
      return stopping;
    },
  };
}

class Failed extends Error {
  /**
   * @param {Reason} reason
   * @param {string} message
   * @param {boolean} stale a reused connection was reset before any byte of the answer
   */
  constructor(reason, message, stale = false) {
    super(message);
    this.reason = reason;
    this.stale = stale && reason === "reset";
  }
}

/** @type {Classify} */
export function classifyJson(body) {
  /** @type {unknown} */
  let answer;
  try {
    answer = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof answer !== "object" || answer === null) return undefined;
  const { version, commit } = /** @type {Record<string, unknown>} */ (answer);
  if (typeof version !== "string" && typeof commit !== "string") return undefined;
  return {
    version: typeof version === "string" ? version : undefined,
    commit: typeof commit === "string" ? commit : undefined,
  };
}

/** Milliseconds since the epoch that never jump. */
export function now() {
  return performance.timeOrigin + performance.now();
}

/** @param {string} text */
function local(text) {
  const url = new URL(text);
  const host = url.hostname;
  const here = host === "localhost" || host === "[::1]" || (isIPv4(host) && /^(127|198\.1[89])\./.test(host));
  if (url.protocol !== "http:" || !here) {
    throw new RangeError(
      `traffic goes to http:// addresses of this machine only (127.0.0.0/8, [::1], and 198.18.0.0/15, which is for tests), not to ${text}`,
    );
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/**
 * @param {NodeJS.ErrnoException} error
 * @returns {Reason}
 */
function reasonOf({ code }) {
  if (code === "ECONNREFUSED") return "refused";
  if (code === "ECONNRESET" || code === "EPIPE" || code === "ECONNABORTED") return "reset";
  if (code === "ETIMEDOUT") return "timeout";
  return "other";
}

/**
 * @param {readonly Entry[]} entries
 * @returns {Counts}
 */
function count(entries) {
  const done = entries.filter(({ doneAt }) => doneAt > 0);
  const failed = done.filter((entry) => entry.failed).length;
  return {
    requests: entries.length,
    ok: done.length - failed,
    failed,
    inFlight: entries.length - done.length,
  };
}

/** @param {readonly Entry[]} entries */
function latency(entries) {
  const sorted = entries
    .filter(({ kind, doneAt, failed }) => kind !== "slow" && doneAt > 0 && !failed)
    .map(({ sentAt, doneAt }) => doneAt - sentAt)
    .sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
