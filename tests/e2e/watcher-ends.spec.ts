// How a watcher ends, by a signal or by a kill at any moment, and how the next one goes on from there.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Ledger } from "../../ledger";
import { parseReference, RegistryClient } from "../../registry";
import type { Report, Traffic } from "../../tools/traffic.mjs";
import { ask, docker, freePort, Project, type Stack, startTraffic } from "./harness";
import { registry } from "./images";
import { atWorkOn, descendants, slay, Watching } from "./watching";

/** The same moments in every run: a linear congruential generator, as in Numerical Recipes. */
function* moments(seed: number, mostMs: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield Math.floor((state / 2 ** 32) * mostMs);
  }
}

describe("A watcher that ends", function () {
  this.timeout(600_000);

  const project = new Project(["server"]);
  let stack: Stack;
  let port: number;
  let version = 0;
  let watching: Watching;
  let traffic: Traffic | undefined;
  const all: Watching[] = [];

  const watch = (options?: ConstructorParameters<typeof Watching>[1]) => {
    watching = new Watching(stack, options);
    all.push(watching);
    return watching;
  };
  const push = async (env: Record<string, string> = {}) => {
    version += 1;
    await project.push("server", { version: String(version), env }, "dev");
    return String(version);
  };
  const locks = () => {
    const folder = join(project.folder, "state", ".pulumi", "locks", "organization", project.name, "dev");
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  };
  const gone = () => {
    assert.deepEqual(atWorkOn(project), []);
    assert.deepEqual(locks(), []);
  };
  const start = async () => {
    traffic = await startTraffic({ url: `http://127.0.0.1:${port}`, rate: 80, slowMs: 500 });
  };
  const unharmed = async (): Promise<Report> => {
    assert(traffic);
    const report = await traffic.stop();
    traffic = undefined;
    assert.deepEqual(report.samples, []);
    return report;
  };
  /** One edge and one server, nothing else. */
  const noOrphans = async () => {
    const containers = await stack.containers();
    assert.equal(containers.length, 2, JSON.stringify(containers.map(({ Names, State }) => [Names, State])));
  };
  /** Waits for the environment to run this version alone, with no update under way or left half done. */
  const settled = async (wanted: string) => {
    const state = async () => ({
      version: (await ask(port)).version,
      containers: (await stack.containers()).map(({ State }) => State),
      engines: atWorkOn(project).filter((name) => name === "pulumi").length,
      locks: locks().length,
    });
    const goal = { version: wanted, containers: ["running", "running"], engines: 0, locks: 0 };
    let now = await state();
    for (const deadline = Date.now() + 240_000; Date.now() < deadline; now = await state()) {
      if (isDeepStrictEqual(now, goal)) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.deepEqual(now, goal, watching.output);
    assert.doesNotMatch((await stack.exportState()).text, /pending_operations/);
  };

  before(async () => {
    port = await freePort();
    stack = await project.stack("dev", {
      services: { server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" } } },
      rollout: { deadline: "20s", drain: "3s", interval: "1s", settle: "200ms", soak: "0s" },
    });
    await push();
    await watch().next("healthy");
  });
  afterEach(async () => {
    await traffic?.stop();
    traffic = undefined;
  });
  after(async () => {
    for (const one of all) await one.end();
    await project.close();
  });

  it("finishes the roll under way when it is told to end, then ends", async () => {
    await start();
    const wanted = await push({ HEALTHY_AFTER_MS: "1500" });
    await watching.next("rolling");
    watching.signal("SIGTERM");
    assert.equal(await watching.ended, 0, watching.output);
    assert.deepEqual(
      watching.said.slice(-3).map(({ event }) => event),
      ["stopping", "live", "stopped"],
    );
    assert.equal((await ask(port)).version, wanted, watching.output);
    await unharmed();
    await noOrphans();
    gone();
  });

  it("finishes the roll when a Ctrl-C reaches its whole process group, twice at once as npm passes it on", async () => {
    await start();
    await watch().next("watching");
    const wanted = await push({ HEALTHY_AFTER_MS: "1500" });
    await watching.next("rolling");
    process.kill(-watching.pid, "SIGINT");
    process.kill(-watching.pid, "SIGINT");
    assert.equal(await watching.ended, 0, watching.output);
    assert.equal((await ask(port)).version, wanted, watching.output);
    await unharmed();
    await noOrphans();
    gone();
  });

  it("cancels the roll at the second signal: no lock is left, and what served goes on serving", async () => {
    const before = (await ask(port)).version;
    await start();
    await watch().next("watching");
    await push({ HEALTHY_AFTER_MS: "15000" });
    await watching.next("rolling");
    while ((await stack.containers("server")).length < 2) await new Promise((r) => setTimeout(r, 100));
    watching.signal("SIGINT");
    await watching.next("stopping");
    await new Promise((resolve) => setTimeout(resolve, 600)); // two at once would count as one
    watching.signal("SIGINT");
    assert.equal(await watching.ended, 130, watching.output);
    assert.equal(watching.count("rejected"), 0);
    assert.equal((await ask(port)).version, before);
    gone();
    const wanted = await push();
    await watch().next("healthy");
    assert.equal((await ask(port)).version, wanted, watching.output);
    await unharmed();
    await noOrphans();
  });

  it("waits for somebody's own update, ends at once when told to meanwhile, and leaves that one its lock", async () => {
    await watching.stop();
    await push({ HEALTHY_AFTER_MS: "5000" });
    const byHand = stack.start("up", "--yes", "--skip-preview", "-s", "dev");
    while (locks().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    const [lock] = locks();
    await watch().next("watching");
    assert.match(
      (await watching.next("waiting")).message,
      /^.*@.* \(pid \d+\) is updating the stack$|just moved/,
    );
    if (!/updating/.test(watching.said.at(-1)?.message ?? "")) await watching.next("waiting");
    await watching.stop();
    assert.deepEqual(locks(), [lock], "the update by hand is not over yet");
    const { code, output } = await byHand.done;
    assert.equal(code, 0, output);
    assert.equal((await ask(port)).version, String(version));
    await noOrphans();
  });

  it("goes on when somebody's own update that it waited for is over", async () => {
    const wanted = await push({ HEALTHY_AFTER_MS: "3000" });
    const byHand = stack.start("up", "--yes", "--skip-preview", "-s", "dev");
    while (locks().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await watch().next("watching");
    const { code, output } = await byHand.done;
    assert.equal(code, 0, output);
    await settled(wanted);
    assert.equal(watching.count("recovered"), 0, watching.output);
  });

  const seed = 20261121;
  const when = moments(seed, 4_500);
  for (const [round, power] of [false, true, true, false].entries()) {
    const afterMs = when.next().value;
    const how = power ? "with everything that it had started" : "alone";
    it(`is killed ${how} ${afterMs} ms into a roll: the next one converges (${round + 1})`, async () => {
      await start();
      const wanted = await push({ HEALTHY_AFTER_MS: "700" });
      await watching.next("rolling");
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      if (power) await watching.powerCut();
      else await watching.kill();
      await watch().next("watching");
      await settled(wanted);
      const report = await unharmed();
      assert.equal(report.versions.at(-1)?.version, wanted);
    });
  }

  for (const [what, name] of [
    ["everything that it had started is", /^/],
    ["the engine is", /^pulumi$/],
    ["Docker's provider is", /^pulumi-resource/],
  ] as const) {
    it(`recovers by itself when only ${what} killed in the middle of a roll`, async () => {
      await start();
      const wanted = await push({ HEALTHY_AFTER_MS: "1500" });
      await watching.next("rolling");
      while ((await stack.containers("server")).length < 2) await new Promise((r) => setTimeout(r, 20));
      const started = descendants(watching.pid).filter((one) => name.test(one.name));
      assert.notEqual(started.length, 0);
      for (const { pid } of started) slay(pid);
      await settled(wanted);
      await unharmed();
    });
  }

  it("leaves nothing of all that to do, and nothing at work", async () => {
    assert.deepEqual(await stack.changes(), []);
    await watching.stop();
    gone();
  });

  it("leaves no receipt of all that without its end", async () => {
    await watch().next("watching"); // whatever the last one could not write, this one does
    const client = new RegistryClient();
    const server = parseReference(`${registry}/${project.repository("server")}`);
    const ledger = new Ledger(client, "dev", { server });
    const open = async () => (await ledger.receipts()).filter(({ endedAt }) => endedAt === undefined);
    for (const deadline = Date.now() + 60_000; (await open()).length > 0 && Date.now() < deadline; )
      await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(await open(), [], watching.output);
    const receipts = await ledger.receipts();
    const outcomes = new Set(receipts.map(({ outcome }) => outcome));
    assert(!outcomes.has("rejected"), JSON.stringify(receipts));
    assert(outcomes.has("cancelled"), "one was cancelled by its user");
    const now = await ask(port);
    const newest = receipts.find(({ outcome }) => outcome === "healthy");
    const running = await docker.getContainer((await stack.ids("server"))[0] ?? "").inspect();
    assert(running.Config.Image.endsWith(newest?.images["server"]?.to ?? "none"), now.version);
    await watching.stop();
    await client.close();
  });
});
