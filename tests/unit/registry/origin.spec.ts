/** Origins: who is spoken to without TLS, and where a registry may send us. */
import assert from "node:assert/strict";
import { insecureHosts, mayFollow, originOf } from "../../../registry/origin";

const listed = insecureHosts({ TAGALONG_INSECURE_REGISTRIES: " Registry.internal:5000, plain.example ,," });

const origins: readonly (readonly [registry: string, origin: string])[] = [
  ["ghcr.io", "https://ghcr.io"],
  ["docker.io", "https://registry-1.docker.io"],
  ["registry.example:8443", "https://registry.example:8443"],
  ["localhost", "http://localhost"],
  ["localhost:5000", "http://localhost:5000"],
  ["127.0.0.1:5000", "http://127.0.0.1:5000"],
  ["127.8.9.1", "http://127.8.9.1"],
  ["[::1]:5000", "http://[::1]:5000"],
  ["[::2]:5000", "https://[::2]:5000"],
  ["128.0.0.1", "https://128.0.0.1"],
  ["localhost.evil.example", "https://localhost.evil.example"],
  ["127.0.0.1.evil.example", "https://127.0.0.1.evil.example"],
  ["registry.internal:5000", "http://registry.internal:5000"],
  ["registry.internal:5001", "https://registry.internal:5001"],
  ["plain.example:81", "http://plain.example:81"],
];

const follows: readonly (readonly [registry: string, target: string, allowed: boolean])[] = [
  ["ghcr.io", "https://cdn.example/blob", true],
  ["ghcr.io", "http://cdn.example/blob", false],
  ["ghcr.io", "http://127.0.0.1/blob", false],
  ["localhost:5000", "http://127.0.0.1:9/token", true],
  ["localhost:5000", "http://auth.example/token", false],
  ["plain.example", "http://registry.internal:5000/token", true],
  ["plain.example", "http://auth.example/token", false],
  ["ghcr.io", "https://user:secret@cdn.example/blob", false],
  ["ghcr.io", "ftp://cdn.example/blob", false],
  ["localhost:5000", "file:///etc/passwd", false],
];

describe("an origin", () => {
  for (const [registry, origin] of origins) {
    it(`of ${registry} is ${origin}`, () => assert.equal(originOf(registry, listed), origin));
  }

  for (const [registry, target, allowed] of follows) {
    it(`${registry} ${allowed ? "may" : "may not"} send us to ${target}`, () => {
      assert.equal(mayFollow(new URL(target), registry, listed), allowed);
    });
  }
});
