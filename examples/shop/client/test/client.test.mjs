import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { call, start } from "../../shared/test/start.mjs";

const env = { VERSION: "1.4.2", REVISION: "c0ffee", ENVIRONMENT: "dev" };

/**
 * @param {import("node:test").TestContext} t
 * @param {import("node:http").RequestListener} answer
 */
async function upstream(t, answer) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address && typeof address === "object");
  return `http://127.0.0.1:${address.port}`;
}

/**
 * @param {import("node:test").TestContext} t
 * @param {Record<string, string>} more
 */
async function client(t, more) {
  const started = start("client/client.mjs", { ...env, ...more });
  t.after(() => started.kill("SIGKILL"));
  return await started.listening;
}

test("the server's answer is part of the client's", async (t) => {
  const answer = { service: "server", version: "1.4.1" };
  const url = await client(t, {
    SERVER_URL: await upstream(t, (_, response) => response.end(JSON.stringify(answer))),
  });
  const { status, json } = await call(url);
  assert.equal(status, 200);
  assert.deepEqual(json, {
    service: "client",
    version: "1.4.2",
    commit: "c0ffee",
    environment: "dev",
    server: answer,
  });
});

test("without a server's address it answers alone", async (t) => {
  const { status, json } = await call(await client(t, {}));
  assert.deepEqual([status, json.server], [200, null]);
});

test("a server that fails or is not there makes a 502, and the client stays ready", async (t) => {
  const broken = await upstream(t, (_, response) => response.writeHead(500).end());
  for (const [server, reason] of /** @type {[string, RegExp][]} */ ([
    [broken, /status 500/],
    ["http://127.0.0.1:1", /ECONNREFUSED/],
  ])) {
    const url = await client(t, { SERVER_URL: server });
    const { status, json } = await call(url);
    assert.equal(status, 502);
    assert.match(json.error, reason);
    assert.equal((await call(`${url}/healthz`)).status, 200);
  }
});

test("a connection that the server closed while it was idle fails no request", async (t) => {
  let requests = 0;
  const server = await upstream(t, (request, response) => {
    requests += 1;
    // The second request of a connection finds it closed, as after a server's keep-alive timeout.
    if (requests === 2) request.socket.destroy();
    else response.end("{}");
  });
  const url = await client(t, { SERVER_URL: server });
  assert.equal((await call(url)).status, 200);
  assert.equal((await call(url)).status, 200);
  assert.equal(requests, 3);
});
