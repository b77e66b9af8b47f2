// The watcher on a bad day: what carries the tag is no good, and the environment stays with what is.
import assert from "node:assert/strict";
import { becomes, type Engine } from "../e2e/engine";
import { ask, Project, type Stack, sicken, startTraffic } from "../e2e/harness";
import type { AppImage } from "../e2e/images";
import { Watching } from "../e2e/watching";

/** What an engine's own tests are given. */
export interface Rejecting {
  stack: Stack;
  watching: Watching;
}

interface Own {
  /** What is said of an image whose command is not there. */
  noCommand: RegExp;
  /** Tests of what only this engine does, while version 2 serves. */
  more?: (rejecting: () => Rejecting) => void;
}

export function describeRejecting(engine: Engine, own: Own): void {
  const late = new RegExp(engine.late(engine.deadline));

  describe(`A watcher whose images are no good on ${engine.title}`, function () {
    this.timeout(600_000);

    const project = new Project(["server", "client"], engine);
    let stack: Stack;
    let port: number;
    let url: string;
    let watching: Watching;

    const configure = (server: object = {}) =>
      stack.configure({
        services: {
          server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" }, ...server },
          client: { image: "client", port: 8080, health: { path: "/healthz" } },
        },
        rollout: {
          lockstep: false,
          deadline: engine.deadline,
          drain: "3s",
          interval: "1s",
          settle: "200ms",
          soak: "1s",
        },
      });
    const push = (app: AppImage, image = "server") => project.push(image, app, "dev");
    const serves = (version: string) => becomes(engine, async () => (await ask(url)).version, version);
    const other = process.arch === "arm64" ? "amd64" : "arm64";

    before(async () => {
      port = await engine.freePort();
      url = engine.url(port);
      stack = await project.stack("dev", {});
      configure();
      await Promise.all([push({ version: "1" }), push({ version: "1" }, "client")]);
      watching = new Watching(stack);
      await watching.next("healthy");
    });
    after(async () => {
      await watching?.end();
      await project.close();
    });

    it("rolls one image alone where lockstep is off", async () => {
      const client = await stack.ids("client");
      await push({ version: "2" });
      assert.doesNotMatch((await watching.next("rolling")).message, /client/);
      await watching.next("healthy");
      await serves("2");
      assert.deepEqual(await stack.ids("client"), client);
    });

    const candidates: { name: string; app: AppImage; reason: RegExp }[] = [
      {
        name: "is never healthy",
        app: { version: "never", env: { UNHEALTHY: "1" } },
        reason: late,
      },
      {
        name: "exits at once",
        app: { version: "exits", env: { EXIT_CODE: "7", SAYS: "no database" } },
        reason: /exited with code 7/,
      },
      {
        name: "takes too long",
        app: { version: "late", env: { HEALTHY_AFTER_MS: "60000" } },
        reason: late,
      },
      {
        name: "is for another platform",
        app: { version: "elsewhere", architecture: other },
        reason: /has no image for linux/,
      },
      {
        name: "cannot start",
        app: { version: "nothing", command: ["/no/such/program"] },
        reason: own.noCommand,
      },
    ];
    for (const { name, app, reason } of candidates) {
      it(`keeps the very replicas that served when the new one ${name}`, async () => {
        const before = await stack.ids();
        const traffic = await startTraffic({ url, rate: 80, slowMs: 500 });
        const digest = await push(app);
        const rejected = await watching.next("rejected", "failed");
        assert.equal(rejected.event, "rejected", rejected.message);
        assert.match(rejected.message, reason);
        assert.match(rejected.message, /^server sha256:/);
        const [failure] = rejected["failures"] as { service: string; digest: string }[];
        assert.deepEqual([failure?.service, failure?.digest], ["server", digest]);
        await watching.next("returned");
        await becomes(engine, () => stack.ids(), before);
        const report = await traffic.stop();
        assert.deepEqual(report.samples, []);
        assert.deepEqual(
          report.versions.map(({ version }) => version),
          ["2"],
        );
      });
    }

    own.more?.(() => ({ stack, watching }));

    it("does not roll a rejected image again by itself, and rolls the next good one", async () => {
      const rolls = watching.count("rolling");
      await push({ version: "3" });
      await watching.next("healthy");
      assert.equal(watching.count("rolling"), rolls + 1);
      await serves("3");
    });

    it("rolls on when the tag moves again while it rolls", async () => {
      const traffic = await startTraffic({ url, rate: 80, slowMs: 500 });
      await push({ version: "3a", env: { HEALTHY_AFTER_MS: "1000" } });
      await watching.next("rolling");
      await push({ version: "3b" });
      await watching.next("rolling");
      await watching.next("healthy");
      const report = await traffic.stop();
      assert.deepEqual(report.samples, []);
      assert.deepEqual(
        report.versions.map(({ version }) => version),
        ["3", "3a", "3b"],
      );
      await becomes(engine, async () => (await stack.ids("server")).length, 1);
    });

    it("refuses a rejected image that is put back, until the service's configuration changes", async () => {
      const before = await stack.ids();
      const rolls = watching.count("rolling");
      await push({ version: "exits", env: { EXIT_CODE: "7", SAYS: "no database" } });
      assert.match((await watching.next("refused")).message, /^server sha256:.*exited with code 7/);
      assert.deepEqual(await stack.ids(), before);
      assert.equal(watching.count("rolling"), rolls);
      configure({ env: { EXIT_CODE: "" } });
      await watching.next("config");
      await watching.next("healthy");
      await serves("exits");
    });

    it("goes back under traffic when the new one turns unhealthy before its soak time is over", async () => {
      await push({ version: "4" });
      await watching.next("healthy");
      stack.configure({
        rollout: {
          lockstep: false,
          deadline: "10s",
          drain: "3s",
          interval: "1s",
          settle: "200ms",
          soak: "1h",
        },
      });
      await watching.next("config");
      const traffic = await startTraffic({ url, rate: 80, slowMs: 500 });
      await push({ version: "5" });
      await watching.next("live");
      await serves("5");
      await sicken(url, "5");
      assert.match(
        (await watching.next("rejected")).message,
        new RegExp(`turned unhealthy after the switch: ${engine.sick}`),
      );
      await watching.next("returned");
      await serves("4");
      const report = await traffic.stop();
      // Where no edge is between, nobody is asked who is not ready.
      if (engine.switchesAtOnce) assert.deepEqual(report.samples, []);
      assert.deepEqual(
        report.versions.map(({ version }) => version),
        ["4", "5"],
      );
      await becomes(engine, async () => (await stack.ids("server")).length, 1);
    });

    it("rolls what comes during a soak time without waiting for its end, and goes back to what was good", async () => {
      await push({ version: "6" });
      await watching.next("live");
      await push({ version: "7" });
      await watching.next("live");
      await serves("7");
      await sicken(url, "7");
      await watching.next("rejected");
      await watching.next("returned");
      await serves("4");
      await watching.stop();
    });
  });
}
