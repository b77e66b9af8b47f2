// What our images are made from.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(__dirname, "../../..");

describe("A base image", () => {
  for (const file of ["Dockerfile", "examples/shop/server/Dockerfile", "examples/shop/client/Dockerfile"]) {
    it(`of ${file} is pinned by digest, where Renovate finds it`, () => {
      const { customManagers } = JSON.parse(readFileSync(resolve(root, "renovate.json"), "utf8"));
      const patterns = customManagers.flatMap(({ matchStrings }: { matchStrings: string[] }) => matchStrings);
      const text = readFileSync(resolve(root, file), "utf8");
      const found = patterns
        .map((pattern: string) => new RegExp(pattern).exec(text)?.groups)
        .find((groups: Record<string, string> | undefined) => groups?.["currentDigest"]);
      assert.match(found?.["currentDigest"] ?? "", /^sha256:[0-9a-f]{64}$/);
      assert.equal(found?.["depName"], "docker.io/library/node");
    });
  }
});
