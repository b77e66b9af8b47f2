/** The client against a real registry: what a tag, a digest and an image of each kind say, at what cost. */
import assert from "node:assert/strict";
import { credentialLookup, parseReference, RegistryClient, RegistryError } from "../../../registry";
import { type FaultyRegistry, give, startFaultyRegistry } from "./faulty";
import * as images from "./images";
import { account, type RealRegistry, startRealRegistry } from "./real-registry";

const nobody = { credentials: async () => undefined, insecure: new Set<string>() };
const labels = {
  "org.opencontainers.image.revision": "c0ffee",
  "org.opencontainers.image.version": "1.4.2",
  "org.opencontainers.image.source": "https://github.com/acme/shop",
};

describe("the registry client", () => {
  let real: RealRegistry;
  let counted: FaultyRegistry;
  let client: RegistryClient;
  let target: images.Target;

  const at = (name: string) => parseReference(`${counted.host}/acme/server${name}`);

  before(async () => {
    real = await startRealRegistry();
  });
  after(() => real.close());
  beforeEach(async () => {
    counted = await startFaultyRegistry(real.host);
    client = new RegistryClient(nobody);
    target = { host: real.host, repository: "acme/server" };
  });
  afterEach(async () => {
    await client.close();
    await counted.close();
  });

  for (const flavour of ["docker", "oci"] as const) {
    for (const push of [images.pushImage, images.pushIndex]) {
      const what = `a ${flavour} ${push === images.pushImage ? "manifest" : "index"}`;

      it(`sees ${what} move from digest to digest and back`, async () => {
        const tag = `move-${flavour}-${push.name.toLowerCase()}`;
        const one = await push(target, { flavour, seed: "one" }, tag);
        const first = await client.observe(at(`:${tag}`));
        assert(first.kind === "moved");
        assert.deepEqual([first.digest, first.mediaType], [one.digest, one.mediaType]);
        assert.equal((await client.observe(at(`:${tag}`), one.digest)).kind, "unmoved");
        const two = await push(target, { flavour, seed: "two" }, tag);
        const moved = await client.observe(at(`:${tag}`), one.digest);
        assert(moved.kind === "moved");
        assert.equal(moved.digest, two.digest);
        await push(target, { flavour, seed: "one" }, tag);
        const back = await client.observe(at(`:${tag}`), two.digest);
        assert(back.kind === "moved");
        assert.equal(back.digest, one.digest);
      });

      it(`reads what ${what} says of itself, and asks nothing twice`, async () => {
        const annotations = { "org.example.team": "shop" };
        const pushed = await push(target, { flavour, seed: "facts", labels, annotations }, "facts");
        const facts = await client.image(at(":facts"));
        assert.deepEqual([facts.digest, facts.mediaType], [pushed.digest, pushed.mediaType]);
        assert.deepEqual(
          [facts.revision, facts.version, facts.source],
          ["c0ffee", "1.4.2", labels["org.opencontainers.image.source"]],
        );
        assert.equal(facts.created, "2026-01-02T03:04:05Z");
        assert.deepEqual(facts.annotations, annotations);
        const amd64 = { os: "linux", architecture: "amd64" };
        const arm64 = { os: "linux", architecture: "arm64", variant: "v8" };
        assert.deepEqual(facts.platforms, push === images.pushIndex ? [amd64, arm64] : [amd64]);
        if (push === images.pushIndex) {
          const other = await client.image(at(":facts"), {
            platform: { os: "linux", architecture: "arm64" },
          });
          assert.equal(other.labels["org.example.arch"], "arm64");
        }
        const requests = counted.log.length;
        assert.deepEqual(await client.image(at(`@${pushed.digest}`)), facts);
        await client.manifest(at(`:facts@${pushed.digest}`));
        assert.equal(counted.log.length, requests, "a digest is immutable: answered from memory");
      });
    }
  }

  it("hands out a manifest's bytes as they were pushed", async () => {
    const pushed = await images.pushImage(target, { flavour: "oci", seed: "bytes" }, "bytes");
    const { bytes, digest, parsed } = await client.manifest(at(":bytes"));
    assert.equal(images.digestOf(bytes), pushed.digest);
    assert.deepEqual([digest, parsed.kind], [pushed.digest, "image"]);
  });

  it("checks 300 times with 300 requests on one connection", async () => {
    const { digest } = await images.pushIndex(target, { flavour: "oci", seed: "steady" }, "steady");
    for (let check = 0; check < 300; check += 1) {
      const seen = await client.observe(at(":steady"), digest);
      assert.equal(seen.kind, "unmoved");
    }
    assert.equal(counted.log.length, 300);
    assert.equal(counted.connections, 1);
    assert.deepEqual([...new Set(counted.log)], ["HEAD /v2/acme/server/manifests/steady → 304"]);
  });

  it("checks many tags at once on few connections", async () => {
    const { digest } = await images.pushImage(target, { flavour: "oci", seed: "many" }, "many");
    const seen = await Promise.all(Array.from({ length: 200 }, () => client.observe(at(":many"), digest)));
    assert(seen.every(({ kind }) => kind === "unmoved"));
    assert.equal(counted.log.length, 200);
    assert(counted.connections <= 8, `${counted.connections} connections`);
  });

  it("takes a malformed known digest for none", async () => {
    const { digest } = await images.pushImage(target, { flavour: "oci", seed: "known" }, "known");
    const seen = await client.observe(at(":known"), "sha256:?");
    assert.deepEqual([seen.kind, "digest" in seen && seen.digest], ["moved", digest]);
  });

  it("says absent of a tag that is gone, and nothing more", async () => {
    const { digest } = await images.pushImage(target, { flavour: "oci", seed: "gone" }, "gone");
    await images.deleteManifest(target, digest);
    const seen = await client.observe(at(":gone"), digest);
    assert.equal(seen.kind === "unknown" && seen.reason, "absent");
  });

  it("resolves a tag by name: found, or none", async () => {
    const { digest, mediaType } = await images.pushImage(
      target,
      { flavour: "oci", seed: "resolve" },
      "sha-c0ffee",
    );
    assert.deepEqual(await client.resolve(at(":sha-c0ffee")), { kind: "found", digest, mediaType });
    assert.deepEqual(await client.resolve(at(":sha-decaf")), { kind: "none" });
    assert.deepEqual(await client.resolve(at(`@${images.digestOf(Buffer.alloc(0))}`)), { kind: "none" });
    assert.deepEqual(await client.resolve(parseReference(`${counted.host}/no/such:dev`)), { kind: "none" });
  });

  it("refuses an artifact, a reference without a name in it, and a tagless check", async () => {
    const config = await images.pushBlob(target, Buffer.from("{}"), "application/vnd.oci.empty.v1+json");
    const artifact = { schemaVersion: 2, mediaType: images.types.oci.manifest, config, layers: [] };
    await images.pushManifest(target, artifact, images.types.oci.manifest, "artifact");
    await assert.rejects(client.image(at(":artifact")), /no container image but an artifact/);
    await assert.rejects(client.manifest(at("")), /names neither a tag nor a digest/);
    const seen = await client.observe(at(`@${config.digest}`));
    assert.match(seen.kind === "unknown" ? seen.detail : "", /no tag to follow/);
  });

  it("does not believe a config blob whose hash is another", async () => {
    await images.pushImage(target, { flavour: "oci", seed: "config" }, "config");
    counted.fault = async ({ request, response, truth, pass }) => {
      if (!request.url?.includes("/blobs/")) return pass();
      const honest = await truth();
      give(response, { ...honest, body: Buffer.from(honest.body.toString().replace("amd64", "riscv")) });
    };
    await assert.rejects(
      client.image(at(":config")),
      (error) => error instanceof RegistryError && error.reason === "invalid",
    );
  });

  it("answers nothing more after it was closed", async () => {
    await client.close();
    await assert.rejects(client.manifest(at(":dev")), /was closed/);
  });

  describe("where Basic authentication is asked for", () => {
    let guarded: RealRegistry;
    let door: FaultyRegistry;
    let warehouse: FaultyRegistry;

    before(async () => {
      guarded = await startRealRegistry({ basic: true });
      door = await startFaultyRegistry(guarded.host);
      warehouse = await startFaultyRegistry();
      const within = { host: guarded.host, repository: "acme/server", account };
      await images.pushImage(within, { flavour: "oci", seed: "guarded", labels }, "dev");
    });
    after(async () => {
      await warehouse.close();
      await door.close();
      await guarded.close();
    });

    const inside = () => parseReference(`${door.host}/acme/server:dev`);

    it("asks once without, and then always with the credentials", async () => {
      const welcome = new RegistryClient({
        ...nobody,
        credentials: credentialLookup({ [door.host]: account }, {}),
      });
      const seen = await welcome.observe(inside());
      assert(seen.kind === "moved");
      const before = door.log.length;
      for (let check = 0; check < 20; check += 1) await welcome.observe(inside(), seen.digest);
      assert.equal(door.log.length - before, 20);
      await welcome.close();
    });

    it("says missing or no access to a stranger and to a wrong password, without the password", async () => {
      const wrong = { [door.host]: { username: account.username, password: "hunter2" } };
      for (const credentials of [nobody.credentials, credentialLookup(wrong, {})]) {
        const stranger = new RegistryClient({ ...nobody, credentials });
        const seen = await stranger.observe(inside());
        assert(seen.kind === "unknown" && seen.reason === "access");
        assert.match(seen.detail, /missing or no access.*docker login 127\.0\.0\.1/s);
        assert(!seen.detail.includes("hunter2"));
        await stranger.close();
      }
    });

    it("picks up a changed password at the next refusal", async () => {
      let password = "old";
      const credentials = async () =>
        ({ kind: "password", username: account.username, password, source: "test" }) as const;
      const patient = new RegistryClient({ ...nobody, credentials });
      assert.equal((await patient.observe(inside())).kind, "unknown");
      password = account.password;
      assert.equal((await patient.observe(inside())).kind, "moved");
      await patient.close();
    });

    it("follows a blob to another host without the credentials", async () => {
      const blobs = new Map<string, Buffer>();
      door.fault = async ({ request, response, truth, pass }) => {
        if (!request.url?.includes("/blobs/")) return pass();
        const honest = await truth();
        if (honest.status !== 200) return give(response, honest);
        blobs.set(request.url, honest.body);
        response.writeHead(307, { location: `http://${warehouse.host}${request.url}` }).end();
      };
      warehouse.fault = ({ request, response }) => void response.end(blobs.get(request.url ?? ""));
      const welcome = new RegistryClient({
        ...nobody,
        credentials: credentialLookup({ [door.host]: account }, {}),
      });
      assert.equal((await welcome.image(inside())).revision, "c0ffee");
      assert.equal(warehouse.log.length, 1);
      assert.equal(warehouse.headers[0]?.authorization, undefined);
      door.fault = undefined;
      await welcome.close();
    });
  });
});
