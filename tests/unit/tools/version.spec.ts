import assert from "node:assert/strict";
import type * as Version from "../../../tools/version.mjs";
import { importTool } from "./import-module";

describe("Versions", () => {
  let atLeast: typeof Version.atLeast;
  let versionIn: typeof Version.versionIn;

  before(async () => {
    ({ atLeast, versionIn } = await importTool<typeof Version>("version.mjs"));
  });

  for (const [version, minimum, enough] of [
    ["3.250.0", "3.250.0", true],
    ["3.251.0", "3.250.0", true],
    ["4.0.0", "3.250.0", true],
    ["3.99.0", "3.250.0", false],
    ["20.19.0", "20.19", true],
    ["20.9.0", "20.19", false],
    ["1.26", "1.26.1", false],
    [undefined, "1.21", false],
  ] as const) {
    it(`${version ?? "no version"} is ${enough ? "enough" : "too old"} where ${minimum} is needed`, () => {
      assert.equal(atLeast(version, minimum), enough);
    });
  }

  for (const [text, version] of [
    ["go version go1.26.8 linux/amd64", "1.26.8"],
    ["v3.250.0\n", "3.250.0"],
    ["go version go1.26 darwin/arm64", "1.26"],
    ["command not found", undefined],
  ] as const) {
    it(`are read from ${JSON.stringify(text)}`, () => assert.equal(versionIn(text), version));
  }
});
