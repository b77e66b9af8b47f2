/** Challenges: the headers that registries send, and hostile ones. */
import assert from "node:assert/strict";
import { type Challenge, parseChallenges } from "../../../registry/challenge";

const table: readonly (readonly [header: string, challenges: readonly Challenge[]])[] = [
  [
    'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:acme/shop:pull"',
    [
      {
        scheme: "bearer",
        parameters: {
          realm: "https://ghcr.io/token",
          service: "ghcr.io",
          scope: "repository:acme/shop:pull",
        },
      },
    ],
  ],
  ['Basic realm="Registry Realm"', [{ scheme: "basic", parameters: { realm: "Registry Realm" } }]],
  ["BASIC", [{ scheme: "basic", parameters: {} }]],
  [
    'Bearer realm = "https://a/t" , scope="repository:a:pull,push", Basic realm="b, \\"c\\""',
    [
      { scheme: "bearer", parameters: { realm: "https://a/t", scope: "repository:a:pull,push" } },
      { scheme: "basic", parameters: { realm: 'b, "c"' } },
    ],
  ],
  [
    "Negotiate YWJj==, Bearer realm=https://unquoted",
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "bearer", parameters: { realm: "https" } },
    ],
  ],
  ['Bearer REALM="first",realm="second"', [{ scheme: "bearer", parameters: { realm: "first" } }]],
  ['Bearer realm="unfinished', [{ scheme: "bearer", parameters: {} }]],
  ['realm="no scheme"', []],
  ["", []],
  [",,,", []],
];

describe("a challenge", () => {
  for (const [header, challenges] of table) {
    it(`${header || "of nothing"} has ${challenges.length} part(s)`, () => {
      const read = parseChallenges(header);
      assert.deepEqual(
        read
          .slice(0, challenges.length)
          .map(({ scheme, parameters }) => ({ scheme, parameters: { ...parameters } })),
        challenges,
      );
    });
  }

  it("reads a hostile header of 64 KiB without getting stuck", () => {
    parseChallenges(`Bearer ${'a="\\"'.repeat(8_000)}${" ,".repeat(8_000)}`);
  });
});
