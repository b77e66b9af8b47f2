import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Build from "../../../tools/build.mjs";
import { importTool } from "./import-module";

describe("The bundles", () => {
  let build: typeof Build.build;
  let stale: typeof Build.stale;
  let folder: string;

  before(async () => {
    ({ build, stale } = await importTool<typeof Build>("build.mjs"));
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-bundles-"));
    mkdirSync(join(folder, "cli"));
    writeFileSync(join(folder, "cli", "main.ts"), 'import { name } from "./name";\nconsole.log(name);\n');
    writeFileSync(join(folder, "cli", "name.ts"), 'export const name: string = "tagalong";\n');
    const past = new Date(Date.now() - 60_000);
    for (const file of ["main.ts", "name.ts"]) utimesSync(join(folder, "cli", file), past, past);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("are stale until they are built, and fresh after", async () => {
    assert.equal(stale(folder), true);
    await build(folder);
    assert.equal(stale(folder), false);
  });

  it("are stale when a file that they include changed", async () => {
    await build(folder);
    const future = new Date(Date.now() + 60_000);
    utimesSync(join(folder, "cli", "name.ts"), future, future);
    assert.equal(stale(folder), true);
  });

  it("are stale when a file that they include is gone", async () => {
    await build(folder);
    rmSync(join(folder, "cli", "name.ts"));
    assert.equal(stale(folder), true);
  });

  it("are never stale where there is nothing to bundle", () => {
    rmSync(join(folder, "cli"), { recursive: true });
    assert.equal(stale(folder), false);
  });
});
