// The front of the bench's registry: every request of both sides comes through here and is counted. It behaves like
// a public registry: a bearer token for anybody who asks, and TLS, because Watchtower speaks nothing else. The same
// port also takes plain HTTP, as the product does with a registry on loopback.
import { readFileSync } from "node:fs";
import { Agent, createServer, request as httpRequest } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createSocketServer } from "node:net";
import { now } from "../tools/traffic.mjs";

const tlsHandshake = 0x16;
const tokenLifeSeconds = 300;

/** @typedef {{requests: number, connections: number, looks: number, tokens: number}} Counts `looks` are HEADs of a manifest */

/**
 * @typedef {object} Front
 * @property {() => Counts} counts since it started
 * @property {(quietMs: number, signal: AbortSignal) => Promise<number>} nextLook when the next round of looks begins:
 *   the first look after so much time without one
 * @property {(from: number) => number | undefined} firstLook when the first look from that moment on arrived
 * @property {() => Promise<void>} close
 */

/**
 * @param {object} options
 * @param {number} options.port of the front, on loopback
 * @param {number} options.upstream port of the registry
 * @param {string} options.key file of the TLS key
 * @param {string} options.certificate file of its certificate
 * @returns {Promise<Front>}
 */
export async function startFront({ port, upstream, key, certificate }) {
  /** @type {Counts} */
  const counts = { requests: 0, connections: 0, looks: 0, tokens: 0 };
  /** @type {number[]} */
  const looks = [];
  /** @type {Set<(at: number, quietMs: number) => void>} */
  const waiting = new Set();
  const agent = new Agent({ keepAlive: true });

  /** @type {import("node:http").RequestListener} */
  function answer(request, response) {
    counts.requests += 1;
    const path = request.url ?? "/";
    if (path.startsWith("/token")) {
      counts.tokens += 1;
      const body = JSON.stringify({ token: "anybody", expires_in: tokenLifeSeconds });
      response.writeHead(200, { "content-type": "application/json" }).end(body);
      return;
    }
    if (request.headers.authorization === undefined) {
      const scheme = "encrypted" in request.socket ? "https" : "http";
      const challenge = `Bearer realm="${scheme}://127.0.0.1:${port}/token",service="bench"`;
      response.writeHead(401, { "www-authenticate": challenge, "content-length": 0 }).end();
      request.resume();
      return;
    }
    if (request.method === "HEAD" && path.includes("/manifests/")) {
      const at = now();
      const quietMs = at - (looks.at(-1) ?? 0);
      counts.looks += 1;
      looks.push(at);
      for (const tell of [...waiting]) tell(at, quietMs);
    }
    const { authorization: _, ...headers } = request.headers;
    const onward = httpRequest(
      { host: "127.0.0.1", port: upstream, method: request.method, path, headers, agent },
      (answered) => {
        response.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.pipe(response);
      },
    );
    onward.on("error", () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    request.pipe(onward);
  }

  const plain = createServer({ keepAliveTimeout: 60_000 }, answer);
  const secure = createTlsServer(
    { key: readFileSync(key), cert: readFileSync(certificate), keepAliveTimeout: 60_000 },
    answer,
  );
  /** @type {Set<import("node:net").Socket>} */
  const open = new Set();
  const server = createSocketServer((socket) => {
    counts.connections += 1;
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => open.delete(socket));
    socket.once("data", (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === tlsHandshake ? secure : plain).emit("connection", socket);
      process.nextTick(() => socket.resume());
    });
  });
  secure.on("tlsClientError", () => {});
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });

  return {
    counts: () => ({ ...counts }),
    firstLook: (from) => looks.find((at) => at >= from),
    nextLook: (wantedQuietMs, signal) =>
      new Promise((resolve, reject) => {
        const done = () => {
          waiting.delete(tell);
          signal.removeEventListener("abort", abort);
        };
        const abort = () => {
          done();
          reject(signal.reason);
        };
        /** @type {(at: number, quietMs: number) => void} */
        const tell = (at, quietMs) => {
          if (quietMs < wantedQuietMs) return;
          done();
          resolve(at);
        };
        waiting.add(tell);
        signal.addEventListener("abort", abort);
        if (signal.aborted) abort();
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        agent.destroy();
        server.close(() => resolve());
      }),
  };
}
