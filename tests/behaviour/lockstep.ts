// The watcher on a good day: tags move, the environment follows, and nobody who uses it notices.
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { becomes, type Engine } from "../e2e/engine";
import { ask, Project, type Stack, startTraffic } from "../e2e/harness";
import { Watching } from "../e2e/watching";

const commit = (digit: string) => digit.repeat(40);

export function describeLockstep(engine: Engine): void {
  describe(`A watcher whose images roll in lockstep on ${engine.title}`, function () {
    this.timeout(600_000);

    const project = new Project(["server", "client"], engine);
    let stack: Stack;
    let port: number;
    let url: string;
    let watching: Watching;

    /** Pushes an image at a commit, under the tag `dev` and those of commits that it is part of. */
    const push = (image: string, version: string, digit?: string, ...others: string[]) =>
      project.push(
        image,
        { version, labels: digit ? { "org.opencontainers.image.revision": commit(digit) } : {} },
        "dev",
        ...[...(digit ? [digit] : []), ...others].map((one) => `sha-${commit(one)}`),
      );
    const services = (server: object = {}) => ({
      server: { image: "server", port: 8080, health: { path: "/healthz" }, ...server },
      client: { image: "client", port: 8080, publish: port, health: { path: "/healthz" } },
    });
    const versions = async () => {
      const { version, said } = await ask(url, `/call?url=${encodeURIComponent("http://server:8080/")}`);
      return [(said as { version: string }).version, version];
    };
    /** Server and client are of these versions. */
    const serve = (wanted: string[]) => becomes(engine, versions, wanted);

    before(async () => {
      port = await engine.freePort();
      url = engine.url(port);
      stack = await project.stack("dev", {
        services: services(),
        rollout: { deadline: "20s", drain: "3s", interval: "1s", settle: "500ms", soak: "500ms" },
      });
      // What the engine says has no secret in it, and so no name either that is the same.
      await stack.setSecret("PROJECT", project.name);
      watching = new Watching(stack);
    });
    after(async () => {
      await watching?.end();
      await project.close();
    });

    it("waits while there is nothing to run, and says for what", async () => {
      assert.match((await watching.next("unknown")).message, /dev: .*no such tag|dev: .*missing/);
      assert.match((await watching.next("waiting")).message, /nothing is known yet of server, client/);
    });

    it("brings the environment up as soon as both images are there", async () => {
      await push("server", "1", "a");
      await push("client", "1", "a");
      await watching.next("healthy");
      await serve(["1", "1"]);
    });

    it("waits while one tag has moved alone, says which is where, then rolls both in one update", async () => {
      const traffic = await startTraffic({ url, rate: 80, slowMs: 500 });
      const [before, rolls] = [await stack.ids(), watching.count("rolling")];
      await push("server", "2", "b");
      const { message } = await watching.next("waiting");
      assert.match(message, /server is at commit b{12}.*client is at commit a{12}/);
      assert.deepEqual(await stack.ids(), before);
      await push("client", "2", "b");
      const rolling = await watching.next("rolling");
      assert.match(rolling.message, /server.*client/);
      await watching.next("healthy");
      assert.equal(watching.count("rolling"), rolls + 1);
      const report = await traffic.stop();
      assert.deepEqual(report.samples, []);
      assert.deepEqual(
        report.versions.map(({ version }) => version),
        ["1", "2"],
      );
      await serve(["2", "2"]);
      await becomes(engine, async () => (await stack.ids()).length, before.length);
    });

    it("rolls one image alone where the other is unchanged and carries the new commit's tag too", async () => {
      const client = await stack.ids("client");
      await push("client", "2", "b", "c");
      await push("server", "3", "c");
      assert.doesNotMatch((await watching.next("rolling")).message, /client/);
      await watching.next("healthy");
      await serve(["3", "2"]);
      assert.deepEqual(await stack.ids("client"), client);
    });

    it("takes images without labels together when their tags have been quiet", async () => {
      const rolls = watching.count("rolling");
      await Promise.all([push("server", "4"), push("client", "4")]);
      await watching.next("healthy");
      await serve(["4", "4"]);
      assert.equal(watching.count("rolling"), rolls + 1);
    });

    it("leaves nothing to a second watcher of the stack while it lives, which says who has it", async () => {
      const second = new Watching(stack);
      if (engine.takesTurns) {
        const { message } = await second.next("waiting");
        assert.match(
          message,
          new RegExp(`another watcher has the environment \\(${hostname()}_${watching.pid}_`),
        );
        await second.stop();
      } else {
        assert.equal(await second.ended, 1);
        assert.match(second.output, new RegExp(`another watcher follows .*process ${watching.pid}\\)`));
      }
      assert.equal(second.count("watching"), 0);
    });

    it("makes again what was removed by hand", async () => {
      await engine.lose(stack, "server");
      assert.match((await watching.next("repaired")).message, /server/);
      await serve(["4", "4"]);
    });

    it("blames no image for what was removed by hand just before a roll", async () => {
      await engine.lose(stack, "client");
      await push("client", "4");
      await push("server", "5");
      await watching.next("healthy");
      await serve(["5", "4"]);
      assert.equal(watching.count("rejected"), 0);
    });

    it("holds everything while the config is broken, says so once with the key, and goes on when it is mended", async () => {
      const before = await stack.ids();
      stack.configure({ services: services({ replicas: "many" }) });
      const said = await watching.next("failed");
      assert.match(said.message, /tagalong:services\.server\.replicas/);
      await push("server", "6");
      await watching.next("moved");
      const failed = watching.count("failed");
      await push("client", "6");
      await watching.next("moved");
      assert.deepEqual(await stack.ids(), before);
      assert.equal(watching.count("failed"), failed);
      stack.configure({ services: services() });
      await watching.next("config");
      await watching.next("healthy");
      await serve(["6", "6"]);
    });

    it("ends at once when it is told to while nothing is under way, and leaves everything as it is", async () => {
      const before = await stack.ids();
      watching.signal("SIGINT");
      assert.equal(await watching.ended, 0);
      assert.equal(watching.said.at(-1)?.event, "stopped");
      assert.deepEqual(await stack.ids(), before);
      assert.deepEqual(await stack.changes(), []);
    });
  });
}
