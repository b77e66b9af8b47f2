/**
 * The catalogue of faults: each is one way in which a registry, or what stands before it, was seen to lie, stall or
 * break. Promises that each names what may be made of it.
 */
import type { Reason } from "../../../registry";
import { type Fault, give, type Hostage } from "./faulty";

export interface FaultCase {
  readonly name: string;
  readonly fault: Fault;
  /** Which reasons are fair; empty where the truth can still be found out and must be. */
  readonly reasons: readonly Reason[];
}

const elsewhere = `sha256:${"0".repeat(64)}`;
const hungry = 5 * 1024 * 1024;

const answer =
  (status: number, headers: Record<string, string> = {}, body = ""): Fault =>
  ({ response }) =>
    give(response, { status, headers, body: Buffer.from(body) });

const html = (status: number): Fault => answer(status, { "content-type": "text/html" }, "<html>sorry</html>");
const error = (status: number, headers: Record<string, string> = {}): Fault =>
  answer(status, { "content-type": "application/json", ...headers }, '{"errors":[{"code":"UNKNOWN"}]}');
const later = (ms: number) => new Date(Date.now() + ms).toUTCString();

/** The honest answer with its headers or body changed. */
const bent =
  (
    bend: (truth: Awaited<ReturnType<Hostage["truth"]>>) => Partial<Awaited<ReturnType<Hostage["truth"]>>>,
  ): Fault =>
  async ({ response, truth }) => {
    const honest = await truth();
    give(response, { ...honest, ...bend(honest) });
  };

/** Only the answer to GET is bent: HEAD announces the truth, so that the client comes for the body. */
const bentBody =
  (fault: Fault): Fault =>
  (hostage) =>
    hostage.request.method === "GET" ? fault(hostage) : hostage.pass();

const raw =
  (text: string): Fault =>
  ({ response }) => {
    response.socket?.end(text);
  };

export const faults: readonly FaultCase[] = [
  { name: "500", fault: error(500), reasons: ["server"] },
  { name: "500 with Retry-After", fault: error(500, { "retry-after": "3" }), reasons: ["server"] },
  { name: "502, an HTML page", fault: html(502), reasons: ["server"] },
  { name: "502 with Retry-After", fault: error(502, { "retry-after": "2s" }), reasons: ["server"] },
  { name: "503", fault: error(503), reasons: ["server"] },
  { name: "503 with Retry-After in seconds", fault: error(503, { "retry-after": "4" }), reasons: ["server"] },
  {
    name: "503 with Retry-After as a date",
    fault: error(503, { "retry-after": later(9_000) }),
    reasons: ["server"],
  },
  { name: "504, an HTML page", fault: html(504), reasons: ["server"] },
  { name: "429", fault: error(429), reasons: ["rate-limited"] },
  { name: "429 with seconds", fault: error(429, { "retry-after": "30" }), reasons: ["rate-limited"] },
  { name: "429 with a date", fault: error(429, { "retry-after": later(60_000) }), reasons: ["rate-limited"] },
  {
    name: "429 with milliseconds",
    fault: error(429, { "retry-after": "1.16676ms" }),
    reasons: ["rate-limited"],
  },
  { name: "429 with minutes", fault: error(429, { "retry-after": "1m2s" }), reasons: ["rate-limited"] },
  { name: "429 with nonsense", fault: error(429, { "retry-after": "soon" }), reasons: ["rate-limited"] },
  { name: "401 without a challenge", fault: error(401), reasons: ["access"] },
  {
    name: "401 forever with a Basic challenge",
    fault: error(401, { "www-authenticate": 'Basic realm="test"' }),
    reasons: ["access"],
  },
  {
    name: "401 that sends for tokens without TLS",
    fault: error(401, { "www-authenticate": 'Bearer realm="http://192.0.2.1/token",service="test"' }),
    reasons: ["access"],
  },
  { name: "403", fault: error(403), reasons: ["access"] },
  { name: "404", fault: error(404), reasons: ["absent"] },
  { name: "404, an HTML page", fault: html(404), reasons: ["invalid"] },
  {
    name: "404 of a router without a route",
    fault: answer(404, { "content-type": "text/plain" }, "404 page not found"),
    reasons: ["invalid"],
  },
  { name: "405", fault: error(405), reasons: ["invalid"] },
  { name: "204", fault: answer(204), reasons: ["invalid"] },
  { name: "200, an HTML page", fault: html(200), reasons: ["invalid"] },
  {
    name: "200, an HTML page under the right headers",
    fault: bent(() => ({
      headers: { "content-type": "text/html" },
      body: Buffer.from("<html>login</html>"),
    })),
    reasons: ["invalid"],
  },
  { name: "200, empty", fault: answer(200), reasons: ["invalid"] },
  {
    name: "200, empty body to GET",
    fault: bentBody(
      bent(({ headers }) => ({ headers: { ...headers, "content-length": "0" }, body: Buffer.alloc(0) })),
    ),
    reasons: ["invalid"],
  },
  {
    name: "a wrong digest header on both",
    fault: bent(({ headers }) => ({
      status: 200,
      headers: { ...headers, "docker-content-digest": elsewhere },
    })),
    reasons: ["invalid"],
  },
  {
    name: "a wrong digest header on GET",
    fault: bentBody(bent(({ headers }) => ({ headers: { ...headers, "docker-content-digest": elsewhere } }))),
    reasons: ["invalid"],
  },
  {
    name: "a wrong digest header on HEAD",
    fault: async (hostage) =>
      hostage.request.method === "GET"
        ? hostage.pass()
        : answer(200, { "docker-content-digest": elsewhere })(hostage),
    reasons: ["invalid"],
  },
  {
    name: "a malformed digest header",
    fault: bent(({ headers }) => ({
      status: 200,
      headers: { ...headers, "docker-content-digest": "sha256:?" },
    })),
    reasons: ["invalid"],
  },
  {
    name: "no digest header, no ETag",
    fault: bent(({ headers }) => {
      const { "docker-content-digest": _digest, etag: _etag, ...rest } = headers;
      return { headers: rest };
    }),
    reasons: [],
  },
  {
    name: "another body than the digest's",
    fault: bentBody(
      bent(({ body }) => ({ body: Buffer.from(body.toString().replace("schemaVersion", "schemaversioN")) })),
    ),
    reasons: ["invalid"],
  },
  {
    name: "a body cut off, its length announced",
    fault: bentBody(async ({ response, truth }) => {
      const { headers, body } = await truth();
      response.writeHead(200, headers);
      response.write(body.subarray(0, body.length / 2), () => response.destroy());
    }),
    reasons: ["network", "invalid"],
  },
  {
    name: "a body cut off, no length announced",
    fault: bentBody(async ({ response, truth }) => {
      const { body } = await truth();
      response.socket?.end(
        `HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n\r\n${body.subarray(0, body.length / 2)}`,
      );
    }),
    reasons: ["invalid"],
  },
  {
    name: "a reset before the headers",
    fault: ({ request }) => void request.socket.resetAndDestroy(),
    reasons: ["network"],
  },
  {
    name: "a reset within the headers",
    fault: ({ request }) => {
      request.socket.write("HTTP/1.1 200 OK\r\nDocker-Content-Dig", () => request.socket.resetAndDestroy());
    },
    reasons: ["network"],
  },
  {
    name: "a reset within the body",
    fault: bentBody(async ({ request, response, truth }) => {
      const { headers, body } = await truth();
      response.writeHead(200, headers);
      response.write(body.subarray(0, 10), () => request.socket.resetAndDestroy());
    }),
    reasons: ["network"],
  },
  {
    name: "a connection closed without a word",
    fault: ({ request }) => void request.socket.end(),
    reasons: ["network"],
  },
  { name: "what is no HTTP", fault: raw("SSH-2.0-OpenSSH_9.2\r\n"), reasons: ["invalid"] },
  {
    name: "headers without end",
    fault: raw(`HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(70_000)}\r\n\r\n`),
    reasons: ["invalid"],
  },
  { name: "silence", fault: () => undefined, reasons: ["timeout"] },
  {
    name: "silence after the headers",
    fault: bentBody(async ({ response, truth }) => {
      response.writeHead(200, (await truth()).headers);
      response.flushHeaders();
    }),
    reasons: ["timeout"],
  },
  {
    name: "a slow drip",
    fault: bentBody(async ({ response, truth }) => {
      const { headers, body } = await truth();
      response.writeHead(200, headers);
      let sent = 0;
      const drip = setInterval(() => response.write(body.subarray(sent, ++sent)), 20);
      response.on("close", () => clearInterval(drip));
    }),
    reasons: ["timeout"],
  },
  {
    name: "a redirect to itself",
    fault: ({ request, response }) =>
      give(response, { status: 307, headers: { location: request.url }, body: Buffer.alloc(0) }),
    reasons: ["invalid"],
  },
  { name: "a redirect to nowhere", fault: answer(307), reasons: ["invalid"] },
  {
    name: "a redirect to a host without TLS",
    fault: answer(307, { location: "http://192.0.2.1/v2/" }),
    reasons: ["invalid"],
  },
  {
    name: "not modified, for another digest",
    fault: ({ response }) =>
      give(response, { status: 304, headers: { "docker-content-digest": elsewhere }, body: Buffer.alloc(0) }),
    reasons: ["invalid"],
  },
  {
    name: "an oversized body, its length announced",
    fault: bentBody(answer(200, { "content-length": String(hungry) }, " ".repeat(hungry))),
    reasons: ["invalid"],
  },
  {
    name: "an oversized body, no length announced",
    fault: bentBody(answer(200, { "transfer-encoding": "chunked" }, " ".repeat(hungry))),
    reasons: ["invalid"],
  },
];
