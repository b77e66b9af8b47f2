import assert from "node:assert/strict";
import { Agent } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { call, start } from "../../shared/test/start.mjs";

const identity = { service: "server", version: "1.4.2", commit: "c0ffee", environment: "dev" };
const env = { VERSION: identity.version, REVISION: identity.commit, ENVIRONMENT: identity.environment };

test("every answer says which service, version, commit and environment gave it", async (t) => {
  const server = start("server/server.mjs", env);
  t.after(() => server.kill("SIGKILL"));
  const url = await server.listening;
  assert.deepEqual((await call(url)).json, { ...identity, database: { configured: false } });
  assert.deepEqual((await call(`${url}/healthz`)).json, { ...identity, status: "ready" });
  assert.deepEqual((await call(`${url}/slow?ms=1`)).json, { ...identity, waitedMs: 1 });
  assert.deepEqual((await call(`${url}/echo`, { method: "POST", body: "hello" })).json, {
    ...identity,
    received: "hello",
  });
  assert.equal((await call(`${url}/nowhere`)).status, 404);
  assert.equal((await call(`${url}/slow?ms=forever`)).status, 400);
  assert.equal((await call(`${url}/healthz`, { method: "HEAD" })).status, 200);
});

test("a body that is too large is refused, and the service goes on", async (t) => {
  const server = start("server/server.mjs", env);
  t.after(() => server.kill("SIGKILL"));
  const url = await server.listening;
  assert.equal(
    (await call(`${url}/echo`, { method: "POST", body: "x".repeat(1024 * 1024 + 1) })).status,
    413,
  );
  assert.equal((await call(url)).status, 200);
});

test("the database's address is neither answered nor logged", async (t) => {
  const server = start("server/server.mjs", {
    ...env,
    LOG_LEVEL: "debug",
    DATABASE_URL: "postgres://shop:hunter2@db/shop",
  });
  t.after(() => server.kill("SIGKILL"));
  const { json, text } = await call(await server.listening);
  assert.deepEqual(json.database, { configured: true });
  server.kill();
  await server.exit;
  assert.doesNotMatch(text + JSON.stringify(server.log), /hunter2|postgres/);
});

test("on SIGTERM it turns unready, finishes what is in flight, lets idle connections go and exits 0", async (t) => {
  const server = start("server/server.mjs", env);
  t.after(() => server.kill("SIGKILL"));
  const url = await server.listening;
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  await call(url, { agent });
  const inFlight = call(`${url}/slow?ms=1500`);
  await call(url);
  server.kill();
  let health = await call(`${url}/healthz`);
  while (health.status === 200) health = await call(`${url}/healthz`);
  assert.equal(health.status, 503);
  assert.equal(health.json.status, "stopping");
  const { status, headers, json } = await inFlight;
  assert.equal(status, 200);
  assert.equal(json.waitedMs, 1500);
  assert.equal(headers.connection, "close");
  assert.equal(await server.exit, 0);
  await assert.rejects(call(url), { code: "ECONNREFUSED" });
});

test("on SIGTERM a connection in use is told by its next answer that it ends, before it does", async (t) => {
  const server = start("server/server.mjs", env);
  t.after(() => server.kill("SIGKILL"));
  const url = await server.listening;
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  await call(url, { agent });
  server.kill();
  await sleep(400);
  const { status, headers } = await call(url, { agent });
  assert.deepEqual([status, headers.connection], [200, "close"]);
  assert.equal(await server.exit, 0);
});

test("a wrong setting ends it at once, with the setting's name", async () => {
  const server = start("server/server.mjs", { PORT: "eighty" });
  assert.equal(await server.exit, 2);
  assert.match(String(server.log[0]?.["message"]), /PORT must be/);
});

test("an image built to exit logs an error and exits 3", async () => {
  const server = start("server/server.mjs", { BROKEN: "exit" });
  assert.equal(await server.exit, 3);
  assert.equal(server.log[0]?.["level"], "error");
});

for (const broken of ["unhealthy", "slow"]) {
  test(`an image built ${broken} answers, is not ready, and still stops well`, async (t) => {
    const server = start("server/server.mjs", { BROKEN: broken });
    t.after(() => server.kill("SIGKILL"));
    const url = await server.listening;
    const health = await call(`${url}/healthz`);
    assert.deepEqual([health.status, health.json.status], [503, "starting"]);
    assert.equal((await call(url)).status, 200);
    server.kill();
    assert.equal(await server.exit, 0);
  });
}
