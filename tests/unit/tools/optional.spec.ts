// What only some tests need: the pinned program, else whichever is there, else a reason to skip them.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as GroundModule from "../../../tools/ground.mjs";
import { importTool } from "./import-module";

describe("act, on a machine that can build nothing", () => {
  let folder: string;
  const before = { ...process.env };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-ground-"));
    process.env["TAGALONG_CACHE"] = join(folder, "cache");
    process.env["PATH"] = folder;
  });
  afterEach(() => {
    process.env = { ...before };
    rmSync(folder, { recursive: true });
  });

  async function made() {
    const { things } = await importTool<typeof GroundModule>("ground.mjs");
    const said: string[] = [];
    const progress = {
      say: (text: string) => said.push(text),
      step: (_: string, __: number, work: () => Promise<unknown>) => work(),
    };
    const ground: GroundModule.Ground = { env: {} };
    await things["act"]?.make(ground, progress as never);
    return { act: ground.env["TAGALONG_ACT"], said: said.join("\n") };
  }

  it("is whichever is on PATH, and that is said", async () => {
    const path = join(folder, "act");
    writeFileSync(path, "#!/bin/sh\n");
    chmodSync(path, 0o755);
    const { act, said } = await made();
    assert.equal(act, path);
    assert.match(said, /act: .*act, which is on PATH, since act .* must be built here, and there is no Go/);
  });

  it("is left out with the reason where there is none", async () => {
    const { act, said } = await made();
    assert.equal(act, undefined);
    assert.match(said, /some tests will be skipped: act .* must be built here, and there is no Go/);
  });
});
