/** Credentials: the order of sources, Docker's forms, helpers on PATH, and that no error text carries a secret. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CredentialError, credentialLookup, engineAuthHeader } from "../../../registry";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const auth = (text: string) => ({ auth: base64(text) });

/** Records its arguments and input, then does what the host's name asks for. */
const helper = `#!/bin/sh
read -r host
printf '%s|%s|%s\\n' "$0" "$*" "$host" >> "$HELPER_LOG"
case "$host" in
  *token*) echo '{"ServerURL":"x","Username":"<token>","Secret":"helper-identity"}' ;;
  *none*) echo 'credentials not found in native keychain'; exit 1 ;;
  *broken*) echo 'cannot unlock: hunter2'; echo hunter2 >&2; exit 3 ;;
  *garbage*) echo 'hunter2' ;;
  *deaf*) exec 0<&-; exit 4 ;;
  *) echo '{"ServerURL":"x","Username":"helper-user","Secret":"helper:secret"}' ;;
esac
`;

describe("a credential", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tagalong-credentials-"));
    await writeFile(join(folder, "docker-credential-fake"), helper, { mode: 0o755 });
    env = {
      PATH: `${folder}:/usr/bin:/bin`,
      HOME: folder,
      DOCKER_CONFIG: folder,
      HELPER_LOG: join(folder, "log"),
    };
  });
  afterEach(() => rm(folder, { recursive: true }));

  const configFile = (content: unknown) =>
    writeFile(join(folder, "config.json"), typeof content === "string" ? content : JSON.stringify(content));
  const find = (registry: string, explicit = {}) => credentialLookup(explicit, env)(registry);
  const user = async (registry: string, explicit = {}) => {
    const found = await find(registry, explicit);
    return found?.kind === "password" ? `${found.username}:${found.password}` : found?.token;
  };

  it("is none where nobody has one", async () => {
    assert.equal(await find("ghcr.io"), undefined);
    await configFile({});
    assert.equal(await find("ghcr.io"), undefined);
  });

  it("comes from the config before DOCKER_AUTH_CONFIG before the Docker config file", async () => {
    await configFile({ auths: { "ghcr.io": auth("file:3") } });
    assert.equal(await user("ghcr.io"), "file:3");
    env.DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { "ghcr.io": auth("environment:2") } });
    assert.equal(await user("ghcr.io"), "environment:2");
    assert.equal(await user("ghcr.io", { "ghcr.io": { username: "config", password: "1" } }), "config:1");
  });

  it("is looked for in the next source where one does not know the host, and says where it was found", async () => {
    env.DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { "quay.io": auth("a:b") } });
    await configFile({ auths: { "ghcr.io": auth("file:3") } });
    const found = await find("ghcr.io", { "docker.io": { username: "x", password: "y" } });
    assert.equal(found?.source, join(folder, "config.json"));
    assert.equal((await find("quay.io"))?.source, "DOCKER_AUTH_CONFIG");
  });

  for (const [key, registry] of [
    ["https://index.docker.io/v1/", "docker.io"],
    ["index.docker.io", "docker.io"],
    ["https://registry-1.docker.io/v2/", "docker.io"],
    ["https://ghcr.io", "ghcr.io"],
    ["ghcr.io/v2/", "ghcr.io"],
    ["http://localhost:5000/v1/", "localhost:5000"],
  ] as const) {
    it(`written under ${key} is ${registry}'s`, async () => {
      await configFile({ auths: { [key]: auth("user:pass:word") } });
      assert.equal(await user(registry), "user:pass:word");
    });
  }

  it("of one host is not given to another that looks like it", async () => {
    await configFile({ auths: { "ghcr.io": auth("a:b"), "localhost:5000": auth("a:b") } });
    for (const other of ["ghcr.io.evil.example", "xghcr.io", "ghcr.io:8443", "localhost:5001", "localhost"]) {
      assert.equal(await find(other), undefined, other);
    }
  });

  it("may be an identity token, or a plain user name and password", async () => {
    await configFile({
      auths: {
        "a.example": { ...auth("<token>:"), identitytoken: "file-identity" },
        "b.example": { username: "plain", password: "words" },
        "c.example": {},
      },
    });
    assert.deepEqual(await find("a.example"), {
      kind: "identity-token",
      token: "file-identity",
      source: join(folder, "config.json"),
    });
    assert.equal(await user("b.example"), "plain:words");
    assert.equal(await find("c.example"), undefined);
  });

  it("comes from a helper, which gets the host on standard input and nothing but `get` as argument", async () => {
    const { readFile } = await import("node:fs/promises");
    await configFile({ credsStore: "missing", credHelpers: { "ghcr.io": "fake", "docker.io": "fake" } });
    assert.equal(await user("ghcr.io"), "helper-user:helper:secret");
    await user("docker.io");
    const seen = (await readFile(join(folder, "log"), "utf8")).trim().split("\n");
    assert.deepEqual(
      seen.map((line) => line.split("|").slice(1)),
      [
        ["get", "ghcr.io"],
        ["get", "https://index.docker.io/v1/"],
      ],
    );
  });

  it("of a helper may be an identity token; `credentials not found` falls back to the file's own entry", async () => {
    await configFile({ credsStore: "fake", auths: { "none.example": auth("file:3"), "ghcr.io": {} } });
    assert.equal(await user("token.example"), "helper-identity");
    assert.equal(await user("none.example"), "file:3");
    assert.equal(await find("none-at-all.example"), undefined);
  });

  for (const [name, config, registry, says] of [
    [
      "a failing helper",
      { credsStore: "fake" },
      "broken.example",
      /docker-credential-fake.*exit code 3.*docker login/,
    ],
    [
      "a helper's garbage",
      { credsStore: "fake" },
      "garbage.example",
      /docker-credential-fake.*something else/,
    ],
    ["a helper that reads nothing", { credsStore: "fake" }, "deaf.example", /docker-credential-fake/],
    [
      "a missing helper",
      { credsStore: "missing" },
      "ghcr.io",
      /docker-credential-missing.*not on PATH.*install it/,
    ],
    ["a helper that is a path", { credsStore: "../hunter2" }, "ghcr.io", /no plain program name/],
    ["text that is no JSON", "hunter2 is my password", "ghcr.io", /config\.json is no valid JSON/],
    ["JSON cut short", '{"auths":{"ghcr.io":{"auth":"hunter2', "ghcr.io", /config\.json is no valid JSON/],
    ["a list", ["hunter2"], "ghcr.io", /must be a JSON object/],
    ["auths of another shape", { auths: { "ghcr.io": "hunter2" } }, "ghcr.io", /auths\["ghcr\.io"\] must be/],
    ["auth that is no pair", { auths: { "ghcr.io": auth("hunter2") } }, "ghcr.io", /base64 of user:password/],
  ] as const) {
    it(`${name} is an error that names the fix and no secret`, async () => {
      await configFile(config);
      await assert.rejects(find(registry), (error) => {
        assert(error instanceof CredentialError);
        assert.match(error.message, says);
        const everything = `${error.message}${error.stack}${JSON.stringify(error)}${String(error.cause)}`;
        for (const secret of ["hunter2", base64("hunter2")]) {
          assert(!everything.includes(secret), everything);
        }
        return true;
      });
    });
  }

  it("becomes the engine's header: padded base64url JSON, Docker Hub by its old name", () => {
    const read = (header: string) => JSON.parse(Buffer.from(header, "base64url").toString());
    const header = engineAuthHeader("docker.io", { kind: "password", username: "ü?>~", password: "p" });
    assert.match(header, /^[A-Za-z0-9_-]+=*$/);
    assert.equal(header.length % 4, 0);
    assert.deepEqual(read(header), {
      username: "ü?>~",
      password: "p",
      serveraddress: "https://index.docker.io/v1/",
    });
    assert.deepEqual(read(engineAuthHeader("ghcr.io", { kind: "identity-token", token: "t" })), {
      identitytoken: "t",
      serveraddress: "ghcr.io",
    });
    assert.deepEqual(read(engineAuthHeader("ghcr.io", undefined)), {});
  });
});
