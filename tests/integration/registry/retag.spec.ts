/** A tag moves to an image by the image's own bytes: the digest stays, whatever kind it is and wherever it was. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { parseReference, RegistryClient } from "../../../registry";
import { type FaultyRegistry, give, startFaultyRegistry } from "./faulty";
import { digestOf, type Flavour, pushImage, pushIndex, types } from "./images";
import { type RealRegistry, startRealRegistry } from "./real-registry";

describe("retag", () => {
  let real: RealRegistry;
  let door: FaultyRegistry;
  let client: RegistryClient;

  const at = (name: string) => parseReference(`${door.host}/${name}`);
  const from = () => ({ host: real.host, repository: "acme/server" });
  const writes = () => door.log.filter((line) => !/^(GET|HEAD) /.test(line));
  const tagged = async (name: string) => {
    const found = await client.resolve(at(name));
    return found.kind === "found" ? { digest: found.digest, mediaType: found.mediaType } : undefined;
  };

  before(async () => {
    real = await startRealRegistry();
  });
  after(() => real.close());
  beforeEach(async () => {
    door = await startFaultyRegistry(real.host);
    client = new RegistryClient({ credentials: async () => undefined, insecure: new Set() });
  });
  afterEach(async () => {
    await client.close();
    await door.close();
  });

  const kinds = [
    ["docker", "image", pushImage],
    ["oci", "image", pushImage],
    ["docker", "index", pushIndex],
    ["oci", "index", pushIndex],
  ] as const satisfies [Flavour, string, unknown][];

  for (const [flavour, kind, push] of kinds) {
    const seed = () => `${flavour} ${kind} ${randomBytes(4).toString("hex")}`;

    it(`keeps the digest and the media type of a ${flavour} ${kind}, in its repository`, async () => {
      const pushed = await push(from(), { flavour, seed: seed() });
      await client.retag(at(`acme/server@${pushed.digest}`), at("acme/server:test"));
      assert.deepEqual(writes(), ["PUT /v2/acme/server/manifests/test → 201"]);
      const { digest, mediaType } = pushed;
      assert.deepEqual(await tagged("acme/server:test"), { digest, mediaType });
    });

    it(`takes over everything of a ${flavour} ${kind} from another repository, and moves no layer`, async () => {
      const pushed = await push(from(), { flavour, seed: seed() });
      await client.retag(at(`acme/server@${pushed.digest}`), at("acme/promoted:test"));
      const { digest, mediaType } = pushed;
      assert.deepEqual(await tagged("acme/promoted:test"), { digest, mediaType });
      const other = parseReference(`${real.host}/acme/promoted:test`);
      const fresh = new RegistryClient({ credentials: async () => undefined, insecure: new Set() });
      const { platforms } = await fresh.image(other);
      await fresh.close();
      assert.equal(platforms.length, kind === "index" ? 2 : 1);
      assert.match(writes().at(-1) ?? "", /^PUT .*\/manifests\/test → 201$/, "the tag comes last");
      assert(
        writes().every((line) => /mount=.* → 201$|\/manifests\/.* → 201$/.test(line)),
        writes().join("\n"),
      );
    });
  }

  it("writes nothing where the tag carries the digest already", async () => {
    const { digest } = await pushImage(from(), { flavour: "oci", seed: "same" }, "same");
    await client.retag(at(`acme/server@${digest}`), at("acme/server:same"));
    assert.deepEqual(door.log, ["HEAD /v2/acme/server/manifests/same → 200"]);
  });

  it("is right for everybody where several do it at once", async () => {
    const one = await pushIndex(from(), { flavour: "oci", seed: "racing one" });
    const other = await pushIndex(from(), { flavour: "oci", seed: "racing other" });
    const clients = Array.from(
      { length: 8 },
      () => new RegistryClient({ credentials: async () => undefined, insecure: new Set() }),
    );
    await Promise.all(
      clients.map(async (racing, index) => {
        const { digest } = index % 2 ? one : other;
        await racing.retag(at(`acme/server@${digest}`), at("acme/raced:test")).finally(() => racing.close());
      }),
    );
    const won = await tagged("acme/raced:test");
    assert([one.digest, other.digest].includes(won?.digest as typeof one.digest));
  });

  it("brings again what the registry does not know of, though it said that it has it", async () => {
    const { digest } = await pushImage(from(), { flavour: "oci", seed: "forgotten" });
    let refusals = 0;
    door.fault = ({ request, response, pass }) => {
      if (request.method !== "PUT" || refusals > 0) return pass();
      refusals += 1;
      const body = Buffer.from(JSON.stringify({ errors: [{ code: "MANIFEST_BLOB_UNKNOWN" }] }));
      return give(response, { status: 400, headers: { "content-type": "application/json" }, body });
    };
    await client.retag(at(`acme/server@${digest}`), at("acme/forgotten:test"));
    assert.equal((await tagged("acme/forgotten:test"))?.digest, digest);
  });

  it("carries a blob through, byte for byte, where the registry does not take it over by itself", async () => {
    const { digest } = await pushIndex(from(), { flavour: "oci", seed: "carried" });
    door.fault = async ({ request, pass, truth, response }) => {
      if (!request.url?.includes("mount=")) return pass();
      request.url = request.url.replace(/\?.*/, "");
      give(response, await truth());
    };
    await client.retag(at(`acme/server@${digest}`), at("acme/carried:test"));
    assert.equal((await tagged("acme/carried:test"))?.digest, digest);
    assert(door.log.some((line) => /^GET .*\/blobs\/sha256:.* → 200$/.test(line)));
  });

  /** Lets the registry have a manifest that it would refuse itself. */
  const serve = (mediaType: string, manifest: unknown) => {
    const body = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(body);
    const headers = { "content-type": mediaType, "docker-content-digest": digest };
    door.fault = ({ request, response, pass }) => {
      const { method, url = "" } = request;
      if (method === "GET" && url.endsWith(digest)) return give(response, { status: 200, headers, body });
      if (method === "PUT" && url.endsWith("/test")) return give(response, { status: 201, headers, body });
      return pass();
    };
    return digest;
  };

  it("leaves layers that stand elsewhere where they are", async () => {
    const { digest: image } = await pushImage(from(), { flavour: "docker", seed: "windows" });
    const { parsed } = await client.manifest(at(`acme/server@${image}`));
    assert(parsed.kind === "image");
    const foreign = `sha256:${"ab".repeat(32)}`;
    const digest = serve(types.docker.manifest, {
      schemaVersion: 2,
      mediaType: types.docker.manifest,
      config: parsed.config,
      layers: [
        ...parsed.layers,
        {
          mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
          digest: foreign,
          size: 1,
          urls: ["https://example.org/layer"],
        },
      ],
    });
    await client.retag(at(`acme/server@${digest}`), at("acme/elsewhere:test"));
    assert.match(writes().at(-1) ?? "", /^PUT .*\/manifests\/test → 201$/);
    assert(!door.log.some((line) => line.includes(foreign)), door.log.join("\n"));
  });

  it("names the image that an index lacks in its own repository, and moves no tag", async () => {
    const lost = `sha256:${"cd".repeat(32)}`;
    const digest = serve(types.oci.index, {
      schemaVersion: 2,
      mediaType: types.oci.index,
      manifests: [{ mediaType: types.oci.manifest, digest: lost, size: 7 }],
    });
    await assert.rejects(
      client.retag(at(`acme/server@${digest}`), at("acme/sparse:test")),
      (error: Error) => {
        const start = `${door.host}/acme/server@${lost}: the registry has no such tag, manifest or repository`;
        assert(error.message.startsWith(start), error.message);
        return true;
      },
    );
    assert.deepEqual(writes(), []);
  });

  it("refuses to carry between registries, and says what to do", async () => {
    const digest = `sha256:${"ef".repeat(32)}`;
    await assert.rejects(
      client.retag(parseReference(`ghcr.io/acme/server@${digest}`), at("acme/server:test")),
      new RegExp(`is on another registry.*push it to ${door.host}/acme/server first`),
    );
    assert.deepEqual(door.log, []);
  });
});
