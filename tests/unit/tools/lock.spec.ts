import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type * as Lock from "../../../tools/lock.mjs";
import { importTool } from "./import-module";

describe("A lock between processes", () => {
  let processStart: typeof Lock.processStart;
  let withLock: typeof Lock.withLock;

  before(async () => {
    ({ processStart, withLock } = await importTool<typeof Lock>("lock.mjs"));
  });

  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-lock-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const ticket = (number: number, content: object) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, String(number)), JSON.stringify(content));
  };

  const deadProcess = async () => {
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    const dead = { pid, started: processStart(pid) };
    child.kill("SIGKILL");
    await once(child, "close");
    return dead;
  };

  it("lets one at a time do the work", async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(5);
      inside -= 1;
    };
    await Promise.all([1, 2, 3, 4].map(() => withLock(folder, work)));
    assert.equal(most, 1);
  });

  it("gives back what the work gave, and is free again after a failure", async () => {
    await assert.rejects(
      withLock(folder, () => Promise.reject(new Error("no space"))),
      /no space/,
    );
    assert.equal(await withLock(folder, async () => "done"), "done");
  });

  it("is taken over at once from a holder that was killed", async () => {
    ticket(1, await deadProcess());
    const waits: number[] = [];
    await withLock(
      folder,
      async () => {},
      (pid) => waits.push(pid),
    );
    assert.deepEqual(waits, []);
  });

  it("is taken over from a holder whose process number another process has now", async () => {
    ticket(7, { pid: process.pid, started: "another time" });
    assert.equal(await withLock(folder, async () => "mine"), "mine");
  });

  it("makes one successor, however many find the holder dead", async () => {
    ticket(1, await deadProcess());
    let inside = 0;
    const work = async () => {
      inside += 1;
      assert.equal(inside, 1);
      await sleep(5);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(folder, work)));
  });

  it("waits for a holder that lives, and says once which process it is", async () => {
    ticket(1, { pid: process.pid, started: processStart(process.pid) });
    const waits: number[] = [];
    const waiting = withLock(
      folder,
      async () => "after",
      (pid) => waits.push(pid),
    );
    await sleep(450);
    ticket(1, { pid: process.pid, started: processStart(process.pid), released: true });
    assert.equal(await waiting, "after");
    assert.deepEqual(waits, [process.pid]);
  });

  it("leaves no more than its last ticket behind", async () => {
    for (const _ of [1, 2, 3]) await withLock(folder, async () => {});
    assert.equal(readdirSync(folder).length, 1);
  });
});
