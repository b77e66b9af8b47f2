/** Manifests: the four kinds are read, and what could be read in two ways is refused. */
import assert from "node:assert/strict";
import { RegistryError } from "../../../registry";
import { BoundedCache } from "../../../registry/bounded-cache";
import { parseManifest } from "../../../registry/manifest";

const digest = `sha256:${"a".repeat(64)}`;
const oci = "application/vnd.oci.image.manifest.v1+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
const descriptor = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
const image = { schemaVersion: 2, config: descriptor, layers: [descriptor] };
const index = { schemaVersion: 2, manifests: [{ ...descriptor, mediaType: oci }] };

const read = (body: unknown, contentType?: string) =>
  parseManifest(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), contentType);

describe("a manifest", () => {
  for (const [body, contentType, kind] of [
    [{ ...image, mediaType: docker }, docker, "image"],
    [{ ...image, mediaType: oci }, `${oci}; charset=utf-8`, "image"],
    [image, oci, "image"],
    [{ ...image, mediaType: oci }, undefined, "image"],
    [{ ...index, mediaType: dockerList }, dockerList, "index"],
    [index, ociIndex.toUpperCase(), "index"],
    [{ ...index, mediaType: ociIndex }, "application/json", "index"],
  ] as const) {
    it(`sent as ${contentType} saying ${"mediaType" in body ? body.mediaType : "nothing"} is an ${kind}`, () => {
      assert.equal(read(body, contentType).kind, kind);
    });
  }

  for (const [name, body, contentType] of [
    ["an HTML page", "<html></html>", "text/html"],
    ["an empty body", "", oci],
    ["a JSON list", [], oci],
    ["a cut-off body", JSON.stringify({ ...image, mediaType: oci }).slice(0, -5), oci],
    ["schema 1", { schemaVersion: 1, fsLayers: [] }, "application/vnd.docker.distribution.manifest.v1+json"],
    ["another media type", image, "application/vnd.cncf.helm.config.v1+json"],
    ["no media type at all", image, undefined],
    ["an image sent as an index", { ...image, mediaType: oci }, ociIndex],
    ["an image that lists manifests", { ...image, ...index, mediaType: oci }, oci],
    ["an index that has layers", { ...image, ...index, mediaType: ociIndex }, ociIndex],
    ["an index without a list", { schemaVersion: 2 }, ociIndex],
    ["an image without a config", { schemaVersion: 2, layers: [] }, oci],
    ["a malformed digest", { ...image, config: { ...descriptor, digest: "sha256:1" } }, oci],
    ["a negative size", { ...image, config: { ...descriptor, size: -1 } }, oci],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => read(body, contentType),
        (error) => error instanceof RegistryError && error.reason === "invalid",
      );
    });
  }
});

describe("the cache of what cannot change", () => {
  it("stays within its bound, forgets what was used least recently, and keeps nothing heavier than itself", () => {
    const cache = new BoundedCache<string>(10);
    cache.set("a", "a", 4);
    cache.set("b", "b", 4);
    cache.get("a");
    cache.set("c", "c", 4);
    cache.set("huge", "huge", 11);
    assert.deepEqual(
      [cache.get("a"), cache.get("b"), cache.get("c"), cache.get("huge")],
      ["a", undefined, "c", undefined],
    );
  });
});
