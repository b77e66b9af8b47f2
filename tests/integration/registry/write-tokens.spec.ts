/** Who writes asks for the right to push, for what is written alone; who looks never has it. */
import assert from "node:assert/strict";
import { type Credential, parseReference, RegistryClient, RegistryError } from "../../../registry";
import { type FaultyRegistry, give, startFaultyRegistry } from "./faulty";
import { pushImage } from "./images";
import { account, type RealRegistry, startRealRegistry } from "./real-registry";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer";

const credential: Credential = {
  kind: "password",
  username: "ci",
  password: "s3cret",
  source: "DOCKER_AUTH_CONFIG",
};

describe("A registry that gives out tokens", () => {
  let real: RealRegistry;
  let door: FaultyRegistry;
  let issuer: FaultyRegistry;
  let signer: TokenIssuer;
  let client: RegistryClient;
  let digest: string;
  /** The scopes of each token that was asked for. */
  let asked: string[][];
  /** Repositories that may be pushed to. */
  let open: string[];

  const at = (name: string) => parseReference(`${door.host}/${name}`);
  const failure = async (work: Promise<unknown>): Promise<RegistryError> => {
    const error: unknown = await work.then(
      () => assert.fail("it was let through"),
      (thrown: unknown) => thrown,
    );
    assert(error instanceof RegistryError, String(error));
    return error;
  };

  before(async () => {
    signer = createTokenIssuer("issuer", "registry");
    issuer = await startFaultyRegistry();
    real = await startRealRegistry({
      token: {
        realm: `http://${issuer.host}/token`,
        service: "registry",
        issuer: "issuer",
        certificate: signer.certificate,
      },
    });
    const grant = [{ repository: "acme/server", actions: ["pull", "push"] }];
    const target = {
      host: real.host,
      repository: "acme/server",
      authorization: `Bearer ${signer.token(grant)}`,
    };
    digest = (await pushImage(target, { flavour: "oci", seed: "1" }, "dev")).digest;
  });
  after(async () => {
    await issuer.close();
    await real.close();
  });
  beforeEach(async () => {
    [asked, open] = [[], ["acme/server", "acme/promoted"]];
    door = await startFaultyRegistry(real.host);
    issuer.fault = ({ request, response }) => {
      const scopes = new URL(request.url ?? "", "http://issuer").searchParams.getAll("scope");
      asked.push(scopes);
      const grants = scopes.map((scope) => {
        const [, repository = "", actions = ""] = scope.split(":");
        const granted = actions.split(",").filter((action) => action === "pull" || open.includes(repository));
        return { repository, actions: granted };
      });
      const body = Buffer.from(JSON.stringify({ token: signer.token(grants), expires_in: 300 }));
      give(response, { status: 200, headers: { "content-type": "application/json" }, body });
    };
    client = new RegistryClient({ credentials: async () => credential, insecure: new Set() });
  });
  afterEach(async () => {
    await client.close();
    await door.close();
  });

  it("is asked for push only by what writes, and once for each repository", async () => {
    await client.observe(at("acme/server:dev"));
    for (const tag of ["one", "two"])
      await client.retag(at(`acme/server@${digest}`), at(`acme/server:${tag}`));
    await client.observe(at("acme/server:dev"), digest);
    assert.deepEqual(asked, [["repository:acme/server:pull"], ["repository:acme/server:pull,push"]]);
  });

  it("sees the token that may push at nothing but writes", async () => {
    await client.retag(at(`acme/server@${digest}`), at("acme/server:three"));
    await client.observe(at("acme/server:three"));
    const rights = door.log.map((line, place) => {
      const token = door.headers[place]?.authorization?.split(".")[1];
      const claims = token && JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
      return [line.split(" ")[0], claims?.access[0].actions.join()];
    });
    assert(rights.some(([method, actions]) => method === "PUT" && actions === "pull,push"));
    assert(
      rights.every(([method, actions]) => method === "PUT" || actions !== "pull,push"),
      rights.join(" "),
    );
  });

  it("is asked for both repositories where one takes blobs over from the other", async () => {
    await client.retag(at(`acme/server@${digest}`), at("acme/promoted:test"));
    const found = await client.resolve(at("acme/promoted:test"));
    assert.equal(found.kind === "found" && found.digest, digest);
    const both = ["repository:acme/promoted:pull,push", "repository:acme/server:pull"];
    assert(
      asked.some((scopes) => scopes.length === 2 && both.every((scope) => scopes.includes(scope))),
      asked.join(" | "),
    );
    assert(!asked.flat().includes("repository:acme/server:pull,push"), "the source is not written");
  });

  it("names the missing permission and who asked, and writes nothing, where that one may only pull", async () => {
    open = [];
    const { reason, message } = await failure(
      client.retag(at(`acme/server@${digest}`), at("acme/server:four")),
    );
    assert.equal(reason, "access");
    assert.equal(
      message,
      `${door.host}/acme/server:four: no permission to write (HTTP 401), asked with the credentials of DOCKER_AUTH_CONFIG. ` +
        `It takes the permission to push to ${door.host}/acme/server: give it to that account, or "docker login ${door.host}" as one that has it; ` +
        "it says: authentication required",
    );
    assert.equal((await client.resolve(at("acme/server:four"))).kind, "none");
    assert(!message.includes("s3cret"));
  });

  it("names it as well where the issuer gives no token for a write", async () => {
    const issue = issuer.fault;
    issuer.fault = (hostage) =>
      hostage.request.url?.includes("push")
        ? give(hostage.response, { status: 403, headers: {}, body: Buffer.alloc(0) })
        : issue?.(hostage);
    const { reason, message } = await failure(
      client.retag(at(`acme/server@${digest}`), at("acme/server:five")),
    );
    assert.equal(reason, "access");
    assert.match(
      message,
      /the token issuer http:\S+ refused \(HTTP 403\), asked with the credentials of DOCKER_AUTH_CONFIG; .*It takes the permission to push to /,
    );
  });

  it("gives a new one when the last was revoked, and the write goes on", async () => {
    await client.retag(at(`acme/server@${digest}`), at("acme/server:six"));
    let refusals = 0;
    door.fault = ({ request, response, pass }) => {
      if (request.method !== "PUT" || refusals > 0) return pass();
      refusals += 1;
      const challenge = `Bearer realm="http://${issuer.host}/token",service="registry",scope="repository:acme/server:pull,push"`;
      give(response, { status: 401, headers: { "www-authenticate": challenge }, body: Buffer.alloc(0) });
    };
    await client.retag(at(`acme/server@${digest}`), at("acme/server:seven"));
    const found = await client.resolve(at("acme/server:seven"));
    assert.equal(found.kind === "found" && found.digest, digest);
  });
});

describe("A registry with Basic authentication", () => {
  it("is written with the account, and says which permission anonymous lacks", async () => {
    const real = await startRealRegistry({ basic: true });
    const door = await startFaultyRegistry(real.host);
    const as = (found: Credential | undefined) =>
      new RegistryClient({ credentials: async () => found, insecure: new Set() });
    const owner = as({ kind: "password", ...account, source: "test" });
    const nobody = as(undefined);
    try {
      const { digest } = await pushImage(
        { host: real.host, repository: "acme/server", account },
        { flavour: "docker", seed: "basic" },
        "dev",
      );
      const [from, to] = [`${door.host}/acme/server@${digest}`, `${door.host}/acme/server:test`].map(
        parseReference,
      );
      assert(from && to);
      await assert.rejects(
        nobody.put(to, Buffer.from("{}"), "application/vnd.oci.image.manifest.v1+json"),
        /wants a user name and a password and there are none; .*It takes the permission to push to /,
      );
      await owner.retag(from, to);
      const found = await owner.resolve(to);
      assert.equal(found.kind === "found" && found.digest, digest);
    } finally {
      await Promise.all([owner.close(), nobody.close()]);
      await door.close();
      await real.close();
    }
  });
});
