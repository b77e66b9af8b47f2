// Promotion by editing a line, with the plain `pulumi` command line: what the config names is what the tags carry and what
// runs, what may not run is refused before anything is touched, and a release that fails leaves the old one serving.
import assert from "node:assert/strict";
import { Ledger } from "../../ledger";
import { parseReference, RegistryClient } from "../../registry";
import { hops } from "../../rollout/record";
import { types } from "../integration/registry/images";
import { ask, freePort, Project, type Stack } from "./harness";
import { type AppImage, pushApp, pushAppIndex, registry } from "./images";

type Digests = Record<string, string>;

describe("A release that the config names", function () {
  this.timeout(600_000);

  const project = new Project(["server", "client"]);
  const client = new RegistryClient();
  const repositories = Object.fromEntries(
    project.images.map((image) => [image, parseReference(`${registry}/${project.repository(image)}`)]),
  );
  const ledger = new Ledger(client, "test", repositories);
  const releases: Record<string, Digests> = {};
  let stack: Stack;
  let port: number;

  /** Pushes a release: the server as an index of two platforms, the client as one image of OCI's kind. */
  async function push(
    version: string,
    apps: { server?: Partial<AppImage>; client?: Partial<AppImage> } = {},
  ) {
    const labels = { "org.opencontainers.image.version": version };
    const of = (image: string, app: Partial<AppImage> = {}) => ({
      version,
      labels,
      ...app,
      env: { IMAGE: image, ...app.env },
    });
    const server = await pushAppIndex(
      project.repository("server"),
      { ...of("server", apps.server), flavour: "docker" },
      version,
    );
    const { digest } = await pushApp(
      project.repository("client"),
      { ...of("client", apps.client), flavour: "oci" },
      version,
    );
    releases[version] = { server: server.digest, client: digest };
  }
  const release = (version: string): Digests => releases[version] ?? {};
  const promote = (version: string | undefined) => stack.configure({ release: version });
  const configure = (rollout: object = {}) =>
    stack.configure({ rollout: { deadline: "3s", drain: "1s", soak: "1s", ...rollout } });
  /** What the registry says that the environment's tags carry; "" for one that is not there. */
  async function carried(tag = "test"): Promise<Digests> {
    const accept = Object.values(types).flatMap(({ manifest, index }) => [manifest, index]);
    const found = project.images.map(async (image) => {
      const url = `http://${registry}/v2/${project.repository(image)}/manifests/${tag}`;
      const { headers } = await fetch(url, { method: "HEAD", headers: { accept: accept.join(", ") } });
      return [image, headers.get("docker-content-digest") ?? ""];
    });
    return Object.fromEntries(await Promise.all(found));
  }
  const version = async () => (await ask(port)).version;
  const refused = async (reason: RegExp) => {
    const [tags, ids, state] = [await carried(), await stack.ids(), (await stack.exportState()).resources];
    const outputs = [await stack.previewFails(), await stack.upFails()];
    for (const output of outputs) assert.match(output, reason);
    assert.deepEqual([await carried(), await stack.ids()], [tags, ids]);
    const ours = (resources: typeof state) => resources.filter(({ type }) => !/pulumi:|provider/.test(type));
    assert.deepEqual(ours((await stack.exportState()).resources).length, ours(state).length);
    return outputs[1] ?? "";
  };

  before(async () => {
    port = await freePort();
    await push("1.0.0");
    await push("1.1.0");
    await push("2.0.0", { server: { env: { UNHEALTHY: "1" } } });
    stack = await project.stack("test", {
      release: "1.0.0",
      services: {
        server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" } },
        client: { image: "client", port: 8080 },
      },
    });
    configure();
  });
  after(async () => {
    await project.close();
    await client.close();
  });

  it("makes a new environment, by tags of its own that carry the release's digests", async () => {
    await stack.up();
    assert.deepEqual(await carried(), release("1.0.0"));
    assert.equal(await version(), "1.0.0");
    const containers = await stack.containers("server");
    assert.deepEqual(
      containers.map(({ Image }) => Image),
      [`${registry}/${project.repository("server")}@${release("1.0.0")["server"]}`],
    );
  });

  it("has a verdict on each image and a receipt of the roll, with the time of each step", async () => {
    const [receipt, ...others] = await ledger.receipts();
    assert(receipt);
    assert.deepEqual(others, []);
    const { trigger, via, release: named, outcome, images } = receipt;
    assert.deepEqual([trigger, via, named, outcome], ["config", "up", "1.0.0", "healthy"]);
    const to = Object.entries(release("1.0.0")).map(([image, digest]) => [
      image,
      { to: digest, version: "1.0.0" },
    ]);
    assert.deepEqual(images, Object.fromEntries(to));
    // The old ones are deleted after all else: nobody of ours is there any more.
    const reached = hops.filter((hop) => hop !== "drained").map((hop) => receipt.hops[hop] ?? "");
    assert.deepEqual(reached, [...reached].sort());
    assert(reached.every((time) => time !== ""));
    for (const [image, digest] of Object.entries(release("1.0.0"))) {
      const { healthy, rejected } = await ledger.findings(image, digest);
      assert.equal(healthy?.receipt, receipt.id);
      assert.equal(rejected, undefined);
    }
  });

  it("previews a promotion with the evidence for it, and touches nothing", async () => {
    const [tags, ids] = [await carried(), await stack.ids()];
    promote("1.1.0");
    const { output } = await stack.run("preview", "-s", "test");
    for (const image of project.images) {
      const [from, to] = [release("1.0.0")[image], release("1.1.0")[image]];
      assert.match(output, new RegExp(`${image}: \\S+:test moves from ${from} to ${to}`));
      const short = (digest = "") => digest.slice(0, 19);
      const row = `${image} +1\\.0\\.0 \\(${short(from)}\\) +1\\.1\\.0 \\(${short(to)}\\) +linux/\\S+`;
      assert.match(output, new RegExp(`${row}.* none in test yet`));
    }
    assert.match(output, /commits of \S+, \S+: not known, since neither image says which commit it is of/);
    assert.deepEqual([await carried(), await stack.ids()], [tags, ids]);
  });

  it("does what was previewed, and nothing but that", async () => {
    const previewed = (await stack.changes()).map((change) => change.replace(/:.*/, "")).sort();
    const { output } = await stack.up();
    const done = previewed.map((change) => change.split(" ")[0] ?? "");
    const count = (op: string) => done.filter((one) => one === op).length;
    const summary = /Resources:\n([\s\S]*?)\n\n/.exec(output)?.[1] ?? "";
    assert.match(summary, new RegExp(`\\+ ${count("create")} created`));
    assert.match(summary, new RegExp(`~ ${count("update")} updated`));
    assert.match(summary, new RegExp(`- ${count("delete")} deleted`));
    assert.deepEqual(await carried(), release("1.1.0"));
    assert.equal(await version(), "1.1.0");
    assert.deepEqual(await stack.changes(), []);
  });

  it("is refused where it is no release, or not one of every image, or another repository's", async () => {
    promote("9.9.9");
    await refused(/no image has release 9\.9\.9; .*\n.*client: \S+ has no tag 9\.9\.9\n.*server:/);
    await project.push("server", { version: "1.2.0" }, "1.2.0");
    promote("1.2.0");
    await refused(/release 1\.2\.0 is not on every image; .*\n.*client: \S+ has no tag 1\.2\.0/);
    const alone = await project.stack("alone", {
      release: release("1.1.0")["client"],
      services: { server: { image: "server" } },
    });
    assert.match(await alone.previewFails(), /has no such digest; it may be another repository's/);
  });

  it("is refused where the engine does not run its platform, before a tag moves", async () => {
    await push("3.0.0", { client: { architecture: "s390x" } });
    promote("3.0.0");
    await refused(
      /client@sha256:\w+ has no image for linux\/\w+, which this engine runs; it has linux\/s390x/,
    );
  });

  it("is led back to when somebody moves its tag, which a refresh finds and an update without one too", async () => {
    promote("1.1.0");
    await pushApp(project.repository("client"), { version: "by hand" }, "test");
    const foreign = (await carried())["client"];
    assert.deepEqual(await stack.changes(), ["update EnvironmentTag test: images"]);
    const { output } = await stack.refresh();
    assert.match(
      output,
      new RegExp(
        `warning: client: \\S+:test was led to ${release("1.1.0")["client"]} and carries ${foreign}: `,
      ),
    );
    const { resources } = await stack.exportState();
    const tag = resources.find(({ type }) => type === "tagalong:index:EnvironmentTag");
    assert.deepEqual(tag?.outputs?.["carried"], { ...release("1.1.0"), client: foreign });
    assert.deepEqual(await stack.changes(), ["update EnvironmentTag test: images"]);
    await stack.up();
    assert.deepEqual(await carried(), release("1.1.0"));
    assert.equal(await version(), "1.1.0");
  });

  it("fails, leaves the old one serving, and is not tried again by anybody who has the registry alone", async () => {
    const serving = await stack.ids("server");
    promote("2.0.0");
    assert.match(
      await stack.upFails(),
      /service server: \S+ was not healthy within 3\.0 s: 503 to GET \/healthz/,
    );
    assert.equal(await version(), "1.1.0");
    for (const id of serving) assert((await stack.ids()).includes(id));
    const [receipt] = await ledger.receipts();
    assert.equal(receipt?.outcome, "rejected");
    assert.match(receipt?.reason ?? "", /^server: \S+ was not healthy/);
    assert.equal(receipt?.images["server"]?.from, release("1.1.0")["server"]);
    const findings = await ledger.findings("server", release("2.0.0")["server"] ?? "");
    assert.equal(findings.rejected?.receipt, receipt?.id);
    assert.deepEqual(await ledger.findings("client", release("2.0.0")["client"] ?? ""), {});

    const output = await refused(/test does not take the release 2\.0\.0:\n.*server: rejected in test at/);
    assert.match(output, /tagalong override test \S*--image server@sha256:\w+/);
    // Another machine, whose state has nothing of it.
    const elsewhere = project.again("test");
    await elsewhere.run("stack", "init", "test");
    assert.match(await elsewhere.previewFails(), /server: rejected in test at/);
    assert.equal(await version(), "1.1.0");
  });

  it("is tried again once somebody says so, and no more when it fails again", async () => {
    const digest = release("2.0.0")["server"] ?? "";
    const { rejected } = await ledger.findings("server", digest);
    const override = { at: new Date().toISOString(), by: "ada@build-7", reason: "the database is back" };
    await ledger.override("server", digest, { ...override, rejections: [rejected?.record ?? ""] });
    assert.match(await stack.upFails(), /was not healthy within 3\.0 s/);
    assert.notEqual((await ledger.findings("server", digest)).rejected?.record, rejected?.record);
    assert.match(await stack.upFails(), /server: rejected in test at/);
    assert.equal(await version(), "1.1.0");
  });

  it("is gone back from by undoing the edit: what served was never touched", async () => {
    const serving = await stack.ids("server");
    promote("1.1.0");
    await stack.up();
    assert.deepEqual(await carried(), release("1.1.0"));
    const left = await stack.ids("server");
    assert.equal(left.length, 1);
    assert(serving.includes(left[0] ?? ""));
    assert.deepEqual(await stack.changes(), []);
    // Nothing has rolled, so there is nothing to tell.
    const outcomes = (await ledger.receipts()).map(({ outcome }) => outcome);
    assert.deepEqual(outcomes, ["rejected", "rejected", "healthy", "healthy"]);
  });

  it("loses the traffic again when it turns unhealthy in its soak time", async () => {
    const before = await stack.ids("server");
    configure({ soak: "30s" });
    await push("2.1.0");
    promote("2.1.0");
    const { done } = stack.start("up", "--yes", "--skip-preview", "-s", "test");
    while ((await version()) !== "2.1.0") await new Promise((resolve) => setTimeout(resolve, 50));
    await ask(port, "/sicken");
    const { code, output } = await done;
    assert.notEqual(code, 0);
    assert.match(output, /service server: \S+ turned unhealthy after the switch: 503 to GET \/healthz/);
    assert.match(output, /the traffic goes to what served before again/);
    assert.equal(await version(), "1.1.0");
    for (const id of before) assert((await stack.ids("server")).includes(id));
    assert.equal((await ledger.receipts())[0]?.outcome, "rejected");
    configure();
    assert.match(await stack.previewFails(), /server: rejected in test at/);
  });

  it("passes the gate anew when it is tried again after that, before it gets any traffic", async () => {
    const digest = release("2.1.0")["server"] ?? "";
    const { rejected } = await ledger.findings("server", digest);
    const override = { at: new Date().toISOString(), by: "ada@build-7", reason: "once more" };
    await ledger.override("server", digest, { ...override, rejections: [rejected?.record ?? ""] });
    // Its container is as sick as it was left.
    assert.match(await stack.upFails(), /service server: \S+ was not healthy within 3\.0 s: 503/);
    assert.equal(await version(), "1.1.0");
    promote("1.1.0");
    await stack.up();
    assert.equal((await stack.ids("server")).length, 1);
  });

  it("is watched anew by the next update when one is killed in its soak time, which can still go back", async () => {
    configure({ soak: "30s" });
    await push("2.2.0");
    promote("2.2.0");
    stack.start("up", "--yes", "--skip-preview", "-s", "test");
    while ((await version()) !== "2.2.0") await new Promise((resolve) => setTimeout(resolve, 50));
    // Once the state has the switch, nothing but the soak time is under way.
    const isSwitched = async () =>
      (await stack.exportState()).resources.some(
        ({ type, outputs }) =>
          type === "tagalong:index:Route" && Object.keys(outputs?.["before"] ?? {}).length > 0,
      );
    while (!(await isSwitched())) await new Promise((resolve) => setTimeout(resolve, 100));
    stack.kill();
    await ask(port, "/sicken");
    await stack.cancel();
    assert.match(
      await stack.upFails(),
      /turned unhealthy after the switch.*the traffic goes to what served/s,
    );
    assert.equal(await version(), "1.1.0");
    configure();
    promote("1.1.0");
    await stack.up();
    // What was cut short is on record as that.
    const outcomes = (await ledger.receipts()).map(({ outcome }) => outcome);
    assert(!outcomes.includes("rolling"), outcomes.join());
  });

  it("is refused while the environment is held, and goes when that is lifted", async () => {
    await ledger.setHold({ at: new Date().toISOString(), by: "ada@build-7", reason: "freeze" });
    assert.deepEqual(await stack.changes(), []);
    promote("1.0.0");
    await refused(/test is held since \S+ by ada@build-7: freeze; lift that with `tagalong resume test`/);
    await ledger.liftHold("ada@build-7");
    await stack.up();
    assert.equal(await version(), "1.0.0");
  });

  it("is left, once none is named, for whatever the tag carries, unless that may not run", async () => {
    promote(undefined);
    assert.deepEqual(await stack.changes(), ["update EnvironmentTag test: release, images"]);
    await stack.up();
    assert.deepEqual(await carried(), release("1.0.0"));
    // CI moves the tag to what was rejected here.
    const manifests = `http://${registry}/v2/${project.repository("server")}/manifests`;
    const bad = await fetch(`${manifests}/2.0.0`, { headers: { accept: types.docker.index } });
    const body = new Uint8Array(await bad.arrayBuffer());
    await fetch(`${manifests}/test`, {
      method: "PUT",
      headers: { "content-type": types.docker.index },
      body,
    });
    const { output } = await stack.run("preview", "-s", "test");
    assert.match(output, /warning: test does not take what its tag carries:\n.*server: rejected in test at/);
    assert.match(output, /It stays with what it was brought to at \S+, 1\.0\.0/);
    assert.deepEqual(await stack.changes(), []);
    await stack.up();
    assert.equal(await version(), "1.0.0");
  });

  it("leaves its tags where they are when the environment goes, and says why", async () => {
    promote("1.0.0");
    await stack.up();
    const { output } = await stack.destroy();
    assert.match(
      output,
      /client:test, \S+\/server:test stay as they are: other environments and whoever pulls/,
    );
    assert.deepEqual(await carried(), release("1.0.0"));
    assert.deepEqual(await stack.ids(), []);
  });
});
