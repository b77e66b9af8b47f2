// What Pulumi's host loads: the bundle as long as nothing was edited, and what was edited from then on.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type * as Build from "../../../tools/build.mjs";
import { importTool } from "./import-module";

const root = resolve(__dirname, "../../..");

describe("program.cjs", () => {
  let build: typeof Build.build;
  let folder: string;

  before(async () => {
    ({ build } = await importTool<typeof Build>("build.mjs"));
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-program-"));
    mkdirSync(join(folder, "tools"));
    for (const file of ["program.cjs", "tools/fresh.cjs"]) copyFileSync(join(root, file), join(folder, file));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    program("first", -60_000);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Writes the program, so long after now. */
  function program(text: string, laterMs: number): void {
    writeFileSync(
      join(folder, "index.ts"),
      `const said: string = "${text}";\nexport = { said, __dirname };\n`,
    );
    const at = new Date(Date.now() + laterMs);
    utimesSync(join(folder, "index.ts"), at, at);
  }
  /** What a host gets that loads it, and whether it had to be compiled. */
  function loaded(): { said: string; __dirname: string; compiled: boolean } {
    const text = `const exports = require("./program.cjs");
      const compiled = Object.keys(require.cache).some((file) => file.includes("/esbuild/"));
      console.log(JSON.stringify({ ...exports, compiled }));`;
    return JSON.parse(execFileSync(process.execPath, ["-e", text], { cwd: folder, encoding: "utf8" }));
  }

  it("is the program as it was bundled, where it stands", async () => {
    await build(folder);
    assert.deepEqual(loaded(), { said: "first", __dirname: folder, compiled: false });
  });

  it("is the program as it was edited since", async () => {
    await build(folder);
    program("second", 60_000);
    assert.deepEqual(loaded(), { said: "second", __dirname: folder, compiled: true });
  });

  it("is the program where nothing was bundled", () => {
    assert.deepEqual(loaded(), { said: "first", __dirname: folder, compiled: true });
  });
});
