import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type * as TrafficTool from "../../../tools/traffic.mjs";
import { importTool } from "./import-module";

type Report = TrafficTool.Report;
type Traffic = TrafficTool.Traffic;
type TrafficOptions = TrafficTool.TrafficOptions;

describe("tools/traffic", () => {
  let startTraffic: typeof TrafficTool.startTraffic;
  const servers: Server[] = [];
  const running: Traffic[] = [];

  before(async () => {
    ({ startTraffic } = await importTool<typeof TrafficTool>("traffic.mjs"));
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    await Promise.all(running.splice(0).map((traffic) => traffic.stop()));
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function start(options: TrafficOptions): Traffic {
    const traffic = startTraffic({ rate: 200, maxSeconds: 20, slowMs: 10, ...options });
    running.push(traffic);
    return traffic;
  }

  /** Sends exactly so many requests, and waits for what became of them. */
  async function run(requests: number, options: TrafficOptions): Promise<Report> {
    const traffic = start({ maxRequests: requests, ...options });
    while (traffic.snapshot().requests < requests) await tick();
    return await traffic.stop();
  }

  const tick = () => new Promise((resolve) => setTimeout(resolve, 5));
  const answer = (version: string) => JSON.stringify({ version, commit: `commit-${version}` });

  it("sends every kind of request in turn, and counts what is answered well", async () => {
    const seen = new Map<string, number>();
    const url = await serve((request, response) => {
      const what = `${request.method} ${request.url} ${request.headers.connection}`;
      seen.set(what, (seen.get(what) ?? 0) + 1);
      request.resume().on("end", () => response.end(answer("1")));
    });
    const report = await run(20, { url });
    assert.deepEqual(Object.fromEntries([...seen].sort()), {
      "GET / close": 5,
      "GET / keep-alive": 5,
      "GET /slow?ms=10 keep-alive": 5,
      "POST /echo keep-alive": 5,
    });
    assert.deepEqual([report.requests, report.ok, report.failed, report.inFlight], [20, 20, 0, 0]);
    assert.equal(report.versions[0]?.responses, 20);
  });

  it("uses kept-alive connections again, and a new one where told so", async () => {
    const sockets = new Map<string, Set<Socket>>([
      ["keep-alive", new Set()],
      ["close", new Set()],
    ]);
    const url = await serve((request, response) => {
      sockets.get(request.headers.connection ?? "")?.add(request.socket);
      response.end(answer("1"));
    });
    await run(40, { url, kinds: ["keepalive-get", "new-connection"], rate: 50 });
    assert.equal(sockets.get("close")?.size, 20);
    assert.ok((sockets.get("keep-alive")?.size ?? 20) < 20, "no connection was used twice");
  });

  it("sees when one version gives way to another", async () => {
    let version = "1.0.0";
    const url = await serve((_, response) => response.end(answer(version)));
    const traffic = start({ url, kinds: ["keepalive-get"] });
    while (traffic.snapshot().versions.length < 1) await tick();
    version = "2.0.0";
    while (traffic.snapshot().versions.length < 2) await tick();
    const report = await traffic.stop();
    const [old, next] = report.versions;
    assert.ok(old && next);
    assert.deepEqual([old.version, old.commit], ["1.0.0", "commit-1.0.0"]);
    assert.deepEqual([next.version, next.commit], ["2.0.0", "commit-2.0.0"]);
    assert.ok(old.firstAt <= old.lastAt && old.lastAt <= next.lastAt && next.firstAt <= next.lastAt);
    assert.ok(report.startedAt <= old.lastSentAt && old.lastSentAt <= old.lastAt);
    assert.equal(old.responses + next.responses, report.ok);
  });

  it("asks the caller who gave an answer", async () => {
    const url = await serve((_, response) => response.setHeader("x-version", "7").end("plain text"));
    const byHeader = await run(3, {
      url,
      kinds: ["new-connection"],
      classify: (_, headers) => ({ version: String(headers["x-version"]) }),
    });
    assert.deepEqual(
      byHeader.versions.map(({ version, responses }) => ({ version, responses })),
      [{ version: "7", responses: 3 }],
    );
    const unknown = await run(3, { url, kinds: ["new-connection"] });
    assert.deepEqual([unknown.ok, unknown.versions], [3, []]);
  });

  const failing: [reason: string, message: RegExp, listener: RequestListener][] = [
    ["status", /^status 502: bad gateway$/, (_, response) => response.writeHead(502).end("bad gateway\n")],
    ["reset", /hang up|ECONNRESET/, (request) => request.socket.resetAndDestroy()],
    [
      "reset",
      /aborted/,
      (request, response) => {
        response.writeHead(200, { "content-length": 100 }).write("a part", () => request.socket.destroy());
      },
    ],
    ["timeout", /no complete answer within 50 ms/, () => {}],
    ["timeout", /no complete answer within 50 ms/, (_, response) => response.writeHead(200).write("a part")],
    ["other", /Parse Error/, (request) => request.socket.end("not HTTP\r\n\r\n")],
  ];
  for (const [reason, message, listener] of failing) {
    it(`counts as failed, reason ${reason}, what ends with ${message}`, async () => {
      const url = await serve(listener);
      const { ok, failed, failures, samples } = await run(4, {
        url,
        slowMs: 0,
        timeoutMs: reason === "timeout" ? 50 : 10_000,
      });
      assert.deepEqual([ok, failed], [0, 4]);
      assert.deepEqual(failures, { status: 0, reset: 0, refused: 0, timeout: 0, other: 0, [reason]: 4 });
      assert.equal(samples.length, 4);
      for (const sample of samples) assert.match(sample.message, message);
    });
  }

  it("counts as refused what finds nobody", async () => {
    const url = await serve(() => {});
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    assert.equal((await run(4, { url })).failures.refused, 4);
  });

  describe("a connection that is reset when it is used again", () => {
    async function flaky(options: Partial<TrafficOptions>): Promise<Report> {
      const used = new WeakSet<Socket>();
      const url = await serve((request, response) => {
        if (used.has(request.socket)) request.socket.resetAndDestroy();
        else response.end(answer("1"));
        used.add(request.socket);
      });
      return await run(20, { url, kinds: ["keepalive-get"], rate: 50, ...options });
    }

    it("is a failure", async () => {
      const { ok, failures, retried } = await flaky({});
      assert.ok(failures.reset > 0, "no connection was used again");
      assert.deepEqual([ok + failures.reset, retried], [20, 0]);
    });

    it("is tried once more where the caller asks for it", async () => {
      const { ok, failed, retried } = await flaky({ retryReused: true });
      assert.ok(retried > 0, "no connection was used again");
      assert.deepEqual([ok, failed], [20, 0]);
    });

    it("is a failure all the same for a request that may not be repeated", async () => {
      const { failures, retried } = await flaky({ retryReused: true, kinds: ["keepalive-post"] });
      assert.ok(failures.reset > 0, "no connection was used again");
      assert.equal(retried, 0);
    });
  });

  it("goes on sending while nothing is answered", async () => {
    const waiting: (() => void)[] = [];
    const url = await serve((_, response) => waiting.push(() => response.end(answer("1"))));
    const traffic = start({ url, kinds: ["keepalive-get"], maxRequests: 30 });
    while (waiting.length < 30) await tick();
    const before = traffic.snapshot();
    assert.deepEqual([before.requests, before.ok, before.inFlight], [30, 0, 30]);
    for (const release of waiting) release();
    const after = await traffic.stop();
    assert.deepEqual([after.ok, after.inFlight], [30, 0]);
    assert.equal(before.ok, 0, "a snapshot is of its moment");
  });

  it("tells the requests between two moments apart", async () => {
    let healthy = true;
    const url = await serve((_, response) => response.writeHead(healthy ? 200 : 503).end(answer("1")));
    const traffic = start({ url, kinds: ["new-connection"] });
    while (traffic.snapshot().ok < 5) await tick();
    healthy = false;
    while (traffic.snapshot().failed < 5) await tick();
    const report = await traffic.stop();
    const cut = Math.min(...report.samples.map(({ sentAt }) => sentAt));
    const before = report.between(report.startedAt, cut);
    const after = report.between(cut, report.endedAt);
    assert.equal(before.failed, 0);
    assert.equal(after.failed, report.failed);
    assert.equal(before.requests + after.requests, report.requests);
    assert.deepEqual(report.between(report.endedAt, report.endedAt + 1), {
      requests: 0,
      ok: 0,
      failed: 0,
      inFlight: 0,
    });
  });

  it("stops by itself at its bounds", async () => {
    const url = await serve((_, response) => response.end(answer("1")));
    const traffic = start({ url, kinds: ["new-connection"], rate: 100, maxSeconds: 0.1 });
    while (traffic.snapshot().ok < 10) await tick();
    assert.equal((await traffic.stop()).requests, 10);
    assert.equal(await traffic.stop(), await traffic.stop(), "stopping twice is one stop");
  });

  for (const url of [
    "http://192.168.1.1/",
    "http://198.20.0.1/",
    "http://example.com/",
    "https://127.0.0.1/",
    "http://127.0.0.1.example.com/",
  ]) {
    it(`refuses ${url}`, () => {
      assert.throws(() => startTraffic({ url }), /addresses of this machine only/);
    });
  }

  for (const [options, message] of [
    [{ rate: 0 }, /rate must be/],
    [{ rate: 100_000 }, /rate must be/],
    [{ maxSeconds: 86_400 }, /maxSeconds must be/],
    [{ kinds: [] }, /at least one kind/],
  ] satisfies [Partial<TrafficOptions>, RegExp][]) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => startTraffic({ url: "http://127.0.0.1/", ...options }), message);
    });
  }
});
