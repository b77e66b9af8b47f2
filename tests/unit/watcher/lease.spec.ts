/** The lease: who follows a stack on this machine, and what a dead one left running. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lease, livingHolders, processStart } from "../../../watcher/lease";

describe("A lease", () => {
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-lease-"));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes what another holder would have written. */
  const held = async (content: object): Promise<void> => {
    (await Lease.take("shop/dev", folder)).release();
    const lease = await Lease.take("shop/dev", folder);
    const [file = ""] = readdirSync(folder);
    lease.release();
    writeFileSync(join(folder, file), JSON.stringify(content));
  };
  const run = (environment: Record<string, string>, script: string, detached = true): ChildProcess => {
    const child = spawn(process.execPath, ["-e", script], {
      detached,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, ...environment },
    });
    children.push(child);
    return child;
  };
  const startOf = (child: ChildProcess) => processStart(child.pid ?? 0) ?? "";

  it("is one for each stack, and gone when it is released", async () => {
    const [dev, test] = await Promise.all([Lease.take("shop/dev", folder), Lease.take("shop/test", folder)]);
    assert.notDeepEqual(dev.environment, test.environment);
    assert.equal(readdirSync(folder).length, 2);
    dev.release();
    test.release();
    assert.deepEqual(readdirSync(folder), []);
  });

  it("is refused while its holder lives, naming it", async () => {
    const holder = run({}, "setInterval(() => {}, 1e6)");
    await held({ pid: holder.pid, startedAt: startOf(holder), mark: "m", former: [] });
    await assert.rejects(Lease.take("shop/dev", folder), {
      message: `another watcher follows shop/dev on this machine (process ${holder.pid}): stop it first, or leave the work to it`,
    });
  });

  it("says who follows what on this machine, and of nobody that is gone", async () => {
    assert.deepEqual(livingHolders(join(folder, "none")), []);
    const dev = await Lease.take("shop/dev in file:///state", folder);
    writeFileSync(
      join(folder, "dead.json"),
      JSON.stringify({ pid: 1, startedAt: "-1", mark: "m", stack: "shop/test" }),
    );
    writeFileSync(join(folder, "odd.json"), "[]");
    const found = livingHolders(folder);
    assert.deepEqual(
      found.map(({ stack, pid }) => [stack, pid]),
      [["shop/dev in file:///state", process.pid]],
    );
    assert(Math.abs(Date.parse(found[0]?.since ?? "") - Date.now()) < 60_000);
    dev.release();
    assert.deepEqual(livingHolders(folder), []);
  });

  it("goes to exactly one of two that ask at once", async () => {
    const asked = await Promise.allSettled([1, 2, 3].map(() => Lease.take("shop/dev", folder)));
    assert.equal(asked.filter(({ status }) => status === "fulfilled").length, 1);
  });

  it("is free again when its holder is gone, even if another process has its number by now", async () => {
    const other = run({}, "setInterval(() => {}, 1e6)");
    await held({ pid: other.pid, startedAt: "1", mark: "m", former: [] });
    (await Lease.take("shop/dev", folder)).release();
    assert.equal(other.exitCode ?? other.signalCode, null);
  });

  it("is free where the file is of no use", async () => {
    await held({ something: "else" });
    (await Lease.take("shop/dev", folder)).release();
    const [file] = readdirSync(folder);
    assert.equal(file, undefined);
  });

  it("is not taken away by one that lost it", async () => {
    const lost = await Lease.take("shop/dev", folder);
    const [file = ""] = readdirSync(folder);
    writeFileSync(join(folder, file), JSON.stringify({ pid: 1, startedAt: "1", mark: "m", former: [] }));
    lost.release();
    assert.deepEqual(readdirSync(folder), [file]);
  });

  it("ends what a dead holder left: engines as Ctrl-C does, then whatever they started, and nothing else", async () => {
    const mark = { TAGALONG_WATCHER: "a-dead-one" };
    const engine = run(
      mark,
      'process.on("SIGINT", () => { console.log("asked"); process.exit(0); }); console.log("up"); setInterval(() => {}, 1e6)',
    );
    // A provider: not the leader of a session, and deaf to Ctrl-C.
    const provider = run(
      mark,
      'process.on("SIGINT", () => {}); console.log("up"); setInterval(() => {}, 1e6)',
      false,
    );
    const stranger = run({ TAGALONG_WATCHER: "another" }, 'console.log("up"); setInterval(() => {}, 1e6)');
    const said: string[] = [];
    engine.stdout?.on("data", (text) => said.push(String(text).trim()));
    await Promise.all([engine, provider, stranger].map(({ stdout }) => stdout && once(stdout, "data")));
    const ended = Promise.all([once(engine, "exit"), once(provider, "exit")]);
    await held({ pid: 2 ** 22, startedAt: "1", mark: "b", former: ["a-dead-one"] });
    const lease = await Lease.take("shop/dev", folder);
    const [[code], [, signal]] = (await ended) as [[number], [null, string]];
    assert.deepEqual([code, signal, said.at(-1)], [0, "SIGKILL", "asked"]);
    assert.equal(stranger.exitCode ?? stranger.signalCode, null);
    lease.release();
  });
});
