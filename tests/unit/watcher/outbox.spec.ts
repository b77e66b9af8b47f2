/** The outbox: what the registry does not take yet is kept, in memory and on disk, and written when it does. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Receipt, Verdict } from "../../../rollout/record";
import type { WatchEvent } from "../../../watcher/log";
import { Outbox, type Unwritten } from "../../../watcher/outbox";

const at = "2026-11-21T16:15:00.000Z";
const verdict = (outcome: Verdict["outcome"], configuration = "c"): Verdict => ({
  outcome,
  at,
  reason: "exited with code 7",
  configuration,
  by: "ada@build",
  receipt: "r",
});
const rejected: Unwritten = {
  kind: "verdict",
  image: "server",
  digest: "sha256:1",
  verdict: verdict("rejected"),
};
const healthy: Unwritten = {
  kind: "verdict",
  image: "server",
  digest: "sha256:1",
  verdict: verdict("healthy"),
};
const receipt = (id: string, outcome: Receipt["outcome"]): Receipt => ({
  id,
  environment: "dev",
  trigger: "tag",
  by: "ada@build",
  via: "watcher",
  images: {},
  hops: {},
  outcome,
});
const ofRoll = (id: string, outcome: Receipt["outcome"]): Unwritten => ({
  kind: "receipt",
  receipt: receipt(id, outcome),
});

describe("The outbox", () => {
  let folder: string;
  let written: Unwritten[];
  let said: [WatchEvent, string][];
  /** What stands in the way of writing. */
  let fault: ((one: Unwritten) => Error | undefined) | undefined;
  const open: Outbox[] = [];

  const file = () => join(folder, "deep", "outbox.json");
  const outbox = (ownFault?: typeof fault) => {
    const write = async (one: Unwritten) => {
      await new Promise((resolve) => setImmediate(resolve));
      const error = (ownFault ?? fault)?.(one);
      if (error) throw error;
      written.push(one);
    };
    const box = new Outbox(file(), {
      write,
      retryMs: 20,
      log: (event, message) => said.push([event, message]),
    });
    open.push(box);
    return box;
  };
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-outbox-"));
    [written, said, fault] = [[], [], undefined];
  });
  afterEach(async () => {
    for (const box of open.splice(0)) await box.close(0);
    rmSync(folder, { recursive: true, force: true });
  });

  it("writes what it is given, in order, and leaves nothing on disk", async () => {
    outbox().add(rejected, ofRoll("1", "rejected"));
    assert(existsSync(file()), "a kill right now must lose nothing");
    await until(() => written.length === 2);
    assert.deepEqual(written, [rejected, ofRoll("1", "rejected")]);
    await until(() => !existsSync(file()));
    assert.deepEqual(said, []);
  });

  it("keeps what the registry does not take, says so once, and says when it has it", async () => {
    fault = () => new Error("the registry is down");
    const box = outbox();
    box.add(rejected);
    await until(() => said.length === 1);
    assert.match(
      said[0]?.[1] ?? "",
      /^"rejected" of server sha256:1 could not .* tried again: the registry is down$/,
    );
    assert.equal(box.verdict("server", "sha256:1")?.outcome, "rejected");
    box.add(ofRoll("1", "rejected"));
    fault = undefined;
    await until(() => said.length === 2);
    assert.equal(said[1]?.[0], "recorded");
    assert.deepEqual(written, [rejected, ofRoll("1", "rejected")]);
    assert.equal(box.verdict("server", "sha256:1"), undefined);
  });

  it("is read again by the next watcher, which writes it", async () => {
    // What it is about to write when it is closed fails as well.
    const first = outbox(() => new Error("down"));
    first.add(rejected);
    await first.close(0);
    assert.match(said.at(-1)?.[1] ?? "", /1 record is not written to the registry; kept in /);
    const next = outbox();
    assert.equal(next.verdict("server", "sha256:1")?.reason, "exited with code 7");
    next.start();
    await until(() => written.length === 1);
  });

  it("lets nothing overtake what was found out of the same digest before", async () => {
    let tries = 0;
    fault = (one) => (one === rejected && tries++ === 0 ? new Error("reset") : undefined);
    outbox().add(rejected, healthy, ofRoll("1", "healthy"));
    await until(() => written.length === 3);
    assert.deepEqual(written, [ofRoll("1", "healthy"), rejected, healthy]);
  });

  it("writes a receipt as it is last", async () => {
    fault = () => new Error("down");
    const box = outbox();
    box.add(ofRoll("1", "live"));
    await until(() => said.length === 1);
    box.add(ofRoll("1", "healthy"));
    assert.deepEqual(box.receipts, [receipt("1", "healthy")]);
    fault = undefined;
    await until(() => written.length === 1);
    assert.deepEqual(written, [ofRoll("1", "healthy")]);
  });

  it("writes what comes while it writes", async () => {
    const box = outbox();
    box.add(ofRoll("1", "live"));
    await new Promise((resolve) => setImmediate(resolve));
    box.add(ofRoll("2", "live"));
    await until(() => written.length === 2);
  });

  it("tells the next watcher which roll was under way", async () => {
    const first = outbox();
    first.rolling = receipt("1", "rolling");
    await first.close(0);
    const next = outbox();
    assert.equal(next.rolling?.id, "1");
    next.rolling = undefined;
    assert.equal(existsSync(file()), false);
  });

  it("gives the registry a moment when it is closed", async () => {
    const box = outbox();
    box.add(rejected);
    await box.close(5_000);
    assert.deepEqual(written, [rejected]);
    assert.deepEqual(said, []);
  });

  it("learns nothing from a file that is not its own", () => {
    outbox();
    rmSync(join(folder, "deep"), { recursive: true, force: true });
    writeFileSync(join(folder, "deep"), "no folder");
    const box = outbox();
    fault = () => new Error("down");
    box.add(rejected);
    assert.match(said[0]?.[1] ?? "", /^kept in memory alone: /);
    assert.equal(box.verdict("server", "sha256:1")?.outcome, "rejected");
  });
});
