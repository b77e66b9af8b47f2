/** Bearer tokens, with an issuer of the test's own before a real registry: cached, renewed, shared, never astray. */
import assert from "node:assert/strict";
import { type Credential, parseReference, RegistryClient } from "../../../registry";
import { type FaultyRegistry, give, startFaultyRegistry } from "./faulty";
import { pushImage } from "./images";
import { type RealRegistry, startRealRegistry } from "./real-registry";
import { createTokenIssuer } from "./token-issuer";

const password: Credential = { kind: "password", username: "user", password: "secret", source: "test" };

describe("a token", () => {
  let real: RealRegistry;
  let door: FaultyRegistry;
  let issuer: FaultyRegistry;
  let digest: string;
  let valid: Set<string>;
  let issued: number;
  let bodies: string[];
  let skippedMs: number;
  let clients: RegistryClient[];
  let answer: (token: string) => unknown;

  const clientWith = (credential: Credential | undefined) => {
    const client = new RegistryClient({
      credentials: async () => credential,
      insecure: new Set(),
      deadlineMs: 2_000,
      now: () => performance.now() + skippedMs,
    });
    clients.push(client);
    return client;
  };
  const at = (repository = "acme/server") => parseReference(`${door.host}/${repository}:dev`);

  before(async () => {
    real = await startRealRegistry();
    digest = (
      await pushImage({ host: real.host, repository: "acme/server" }, { flavour: "oci", seed: "1" }, "dev")
    ).digest;
    await pushImage({ host: real.host, repository: "acme/client" }, { flavour: "oci", seed: "2" }, "dev");
  });
  after(() => real.close());

  beforeEach(async () => {
    [valid, issued, bodies, skippedMs, clients] = [new Set(), 0, [], 0, []];
    answer = (token) => ({ token, expires_in: 300 });
    door = await startFaultyRegistry(real.host);
    issuer = await startFaultyRegistry();
    door.fault = ({ request, response, pass }) => {
      const token = request.headers.authorization?.replace(/^Bearer /, "");
      if (token !== undefined && valid.has(token)) return pass();
      const scope = `repository:${request.url?.split("/").slice(2, 4).join("/")}:pull`;
      const challenge = `Bearer realm="http://${issuer.host}/token?fixed=1",service="door",scope="${scope}"`;
      give(response, { status: 401, headers: { "www-authenticate": challenge }, body: Buffer.alloc(0) });
    };
    issuer.fault = async ({ request, response }) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      bodies.push(body);
      issued += 1;
      const token = `token-${issued}`;
      valid.add(token);
      const headers = { "content-type": "application/json" };
      give(response, { status: 200, headers, body: Buffer.from(JSON.stringify(answer(token))) });
    };
  });
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all([door.close(), issuer.close()]);
  });

  it("is fetched once for many checks, with the realm's own query kept", async () => {
    const client = clientWith(undefined);
    for (let check = 0; check < 50; check += 1) {
      assert.equal((await client.observe(at(), digest)).kind, "unmoved");
    }
    const query = "fixed=1&service=door&scope=repository%3Aacme%2Fserver%3Apull";
    assert.deepEqual(issuer.log, [`GET /token?${query} → 200`]);
    assert.equal(issuer.headers[0]?.authorization, undefined, "anonymous without credentials");
    assert.equal(door.log.length, 51, "one challenge, then one request a check");
    assert.deepEqual([door.connections, issuer.connections], [1, 1]);
  });

  it("is fetched once however many wait for it, and once for each repository", async () => {
    const client = clientWith(undefined);
    const seen = await Promise.all(Array.from({ length: 30 }, () => client.observe(at(), digest)));
    assert(seen.every(({ kind }) => kind === "unmoved"));
    assert.equal(issued, 1);
    assert.equal((await client.observe(at("acme/client"))).kind, "moved");
    assert.equal(issued, 2);
  });

  it("is asked for with the credentials, which the registry itself never sees", async () => {
    const client = clientWith(password);
    assert.equal((await client.observe(at())).kind, "moved");
    assert.equal(issuer.headers[0]?.authorization, `Basic ${Buffer.from("user:secret").toString("base64")}`);
    assert(door.headers.every(({ authorization }) => !authorization?.startsWith("Basic")));
  });

  it("is exchanged for an identity token where there is one", async () => {
    const client = clientWith({ kind: "identity-token", token: "identity", source: "test" });
    answer = (token) => ({ access_token: token, expires_in: 300 });
    assert.equal((await client.observe(at())).kind, "moved");
    assert.deepEqual(issuer.log, ["POST /token?fixed=1 → 200"]);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(bodies[0])), {
      service: "door",
      scope: "repository:acme/server:pull",
      grant_type: "refresh_token",
      client_id: "tagalong",
      refresh_token: "identity",
    });
  });

  for (const [name, life, form] of [
    ["a life of 300 s", 300, (token: string) => ({ token, expires_in: 300 })],
    ["access_token", 100, (token: string) => ({ access_token: token, expires_in: 100 })],
    ["no expiry, which means 60 s", 60, (token: string) => ({ token })],
    ["an expiry of null", 60, (token: string) => ({ token, expires_in: null })],
    ["an expiry of zero", 60, (token: string) => ({ token, expires_in: 0 })],
    ["an empty token beside access_token", 60, (token: string) => ({ token: "", access_token: token })],
  ] as const) {
    it(`with ${name} is renewed at 90 % of it`, async () => {
      answer = form;
      const client = clientWith(undefined);
      await client.observe(at(), digest);
      skippedMs = life * 890;
      await client.observe(at(), digest);
      assert.equal(issued, 1);
      skippedMs = life * 901;
      const requests = door.log.length;
      assert.equal((await client.observe(at(), digest)).kind, "unmoved");
      assert.equal(issued, 2);
      assert.equal(door.log.length, requests + 1, "renewed in advance, not after a refusal");
    });
  }

  it("that was revoked is replaced once, and the check succeeds", async () => {
    const client = clientWith(undefined);
    await client.observe(at(), digest);
    valid.clear();
    assert.equal((await client.observe(at(), digest)).kind, "unmoved");
    assert.equal(issued, 2);
  });

  it("that is refused again ends the check: two requests and one token, and access is unknown", async () => {
    const client = clientWith(password);
    await client.observe(at(), digest);
    valid.add = () => valid;
    valid.clear();
    const requests = door.log.length;
    const seen = await client.observe(at(), digest);
    assert(seen.kind === "unknown" && seen.reason === "access");
    assert.match(seen.detail, /missing or no access.*with the credentials of test/);
    assert(!seen.detail.includes("secret"));
    assert.deepEqual([door.log.length - requests, issued], [2, 2]);
  });

  for (const realm of [
    "http://192.0.2.1/token",
    "http://registry.example/token",
    "ftp://x/",
    "nonsense",
    "",
  ]) {
    it(`is not asked for at "${realm}"`, async () => {
      door.fault = ({ response }) =>
        give(response, {
          status: 401,
          headers: { "www-authenticate": `Bearer realm="${realm}"` },
          body: Buffer.alloc(0),
        });
      const seen = await clientWith(password).observe(at(), digest);
      assert(seen.kind === "unknown" && seen.reason === "access");
      assert.match(seen.detail, /no HTTPS address; nothing was sent there/);
    });
  }

  it("issuer's trouble is unknown, and its wish to be left alone is kept", async () => {
    const issuing = issuer.fault;
    const client = clientWith(undefined);
    for (const [status, reason] of [
      [500, "server"],
      [401, "access"],
      [403, "access"],
      [404, "access"],
      [302, "access"],
    ] as const) {
      issuer.fault = ({ response }) => give(response, { status, headers: {}, body: Buffer.alloc(0) });
      const seen = await client.observe(at(), digest);
      assert.equal(seen.kind === "unknown" && seen.reason, reason, String(status));
    }
    issuer.fault = ({ response }) =>
      give(response, { status: 200, headers: {}, body: Buffer.from("<html>") });
    const page = await client.observe(at(), digest);
    assert.equal(page.kind === "unknown" && page.reason, "invalid");

    issuer.fault = ({ response }) =>
      give(response, { status: 429, headers: { "retry-after": "60" }, body: Buffer.alloc(0) });
    const limited = await client.observe(at(), digest);
    assert(
      limited.kind === "unknown" && limited.reason === "rate-limited" && limited.retryAfterMs === 60_000,
    );
    issuer.fault = issuing;
    const asked = issuer.log.length;
    const paused = await client.observe(at(), digest);
    assert.equal(paused.kind === "unknown" && paused.reason, "rate-limited");
    assert.equal(issuer.log.length, asked, "the issuer is left alone");
    skippedMs = 61_000;
    assert.equal((await client.observe(at(), digest)).kind, "unmoved");
  });
});

describe("a registry that checks its issuer's signatures", () => {
  it("is read with a token for each repository's pull, and with nothing else", async () => {
    const { certificate, token } = createTokenIssuer("issuer", "registry");
    const issuer = await startFaultyRegistry();
    const scopes: string[] = [];
    issuer.fault = ({ request, response }) => {
      const scope = new URL(request.url ?? "", "http://issuer").searchParams.get("scope") ?? "";
      scopes.push(scope);
      const [, repository = "", actions = ""] = scope.split(":");
      const granted = repository === "acme/closed" ? [] : [{ repository, actions: actions.split(",") }];
      const body = Buffer.from(JSON.stringify({ token: token(granted), expires_in: 300 }));
      give(response, { status: 200, headers: { "content-type": "application/json" }, body });
    };
    const realm = `http://${issuer.host}/token`;
    const real = await startRealRegistry({
      token: { realm, service: "registry", issuer: "issuer", certificate },
    });
    const client = new RegistryClient({ credentials: async () => undefined, insecure: new Set() });
    try {
      for (const repository of ["acme/server", "acme/closed"]) {
        const authorization = `Bearer ${token([{ repository, actions: ["pull", "push"] }])}`;
        await pushImage(
          { host: real.host, repository, authorization },
          { flavour: "docker", seed: repository },
          "dev",
        );
      }
      const open = await client.observe(parseReference(`${real.host}/acme/server:dev`));
      assert(open.kind === "moved", JSON.stringify(open));
      assert.equal((await client.image(parseReference(`${real.host}/acme/server:dev`))).digest, open.digest);
      const closed = await client.observe(parseReference(`${real.host}/acme/closed:dev`));
      assert.equal(closed.kind === "unknown" && closed.reason, "access");
      assert.deepEqual(scopes, ["repository:acme/server:pull", "repository:acme/closed:pull"]);
    } finally {
      await client.close();
      await real.close();
      await issuer.close();
    }
  });
});
