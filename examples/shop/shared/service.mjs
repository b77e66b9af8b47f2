// An HTTP service that can be replaced under load. It promises: ready only when it can answer; after SIGTERM
// readiness goes first, then the listener; what is in flight is finished; exit code 0 within ten seconds.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { logLevels, readSettings, SettingsError } from "./settings.mjs";

/** How long new connections are still taken once readiness is off, so that whoever probes can see it. */
const noticeMs = 300;
/** Longer than clients and proxies keep an idle connection: who closes it should be who might still use it. */
const keepAliveMs = 75_000;
/** A connection that has carried nothing for so long is hardly about to: it can be closed, and no request is lost. */
const quietMs = 1_000;
/** How long connections that are in use have to hear from their next answer that they end. */
const lingerMs = 2_000;
/** A stop must end before `docker stop` loses patience (10 s). */
const drainMs = 6_500;
const slowStartMs = 90_000;
const longestSlowMs = 60_000;
const largestBody = 1024 * 1024;

/** @typedef {Map<import("node:stream").Duplex, number>} Connections each with when it was last in use; ∞ while it is */
/** @typedef {import("./settings.mjs").Settings} Settings */
/** @typedef {{status?: number, body: Record<string, unknown>}} Answer */
/** @typedef {(level: import("./settings.mjs").LogLevel, message: string, fields?: Record<string, unknown>) => void} Log */

/**
 * Runs one service until it is told to stop.
 *
 * @param {string} name
 * @param {(env: Record<string, string | undefined>, log: Log) => () => Answer | Promise<Answer>} build reads the
 *   service's own settings and returns what answers `GET /`
 */
export async function run(name, build) {
  /** @type {Settings} */
  let settings;
  /** @type {() => Answer | Promise<Answer>} */
  let home;
  /** @type {Log} */
  let log = logger(name, "info");
  try {
    settings = readSettings(process.env);
    log = logger(name, settings.logLevel);
    home = build(process.env, log);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    log("error", error.message);
    process.exitCode = 2;
    return;
  }
  if (settings.broken === "exit") {
    log("error", "this image was built to fail at start (BROKEN=exit)");
    process.exitCode = 3;
    return;
  }

  const stop = new AbortController();
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT"])) {
    process.on(signal, () => stop.abort(signal));
  }
  const stopped = once(stop.signal, "abort");

  let ready = false;
  const server = serve(
    name,
    settings,
    log,
    () => (stop.signal.aborted ? "stopping" : ready ? "ready" : "starting"),
    home,
  );
  server.keepAliveTimeout = keepAliveMs;
  /** @type {Connections} */
  const connections = new Map();
  server.on("connection", (socket) => {
    connections.set(socket, performance.now());
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    connections.set(socket, Number.POSITIVE_INFINITY);
    response.once("close", () => connections.has(socket) && connections.set(socket, performance.now()));
  });
  server.listen(settings.port);
  try {
    await once(server, "listening");
  } catch (error) {
    log("error", `cannot listen on port ${settings.port}: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
    return;
  }
  const address = server.address();
  const { version, commit, environment } = settings;
  log("info", "listening", {
    port: typeof address === "object" ? address?.port : settings.port,
    version,
    commit,
    environment,
  });

  if (settings.broken === "slow") {
    setTimeout(() => {
      ready = true;
    }, slowStartMs).unref();
  } else {
    ready = settings.broken !== "unhealthy";
  }

  await stopped;
  log("info", "stopping", { signal: stop.signal.reason });
  await drain(server, connections, log);
  log("info", "stopped");
  process.exit(0);
}

/**
 * Without a proxy between, whoever holds a connection goes on using it until an answer says that it ends; and one that is
 * closed just when a request comes fails that.
 *
 * @param {import("node:http").Server} server
 * @param {Connections} connections
 * @param {Log} log
 */
async function drain(server, connections, log) {
  await sleep(noticeMs);
  for (
    const end = performance.now() + lingerMs;
    connections.size > 0 && performance.now() < end;
    await sleep(50)
  ) {
    const quiet = performance.now() - quietMs;
    for (const [socket, usedAt] of connections) if (usedAt < quiet) socket.destroy();
  }
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  // A proxy keeps spare connections, on which no request has come yet; those are idle too, and Node.js lets them be.
  for (const [socket, usedAt] of connections) if (usedAt < performance.now()) socket.destroy();
  if ((await Promise.race([closed, sleep(drainMs, "late")])) === "late") {
    log("warn", "requests were still in flight at the deadline and are cut");
    server.closeAllConnections();
  }
}

/**
 * @param {string} name
 * @param {Settings} settings
 * @param {Log} log
 * @param {() => "starting" | "ready" | "stopping"} phase
 * @param {() => Answer | Promise<Answer>} home
 */
function serve(name, { version, commit, environment }, log, phase, home) {
  const identity = { service: name, version, commit, environment };

  /**
   * @param {import("node:http").IncomingMessage} request
   * @returns {Promise<Answer>}
   */
  async function answer(request) {
    const url = new URL(request.url ?? "/", "http://shop");
    const method = request.method === "HEAD" ? "GET" : request.method;
    switch (`${method} ${url.pathname}`) {
      case "GET /":
        return home();
      case "GET /healthz":
        return { status: phase() === "ready" ? 200 : 503, body: { status: phase() } };
      case "GET /slow": {
        const ms = Number(url.searchParams.get("ms") ?? 2_000);
        if (!(ms >= 0 && ms <= longestSlowMs)) {
          return { status: 400, body: { error: `ms must be a number from 0 to ${longestSlowMs}` } };
        }
        await sleep(ms);
        return { body: { waitedMs: ms } };
      }
      case "POST /echo": {
        const body = await text(request);
        if (body === undefined) {
          return { status: 413, body: { error: `the body is larger than ${largestBody} bytes` } };
        }
        return { body: { received: body } };
      }
      default:
        return { status: 404, body: { error: `no such page: ${method} ${url.pathname}` } };
    }
  }

  return createServer(async (request, response) => {
    const started = performance.now();
    /** @type {Answer} */
    let result;
    try {
      result = await answer(request);
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      log("error", "request failed", { error: error instanceof Error ? error.message : String(error) });
      result = { status: 500, body: { error: "internal error" } };
    }
    const { status = 200, body } = result;
    const bytes = Buffer.from(`${JSON.stringify({ ...identity, ...body })}\n`);
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": bytes.length,
      "cache-control": "no-store",
      // The last answer on a connection says so, and a peer never reuses one that is about to close.
      ...(phase() === "stopping" ? { connection: "close" } : {}),
    });
    response.end(request.method === "HEAD" ? undefined : bytes);
    const ms = Math.round(performance.now() - started);
    log("debug", "request", { method: request.method, path: request.url?.split("?")[0], status, ms });
  });
}

/**
 * The body, or undefined where it is too large to keep.
 *
 * @param {import("node:http").IncomingMessage} request
 */
async function text(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // Read to its end all the same: an answer in the middle of a body may never reach who sends it.
    if (size <= largestBody) chunks.push(chunk);
  }
  return size > largestBody ? undefined : Buffer.concat(chunks).toString("utf8");
}

/**
 * @param {string} service
 * @param {import("./settings.mjs").LogLevel} least
 * @returns {Log}
 */
function logger(service, least) {
  return (level, message, fields = {}) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(least)) return;
    process.stdout.write(
      `${JSON.stringify({ time: new Date().toISOString(), level, service, message, ...fields })}\n`,
    );
  };
}
