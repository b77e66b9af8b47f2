import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Packages from "../../../tools/packages.mjs";
import { importTool } from "./import-module";

describe("The npm packages", () => {
  let packagesReady: typeof Packages.packagesReady;
  let folder: string;

  before(async () => {
    ({ packagesReady } = await importTool<typeof Packages>("packages.mjs"));
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-packages-"));
    lock("package-lock.json", {
      "": { version: "0.1.0" },
      "node_modules/zod": { version: "4.6.7" },
      "node_modules/@esbuild/darwin-arm64": { version: "0.28.2", optional: true },
    });
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const lock = (file: string, packages: object) => {
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    writeFileSync(join(folder, file), JSON.stringify({ packages }));
  };
  const installed = (packages: object) => lock("node_modules/.package-lock.json", packages);

  it("are ready when every one has the lockfile's version, whatever other platforms need", () => {
    installed({ "node_modules/zod": { version: "4.6.7" } });
    assert.equal(packagesReady(folder), true);
  });

  it("are not ready after an install that was killed", () => {
    assert.equal(packagesReady(folder), false);
  });

  it("are not ready when the lockfile has moved on", () => {
    installed({ "node_modules/zod": { version: "4.6.6" } });
    assert.equal(packagesReady(folder), false);
  });

  it("are another checkout's business when node_modules is a link", () => {
    rmSync(join(folder, "node_modules"), { recursive: true });
    symlinkSync(tmpdir(), join(folder, "node_modules"));
    assert.equal(packagesReady(folder), true);
  });
});
