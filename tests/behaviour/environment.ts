// An environment through its life, by the plain `pulumi` command line: made, rolled, scaled, repaired, destroyed, made again.
import assert from "node:assert/strict";
import { becomes, type Engine } from "../e2e/engine";
import { ask, Project, type Stack, startTraffic } from "../e2e/harness";

const odd = 'it\'s "quoted" $HOME $$ `x` \\n\nsecond line\t= # é';
const secret = "s3cret-that-nobody-may-read";
const commit = (digit: string) => digit.repeat(40);
const viaServer = `/call?url=${encodeURIComponent("http://server:8080/")}`;

/** What an engine's own tests are given. */
export interface Life {
  stack: Stack;
  url: string;
  secret: string;
  /** The services' config, with this of the server and the client beside the rest. */
  services: (server?: object, client?: object) => Record<string, object>;
  /** Pushes a version of both images; the digests. */
  push: (version: string, revision: string) => Promise<string[]>;
}

interface Own {
  /** What services have in their config beside the rest. */
  client?: object;
  worker?: object;
  /** What it promises of the replica that is left of three, of which two were there before. */
  scaledDown?: (left: string, before: string[]) => void;
  /** Tests between the last roll and the end. */
  before?: (life: () => Life) => void;
  /** What it promises of what is destroyed. */
  destroyed?: (life: Life) => Promise<void>;
  /** Tests of what is there when it was destroyed and made again. */
  after?: (life: () => Life) => void;
}

export function describeEnvironment(engine: Engine, own: Own = {}): void {
  describe(`An environment on ${engine.title}`, function () {
    this.timeout(600_000);

    const project = new Project(["server", "client"], engine);
    let stack: Stack;
    let port: number;
    let url: string;
    let digests: string[];

    const push = (version: string, revision: string) =>
      Promise.all(
        project.images.map((image) =>
          project.push(
            image,
            { version, labels: { "org.opencontainers.image.revision": revision } },
            "dev",
            `sha-${revision}`,
          ),
        ),
      );
    const services = (server: object = {}, client: object = {}) => ({
      server: { image: "server", port: 8080, health: { path: "/healthz" }, replicas: 2, ...server },
      client: {
        image: "client",
        port: 8080,
        publish: port,
        env: { ODD: odd },
        secrets: ["TOKEN"],
        resources: { cpu: 0.5, memory: "100M" },
        ...own.client,
        ...client,
      },
      worker: { image: "server", command: ["sleep", "3600"], readOnly: false, ...own.worker },
    });
    const count = async (service: string) => (await stack.ids(service)).length;
    const life = () => ({ stack, url, secret, services, push });

    before(async () => {
      port = await engine.freePort();
      url = engine.url(port);
      digests = await push("1", commit("a"));
      stack = await project.stack("dev", {
        services: services(),
        rollout: { deadline: "20s", drain: "3s", soak: "0s", keep: 1 },
      });
      await stack.setSecret("TOKEN", secret);
    });
    after(() => project.close());

    it("comes up from nothing, and its services reach each other by name", async () => {
      await stack.up();
      assert.deepEqual(await ask(url), { ...(await ask(url)), status: 200, version: "1" });
      const called = new Set<string>();
      for (let left = 60; called.size < 2 && left > 0; left -= 1) {
        const { said } = await ask(url, viaServer);
        const { version, host } = said as { version: string; host: string };
        assert.equal(version, "1");
        called.add(host);
      }
      assert.equal(called.size, 2, "both replicas of the server are called");
    });

    it("runs what the tags carry, by digest", async () => {
      for (const [index, image] of project.images.entries())
        for (const { digest } of await engine.running(stack, image)) assert.equal(digest, digests[index]);
    });

    it("hands variables and secrets to the service as they are", async () => {
      assert.equal((await ask(url, "/env?name=ODD")).said, odd);
      assert.equal((await ask(url, "/env?name=TOKEN")).said, secret);
    });

    it("changes nothing when nothing has changed, after a refresh neither", async () => {
      const before = await stack.ids();
      const { output } = await stack.up();
      assert.match(output, / \d+ unchanged\n/);
      assert.doesNotMatch(output, /created|updated|replaced|deleted/);
      assert.deepEqual(await stack.changes(), []);
      await stack.refresh();
      assert.deepEqual(await stack.changes(), []);
      assert.deepEqual(await stack.ids(), before);
    });

    it("shows no secret in state and output", async () => {
      const { text } = await stack.exportState();
      const hidden = [secret, Buffer.from(secret).toString("base64")];
      const told = [text];
      for (const args of [["--show-config", "--diff"], ["--json"]])
        told.push((await stack.run("preview", "-s", "dev", "--show-sames", ...args)).output);
      for (const each of told) for (const one of hidden) assert(!each.includes(one), each);
    });

    it("previews a moved tag with old and new digest of each service, and touches nothing", async () => {
      const look = async () => ({ ids: await stack.ids(), state: (await stack.exportState()).resources });
      const before = await look();
      const olds = await Promise.all(
        project.images.map(async (image) => (await engine.running(stack, image))[0]?.digest),
      );
      const news = await push("2", commit("b"));
      const { output } = await stack.run("preview", "-s", "dev");
      assert.equal(new Set(olds).size, 2);
      for (const digest of [...olds, ...news]) assert(output.includes(String(digest)), output);
      assert.deepEqual(await look(), before);
    });

    it("rolls all services to it, and no request fails", async () => {
      const traffic = await startTraffic({ url, rate: 80, slowMs: 1_000 });
      const mixed: string[] = [];
      let rolling = true;
      const pairs = (async () => {
        while (rolling) {
          const { version, said } = await ask(url, viaServer);
          mixed.push(`${version}${(said as { version: string }).version}`);
        }
      })();
      await stack.up();
      rolling = false;
      await pairs;
      const report = await traffic.stop();
      assert.deepEqual(report.samples, []);
      assert.deepEqual(
        report.versions.map(({ version }) => version),
        ["1", "2"],
      );
      assert(report.requests > 100, "there was traffic");
      if (engine.switchesAtOnce) {
        // Calls that were under way when both switched may have seen one of the old and one of the new.
        const apart = mixed.filter((pair) => pair === "12" || pair === "21").length;
        assert(
          apart <= 5,
          `client and server switch together: ${apart} of ${mixed.length} calls saw one of each`,
        );
      }
      await becomes(engine, () => Promise.all(["server", "client"].map(count)), [2, 1]);
    });

    it("scales a service without a failed request, and without touching what it has", async () => {
      const [before, all] = [await stack.ids("server"), await stack.ids()];
      stack.configure({ services: services({ replicas: 3 }) });
      const traffic = await startTraffic({ url, rate: 80, slowMs: 500 });
      await stack.up();
      const three = await stack.ids("server");
      assert.equal(three.filter((id) => before.includes(id)).length, 2);
      stack.configure({ services: services({ replicas: 1 }) });
      await stack.up();
      const report = await traffic.stop();
      assert.deepEqual(report.samples, []);
      await becomes(engine, () => count("server"), 1);
      const [left = ""] = await stack.ids("server");
      assert(three.includes(left));
      own.scaledDown?.(left, before);
      const others = all.filter((id) => !before.includes(id));
      assert.deepEqual(await stack.ids(), [...others, left].sort());
    });

    own.before?.(life);

    it("repairs what was removed by hand", async () => {
      const { version } = await ask(url);
      await engine.lose(stack, "client");
      await stack.up("--refresh");
      await becomes(engine, async () => (await ask(url)).version, version);
      assert.deepEqual(await stack.changes(), []);
    });

    it("leaves nothing behind when it is destroyed, and comes back", async () => {
      const { version } = await ask(url);
      await stack.destroy();
      await becomes(engine, () => engine.left(stack), []);
      await own.destroyed?.(life());
      await stack.up();
      await becomes(engine, async () => (await ask(url)).version, version);
    });

    own.after?.(life);
  });
}
