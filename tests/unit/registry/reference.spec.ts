/** References: what is understood, what is refused, and that the refusal says what to write instead. */
import assert from "node:assert/strict";
import { atDigest, atTag, formatReference, InvalidReferenceError, parseReference } from "../../../registry";

const sha256 = `sha256:${"a".repeat(64)}`;
const sha512 = `sha512:${"b".repeat(128)}`;

const understood: readonly (readonly [text: string, canonical: string])[] = [
  ["nginx", "docker.io/library/nginx"],
  ["nginx:1.27", "docker.io/library/nginx:1.27"],
  ["acme/server:dev", "docker.io/acme/server:dev"],
  ["docker.io/nginx", "docker.io/library/nginx"],
  ["docker.io/library/nginx", "docker.io/library/nginx"],
  ["index.docker.io/acme/server", "docker.io/acme/server"],
  ["ghcr.io/acme/shop/server:dev", "ghcr.io/acme/shop/server:dev"],
  ["ghcr.io/a/b/c/d/e:1", "ghcr.io/a/b/c/d/e:1"],
  ["localhost/server", "localhost/server"],
  ["localhost:5000/server:dev", "localhost:5000/server:dev"],
  ["127.0.0.1:5000/server", "127.0.0.1:5000/server"],
  ["[::1]:5000/server:dev", "[::1]:5000/server:dev"],
  ["registry:5000/server", "registry:5000/server"],
  ["Registry/server", "Registry/server"],
  ["server_one/a__b/c---d.e:_x", "docker.io/server_one/a__b/c---d.e:_x"],
  [`server@${sha256}`, `docker.io/library/server@${sha256}`],
  [`ghcr.io/acme/server:dev@${sha256}`, `ghcr.io/acme/server:dev@${sha256}`],
  [`localhost:5000/server@${sha512}`, `localhost:5000/server@${sha512}`],
  [`ghcr.io/acme/server:${"t".repeat(128)}`, `ghcr.io/acme/server:${"t".repeat(128)}`],
];

const refused: readonly (readonly [text: string, says: RegExp])[] = [
  ["", /it is empty; write one such as ghcr\.io/],
  ["ghcr.io/acme/server :dev", /white space in it; write ghcr\.io\/acme\/server:dev$/],
  ["https://ghcr.io/acme/server", /starts like a URL; write it without https:\/\/$/],
  ["ghcr.io/Acme/Server:Dev", /in lower case; write ghcr\.io\/acme\/server:Dev$/],
  ["Server", /in lower case; write docker\.io\/library\/server$/],
  ["ghcr.io/acme/server:", /"" is no tag/],
  ["ghcr.io/acme/server:.dev", /"\.dev" is no tag; a tag is 1 to 128/],
  ["ghcr.io/acme/server:1.0+5", /"1\.0\+5" is no tag/],
  [`ghcr.io/acme/server:${"t".repeat(129)}`, /is no tag/],
  ["ghcr.io/acme/server@sha256:abc", /"sha256:abc" is no digest; write sha256: and 64/],
  [`ghcr.io/acme/server@${sha256.toUpperCase()}`, /is no digest/],
  [`ghcr.io/acme/server@md5:${"a".repeat(32)}`, /is no digest/],
  [`ghcr.io/acme/server@${sha256}@${sha256}`, /more than one @/],
  ["ghcr.io/", /names no repository; write one after ghcr\.io\/$/],
  ["ghcr.io/acme//server", /"" is no part of a repository's path/],
  ["ghcr.io/-acme/server", /"-acme" is no part/],
  ["ghcr.io/acme/ser..ver", /"ser\.\.ver" is no part/],
  ["ghcr_io.x/acme", /"ghcr_io\.x" is no host/],
  ["ghcr.io:99999/acme", /"ghcr\.io:99999" is no host/],
  [`ghcr.io/${"a".repeat(250)}`, /longer than 255/],
  ["a".repeat(64), /read like an image id/],
];

describe("a reference", () => {
  for (const [text, canonical] of understood) {
    it(`"${text.slice(0, 60)}" is ${canonical.slice(0, 60)}`, () => {
      const reference = parseReference(text);
      assert.equal(formatReference(reference), canonical);
      assert.deepEqual(parseReference(canonical), reference);
      assert(Object.isFrozen(reference));
    });
  }

  for (const [text, says] of refused) {
    it(`"${text.slice(0, 60)}" is refused with the fix`, () => {
      assert.throws(
        () => parseReference(text),
        (error) => error instanceof InvalidReferenceError && says.test(error.message),
      );
    });
  }

  it("keeps its repository and loses the rest when it is pinned or retagged", () => {
    const reference = parseReference(`ghcr.io/acme/server:dev@${sha256}`);
    assert.equal(formatReference(atDigest(reference, sha512)), `ghcr.io/acme/server@${sha512}`);
    assert.equal(formatReference(atTag(reference, "test")), "ghcr.io/acme/server:test");
    assert.throws(() => atTag(reference, "a b"), InvalidReferenceError);
    assert.throws(() => atDigest(reference, "sha256:1"), InvalidReferenceError);
  });
});
