import assert from "node:assert/strict";
import { test } from "node:test";
import { httpUrl, readSettings } from "../settings.mjs";

test("an empty environment is enough", () => {
  assert.deepEqual(readSettings({}), {
    port: 8080,
    logLevel: "info",
    environment: "local",
    version: "0.0.0",
    commit: "unknown",
    broken: "",
  });
});

test("what the environment and the image say is taken over", () => {
  const settings = readSettings({
    PORT: "9000",
    LOG_LEVEL: "debug",
    ENVIRONMENT: "dev",
    VERSION: "1.4.2",
    REVISION: "abc",
    BROKEN: "slow",
  });
  assert.deepEqual(settings, {
    port: 9000,
    logLevel: "debug",
    environment: "dev",
    version: "1.4.2",
    commit: "abc",
    broken: "slow",
  });
});

for (const [env, message] of /** @type {[Record<string, string>, RegExp][]} */ ([
  [{ PORT: "http" }, /^PORT must be a whole number from 0 to 65535, not "http"$/],
  [{ PORT: "70000" }, /^PORT must be/],
  [{ LOG_LEVEL: "loud" }, /^LOG_LEVEL must be one of debug, info, warn, error, not "loud"$/],
  [{ BROKEN: "badly" }, /^BROKEN must be one of unhealthy, exit, slow, not "badly"$/],
])) {
  test(`${JSON.stringify(env)} is refused by name`, () => {
    assert.throws(() => readSettings(env), { message });
  });
}

test("an address with credentials is refused, and not repeated", () => {
  assert.throws(
    () => httpUrl("SERVER_URL", "http://me:hunter2@server:8080"),
    (/** @type {Error} */ error) => {
      assert.match(error.message, /^SERVER_URL must be/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    },
  );
  assert.equal(httpUrl("SERVER_URL", ""), undefined);
});
