/** A release's name leads to a digest on every image or to an error that says what is missing; and back. */
import assert from "node:assert/strict";
import { nameRelease, ReleaseError, resolveRelease } from "../../../ledger";
import { parseReference, RegistryClient } from "../../../registry";
import { type FaultyRegistry, startFaultyRegistry } from "../registry/faulty";
import { pushImage, pushIndex } from "../registry/images";
import { type RealRegistry, startRealRegistry } from "../registry/real-registry";

const commit = "0123456789abcdef0123456789abcdef01234567";

describe("A release's name", () => {
  let real: RealRegistry;
  let door: FaultyRegistry;
  let client: RegistryClient;
  let server: string;
  let client_: string;

  const labels = { "org.opencontainers.image.version": "1.4.2", "org.opencontainers.image.revision": commit };
  const target = (image: string) => ({ host: real.host, repository: `acme/${image}` });
  const reference = (image: string) => parseReference(`${door.host}/acme/${image}:test`);
  const both = () => ({ server: reference("server"), client: reference("client") });
  const one = () => ({ server: reference("server") });

  const message = async (images: ReturnType<typeof one>, release: string) => {
    const error: unknown = await resolveRelease(client, images, release).then(
      () => assert.fail(`${release} was resolved`),
      (thrown: unknown) => thrown,
    );
    assert(error instanceof ReleaseError, String(error));
    return error.message.replaceAll(door.host, "HOST");
  };

  before(async () => {
    real = await startRealRegistry();
    door = await startFaultyRegistry(real.host);
    for (const tag of ["1.4.2", `sha-${commit}`, "v2.0.0"]) {
      server = (await pushIndex(target("server"), { flavour: "oci", seed: "s", labels }, tag)).digest;
    }
    for (const tag of ["1.4.2", `sha-${commit}`, "main"]) {
      client_ = (await pushImage(target("client"), { flavour: "docker", seed: "c", labels }, tag)).digest;
    }
  });
  after(async () => {
    await door.close();
    await real.close();
  });
  beforeEach(() => {
    client = new RegistryClient({ credentials: async () => undefined, insecure: new Set() });
  });
  afterEach(async () => {
    door.fault = undefined;
    await client.close();
  });

  for (const release of ["1.4.2", `sha-${commit}`]) {
    it(`${release} leads to every image's digest, with what is known of it`, async () => {
      const released = await resolveRelease(client, both(), release);
      assert.deepEqual(released, {
        server: {
          reference: `${door.host}/acme/server@${server}`,
          digest: server,
          platforms: ["linux/amd64", "linux/arm64/v8"],
          revision: commit,
          version: "1.4.2",
        },
        client: {
          reference: `${door.host}/acme/client@${client_}`,
          digest: client_,
          platforms: ["linux/amd64"],
          revision: commit,
          version: "1.4.2",
        },
      });
    });
  }

  it("may be the digest of a single image", async () => {
    assert.equal((await resolveRelease(client, one(), server)).server?.digest, server);
  });

  const refused: [string, () => ReturnType<typeof one>, () => string, () => string][] = [
    [
      "that no image has",
      both,
      () => "9.9.9",
      () =>
        "no image has release 9.9.9; name one that all images have, or push what is missing:\n" +
        "  client: HOST/acme/client has no tag 9.9.9\n  server: HOST/acme/server has no tag 9.9.9",
    ],
    [
      "that one image lacks",
      both,
      () => "v2.0.0",
      () =>
        "release v2.0.0 is not on every image; name one that all images have, or push what is missing:\n" +
        "  client: HOST/acme/client has no tag v2.0.0",
    ],
    [
      "that is spelled otherwise",
      one,
      () => "2.0.0",
      () =>
        "no image has release 2.0.0; name one that all images have, or push what is missing:\n" +
        "  server: HOST/acme/server has no tag 2.0.0; it has v2.0.0",
    ],
    [
      "that is another repository's digest",
      one,
      () => client_,
      () =>
        `no image has release ${client_}; name one that all images have, or push what is missing:\n` +
        "  server: HOST/acme/server has no such digest; it may be another repository's",
    ],
    [
      "that is one image's digest, of several",
      both,
      () => server,
      () =>
        `${server} is the digest of one image, and there are 2 (server, client); name a version's tag or sha-<commit>, which all of them carry`,
    ],
    [
      "that is no tag",
      one,
      () => "1.4.2 beta",
      () =>
        '"1.4.2 beta" names no release; write a version\'s tag such as 1.4.2, sha-<commit>, or a digest where there is one image',
    ],
  ];
  for (const [name, images, release, expected] of refused) {
    it(`${name} is refused with what is missing`, async () => {
      assert.equal(await message(images(), release()), expected());
    });
  }

  it("is not known where the registry does not answer", async () => {
    door.fault = ({ request, response, pass }) =>
      request.url?.includes("/client/") ? void response.destroy() : pass();
    assert.match(
      await message(both(), "1.4.2"),
      /^it is not known what release 1\.4\.2 is:\n {2}client: HOST\/acme\/client:1\.4\.2: http:\/\/HOST could not be asked/,
    );
  });

  describe("is found for digests:", () => {
    const digests = () => ({ server, client: client_ });
    const candidates = { versions: ["1.4.2"], revisions: [commit] };

    it("the version that all carry", async () => {
      assert.equal(await nameRelease(client, both(), digests(), candidates), "1.4.2");
    });

    it("the version with a v, where the tags have one", async () => {
      const versions = ["2.0.0"];
      assert.equal(await nameRelease(client, one(), digests(), { versions, revisions: [] }), "v2.0.0");
    });

    it("the commit's tag, where no version leads to these digests", async () => {
      const versions = ["2.0.0", "main"];
      assert.equal(
        await nameRelease(client, both(), digests(), { versions, revisions: [commit] }),
        `sha-${commit}`,
      );
    });

    it("the digest of a single image", async () => {
      const other = await pushImage(target("server"), { flavour: "oci", seed: "untagged" });
      const found = await nameRelease(client, one(), { server: other.digest }, candidates);
      assert.equal(found, other.digest);
    });

    it("none, where several images have none in common", async () => {
      const other = await pushImage(target("server"), { flavour: "oci", seed: "untagged" });
      assert.equal(
        await nameRelease(client, both(), { ...digests(), server: other.digest }, candidates),
        undefined,
      );
    });

    it("none that may move, though it leads there now", async () => {
      const images = { client: reference("client") };
      const found = await nameRelease(client, images, digests(), { versions: ["main"], revisions: ["main"] });
      assert.equal(found, client_);
    });
  });
});
