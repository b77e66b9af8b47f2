/** What is written is there, or the error says why not; what is not known is looked up. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { parseReference, RegistryClient, RegistryError } from "../../../registry";
import { type Fault, type FaultyRegistry, give, type Hostage, startFaultyRegistry } from "./faulty";
import { digestOf, pushImage, types } from "./images";
import { type RealRegistry, startRealRegistry } from "./real-registry";

const nothing = Buffer.alloc(0);
const isWrite = ({ request }: Hostage) => request.method === "PUT" || request.method === "POST";
const json = (status: number, code: string, message = code, headers: Record<string, string> = {}) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: Buffer.from(JSON.stringify({ errors: [{ code, message }] })),
});

describe("Writing to a registry", () => {
  let real: RealRegistry;
  let door: FaultyRegistry;
  let client: RegistryClient;
  let bytes: Buffer;

  const at = (tag: string) => parseReference(`${door.host}/acme/server:${tag}`);
  const put = (tag = "test") => client.put(at(tag), bytes, types.oci.manifest);
  const carried = async (tag = "test") => {
    const found = await client.resolve(parseReference(`${real.host}/acme/server:${tag}`));
    return found.kind === "found" ? found.digest : undefined;
  };
  const failure = async (work: Promise<unknown>): Promise<RegistryError> => {
    const error: unknown = await work.then(
      () => assert.fail("it was said to be written"),
      (thrown: unknown) => thrown,
    );
    assert(error instanceof RegistryError, String(error));
    return error;
  };

  before(async () => {
    real = await startRealRegistry();
  });
  after(() => real.close());
  beforeEach(async () => {
    door = await startFaultyRegistry(real.host);
    client = new RegistryClient({
      credentials: async () => undefined,
      insecure: new Set(),
      deadlineMs: 600,
    });
    const target = { host: real.host, repository: "acme/server" };
    const { digest } = await pushImage(target, { flavour: "oci", seed: randomBytes(4).toString("hex") });
    ({ bytes } = await client.manifest(parseReference(`${real.host}/acme/server@${digest}`)));
  });
  afterEach(async () => {
    await client.close();
    await door.close();
  });

  it("puts a manifest under a tag or under its digest, and says which it is", async () => {
    assert.equal(await put(), digestOf(bytes));
    const { repository, registry } = at("test");
    const byDigest = { registry, repository, digest: digestOf(bytes) };
    assert.equal(await client.put(byDigest, bytes, types.oci.manifest), digestOf(bytes));
    assert.deepEqual(door.log, [
      "PUT /v2/acme/server/manifests/test → 201",
      `PUT /v2/acme/server/manifests/${digestOf(bytes)} → 201`,
    ]);
  });

  it("puts no manifest under a digest that is another's", async () => {
    const wrong = parseReference(`${door.host}/acme/server@sha256:${"0".repeat(64)}`);
    assert.match(
      (await failure(client.put(wrong, bytes, types.oci.manifest))).message,
      /do not hash to sha256:0000/,
    );
    assert.deepEqual(door.log, []);
  });

  it("puts a blob, and only if it is not there", async () => {
    const blob = randomBytes(100);
    for (let times = 0; times < 2; times += 1)
      assert.equal(await client.putBlob(at("x"), blob), digestOf(blob));
    assert.deepEqual(
      door.log.map((line) => line.replace(/\/blobs.*→/, "/blobs →")),
      [
        "HEAD /v2/acme/server/blobs → 404",
        "POST /v2/acme/server/blobs → 202",
        "PUT /v2/acme/server/blobs → 201",
        "HEAD /v2/acme/server/blobs → 200",
      ],
    );
  });

  describe("whose answer was lost", () => {
    const lost: [string, Fault][] = [
      ["with the connection", ({ response }) => void response.destroy()],
      ["in a gateway", ({ response }) => give(response, json(504, "UNKNOWN"))],
      ["in a long silence", () => {}],
      [
        "half way",
        ({ response }) => {
          response.writeHead(201, { "content-length": "100" }).write("half");
          setTimeout(() => response.destroy(), 50);
        },
      ],
    ];
    /** The registry does what it is asked to; only its answer meets the fault. */
    const loses = (method: string, fault: Fault) => async (hostage: Hostage) => {
      if (hostage.request.method !== method) return hostage.pass();
      await hostage.truth();
      return fault(hostage);
    };
    for (const [name, fault] of lost) {
      it(`${name}, is looked up: a manifest that is there was written`, async () => {
        door.fault = loses("PUT", fault);
        assert.equal(await put(), digestOf(bytes));
        assert.equal(await carried(), digestOf(bytes));
      });

      it(`${name}, is looked up: a blob that is there was written`, async () => {
        const blob = randomBytes(100);
        door.fault = loses("PUT", fault);
        assert.equal(await client.putBlob(at("x"), blob), digestOf(blob));
      });
    }

    it("is found when the registry is late with it", async () => {
      door.fault = async ({ request, response, pass }) => {
        if (request.method !== "PUT") return pass();
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        response.destroy();
        setTimeout(() => {
          const headers = { "content-type": types.oci.manifest };
          const body = new Uint8Array(Buffer.concat(chunks));
          void fetch(`http://${real.host}${request.url}`, { method: "PUT", headers, body });
        }, 400);
      };
      assert.equal(await put("late"), digestOf(bytes));
    });

    it("and that is not there, is a failure: it was not written", async () => {
      door.fault = ({ request, response, pass }) =>
        request.method === "PUT" ? void response.destroy() : pass();
      const { reason, message } = await failure(put("lost"));
      assert.equal(reason, "network");
      assert.doesNotMatch(message, /not known/);
      assert.equal(await carried("lost"), undefined);
    });

    it("and that cannot be looked up either, is not known, and the message says so", async () => {
      door.fault = ({ response }) => void response.destroy();
      const { message } = await failure(put("dark"));
      assert.match(
        message,
        /Whether it was written is not known, since looking failed too \(.*doing it again does no harm$/,
      );
    });
  });

  describe("which answers with success", () => {
    it("and without a digest, is held against what is there", async () => {
      door.fault = async ({ request, truth, response, pass }) => {
        if (request.method !== "PUT") return pass();
        const { status, headers, body } = await truth();
        give(response, { status, headers: { ...headers, "docker-content-digest": undefined }, body });
      };
      assert.equal(await put("quiet"), digestOf(bytes));
      assert.match(door.log.at(-1) ?? "", /^HEAD .*quiet → 200$/);
    });

    it("and without a digest, and without having written it, is not believed", async () => {
      door.fault = ({ request, response, pass }) =>
        request.method === "PUT" ? give(response, { status: 201, headers: {}, body: nothing }) : pass();
      assert.match((await failure(put("liar"))).message, /stored something else than what was put/);
    });

    it("and with another digest, is not believed", async () => {
      const headers = { "docker-content-digest": `sha256:${"0".repeat(64)}` };
      door.fault = ({ request, response, pass }) =>
        request.method === "PUT" ? give(response, { status: 201, headers, body: nothing }) : pass();
      assert.equal((await failure(put("liar"))).reason, "invalid");
    });
  });

  describe("which says no", () => {
    const ghcr =
      /It takes the permission to push to HOST\/acme\/server: give it to that account, or "docker login HOST" as one that has it/;
    const refusals: [string, ReturnType<typeof json>, RegistryError["reason"], RegExp][] = [
      ["401", json(401, "UNAUTHORIZED"), "access", ghcr],
      ["403", json(403, "DENIED", "permission_denied: write_package"), "access", ghcr],
      [
        "an immutable tag, as ECR says it",
        json(400, "TAG_INVALID", "The image tag 'test' already exists … because the tag is immutable."),
        "refused",
        /does not let the tag test be replaced \(HTTP 400\); except it from the repository's rule of immutable tags; it says: The image tag/,
      ],
      [
        "an immutable tag, as Harbor says it",
        json(
          412,
          "PRECONDITION",
          "Failed to process request due to 'acme/server:test' configured as immutable.",
        ),
        "refused",
        /does not let the tag test be replaced \(HTTP 412\)/,
      ],
      [
        "an immutable tag, by a code",
        json(400, "TAG_IMMUTABLE"),
        "refused",
        /does not let the tag test be replaced/,
      ],
      ["an immutable tag, by 403", json(403, "DENIED", "tag is immutable"), "refused", /immutable tags/],
      ["a conflict", json(409, "CONFLICT"), "refused", /does not let the tag test be replaced \(HTTP 409\)/],
      [
        "a mirror",
        json(405, "UNSUPPORTED"),
        "refused",
        /takes no writes here \(HTTP 405\): it is read-only, or a mirror/,
      ],
      [
        "no such repository, as ECR says it",
        json(404, "NAME_UNKNOWN"),
        "absent",
        /there is no repository HOST\/acme\/server to write to \(HTTP 404\); create it, or check its name/,
      ],
      [
        "too much",
        json(413, "SIZE_INVALID"),
        "refused",
        /too large for the registry, or for a proxy before it/,
      ],
      [
        "what it does not take",
        json(400, "MANIFEST_INVALID", "artifacts are not supported"),
        "refused",
        /did not take it \(HTTP 400, MANIFEST_INVALID\); it says: artifacts are not supported$/,
      ],
      ["429", json(429, "TOOMANYREQUESTS", "", { "retry-after": "30" }), "rate-limited", /limits our rate/],
      [
        "what a terminal would obey",
        json(400, "MANIFEST_INVALID", "\u001b[2J\u202egone\n".repeat(50)),
        "refused",
        /it says: [^\p{Cc}\p{Cf}]{1,200}$/u,
      ],
    ];
    for (const [name, answer, reason, message] of refusals) {
      it(`${name}: says so, and nothing is written`, async () => {
        door.fault = (hostage) => (isWrite(hostage) ? give(hostage.response, answer) : hostage.pass());
        const before = await carried("test");
        const error = await failure(put("test"));
        assert.equal(error.reason, reason);
        assert.match(error.message.replaceAll(door.host, "HOST"), message);
        assert.equal(await carried("test"), before);
        assert.deepEqual(door.log.length, 1, "a sure answer is not looked up");
      });
    }

    it("a page of a proxy: that is no registry's answer", async () => {
      const headers = { "content-type": "text/html" };
      const page = { status: 418, headers, body: Buffer.from("<h1>no</h1>") };
      door.fault = (hostage) => (isWrite(hostage) ? give(hostage.response, page) : hostage.pass());
      assert.equal((await failure(put("page"))).reason, "invalid");
    });
  });

  describe("a blob, where the registry sends uploads", () => {
    const blob = randomBytes(1_000);
    let other: FaultyRegistry;
    let authorized: RegistryClient;

    beforeEach(async () => {
      other = await startFaultyRegistry();
      other.fault = ({ response }) => give(response, { status: 201, headers: {}, body: nothing });
      authorized = new RegistryClient({
        credentials: async () => ({ kind: "password", username: "ci", password: "p", source: "test" }),
        insecure: new Set(),
      });
    });
    afterEach(async () => {
      await authorized.close();
      await other.close();
    });
    /** Wants Basic authentication, and sends uploads to that location. */
    const sending = (location: string): Fault => {
      return ({ request, response, pass }) => {
        if (request.headers.authorization === undefined) {
          const headers = { "www-authenticate": "Basic realm=x" };
          return give(response, { status: 401, headers, body: nothing });
        }
        if (request.method !== "POST") return pass();
        return give(response, { status: 202, headers: { location }, body: nothing });
      };
    };

    it("to another host: without our credentials", async () => {
      door.fault = sending(`http://${other.host}/upload?state=1`);
      await authorized.putBlob(at("x"), blob);
      assert.deepEqual(other.log, [`PUT /upload?state=1&digest=${encodeURIComponent(digestOf(blob))} → 201`]);
      assert.equal(other.headers[0]?.authorization, undefined);
    });

    it("to itself by a path alone: with them", async () => {
      door.fault = (hostage) => {
        if (hostage.request.url?.startsWith("/up/")) {
          return give(hostage.response, { status: 201, headers: {}, body: nothing });
        }
        return sending("/up/1")(hostage);
      };
      await authorized.putBlob(at("x"), randomBytes(10));
      assert.match(door.log.at(-1) ?? "", /^PUT \/up\/1\?digest=/);
      assert.match(door.headers.at(-1)?.authorization ?? "", /^Basic /);
    });

    for (const [name, location] of [
      ["to a host without TLS", "http://192.0.2.1/upload"],
      ["nowhere", "http://["],
    ] as const) {
      it(`${name}: nothing is sent there`, async () => {
        door.fault = sending(location);
        const { reason } = await failure(authorized.putBlob(at("x"), randomBytes(10)));
        assert.equal(reason, "invalid");
      });
    }

    it("elsewhere by a redirect that would make a GET of it: it is not followed", async () => {
      door.fault = (hostage) => {
        if (hostage.request.method !== "PUT") return sending("/up/1")(hostage);
        const headers = { location: `http://${other.host}/elsewhere` };
        return give(hostage.response, { status: 302, headers, body: nothing });
      };
      await failure(authorized.putBlob(at("x"), randomBytes(10)));
      assert.deepEqual(other.log, []);
    });

    it("elsewhere by a redirect of the same request: it is sent there, without our credentials", async () => {
      door.fault = (hostage) => {
        if (hostage.request.method !== "PUT") return sending("/up/1")(hostage);
        const headers = { location: `http://${other.host}/elsewhere` };
        return give(hostage.response, { status: 307, headers, body: nothing });
      };
      await authorized.putBlob(at("x"), randomBytes(10));
      assert.deepEqual(other.log, ["PUT /elsewhere → 201"]);
      assert.equal(other.headers[0]?.authorization, undefined);
    });
  });
});
