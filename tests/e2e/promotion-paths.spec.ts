// Promotion where something is in the way or apart: CI that reaches the registry alone, one stack in the way of another, a
// registry that says no or goes away, and an update that is killed between two tags.
import assert from "node:assert/strict";
import { type FaultyRegistry, give, startFaultyRegistry } from "../integration/registry/faulty";
import { types } from "../integration/registry/images";
import { ask, freePort, Project, type Stack } from "./harness";
import { pushApp, pushAppIndex, registry } from "./images";
import { Watching } from "./watching";

type Digests = Record<string, string>;

/** Moves the tags and does nothing else: what a workflow runs. */
const tagsAlone = ["--target", "**EnvironmentTag**"];
const nowhere = "tcp://127.0.0.1:1";

describe("A promotion", function () {
  this.timeout(600_000);

  const project = new Project(["server", "client"]);
  const releases: Record<string, Digests> = {};
  const password = "n0body-may-read-this";
  let proxy: FaultyRegistry;
  let stack: Stack;
  let port: number;
  let watching: Watching | undefined;

  async function push(version: string): Promise<Digests> {
    const of = (image: string) => ({ version, env: { IMAGE: image } });
    const server = await pushAppIndex(
      project.repository("server"),
      { ...of("server"), flavour: "oci" },
      version,
    );
    const client = await pushApp(project.repository("client"), of("client"), version);
    releases[version] = { client: client.digest, server: server.digest };
    return releases[version];
  }
  async function carried(tag = "test"): Promise<Digests> {
    const accept = Object.values(types).flatMap(({ manifest, index }) => [manifest, index]);
    const found = ["client", "server"].map(async (image) => {
      const url = `http://${registry}/v2/${project.repository(image)}/manifests/${tag}`;
      const { headers } = await fetch(url, { method: "HEAD", headers: { accept: accept.join(", ") } });
      return [image, headers.get("docker-content-digest") ?? ""];
    });
    return Object.fromEntries(await Promise.all(found));
  }
  const images = (host = proxy.host) =>
    Object.fromEntries(
      project.images.map((image) => [image, { repository: `${host}/${project.repository(image)}` }]),
    );
  const services = () => ({
    server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" } },
    client: { image: "client", port: 8080 },
  });
  const isMove = (method: string | undefined, url: string | undefined, image = "\\w+", tag = "test") =>
    method === "PUT" && new RegExp(`/${image}/manifests/${tag}$`).test(url ?? "");
  /** What its state says that the environment runs. */
  const runs = async () => {
    const { resources } = await stack.exportState();
    const soak = resources.find(({ type }) => type === "tagalong:index:Soak");
    const of = (soak?.outputs?.["runs"] ?? {}) as Record<string, { digest: string }>;
    return Object.fromEntries(Object.entries(of).map(([image, { digest }]) => [image, digest]));
  };

  before(async () => {
    proxy = await startFaultyRegistry(registry);
    port = await freePort();
    await push("1.0.0");
    await push("1.1.0");
    stack = await project.stack("test", {
      release: "1.0.0",
      images: images(),
      services: services(),
      rollout: { deadline: "20s", drain: "1s", interval: "1s", settle: "200ms", soak: "500ms" },
    });
  });
  beforeEach(() => {
    proxy.fault = undefined;
  });
  after(async () => {
    await watching?.end();
    await project.close();
    await proxy?.close();
  });

  it("moves the tags of a new stack from where no engine is, and an update of all of it does nothing there", async () => {
    stack.env["DOCKER_HOST"] = nowhere;
    assert.match(await stack.upFails(), /no Docker engine answers at tcp:\/\/127\.0\.0\.1:1/);
    assert.deepEqual(await carried(), { client: "", server: "" });
    const { output } = await stack.run("preview", "-s", "test", ...tagsAlone);
    assert.match(output, /server: \S+:test moves from nothing to sha256:\w+/);
    assert.deepEqual(await carried(), { client: "", server: "" });
    await stack.up(...tagsAlone);
    assert.deepEqual(await carried(), releases["1.0.0"]);
    assert.deepEqual(await runs(), {});
    delete stack.env["DOCKER_HOST"];
  });

  it("is rolled by the environment's own watcher, the first and every other one", async () => {
    watching = new Watching(stack);
    await watching.next("healthy");
    assert.equal((await ask(port)).version, "1.0.0");
    stack.configure({ release: "1.1.0" });
    stack.env["DOCKER_HOST"] = nowhere;
    const { output } = await stack.run("preview", "-s", "test", ...tagsAlone);
    for (const image of ["client", "server"]) {
      const [from, to] = [releases["1.0.0"]?.[image], releases["1.1.0"]?.[image]];
      assert.match(output, new RegExp(`${image}: \\S+:test moves from ${from} to ${to}`));
    }
    await stack.up(...tagsAlone);
    delete stack.env["DOCKER_HOST"];
    assert.deepEqual(await carried(), releases["1.1.0"]);
    await watching.next("live");
    await watching.next("healthy");
    assert.equal((await ask(port)).version, "1.1.0");
    assert.deepEqual(await runs(), releases["1.1.0"]);
    await watching.stop();
    watching = undefined;
    // What the watcher did is what an update by hand would have done.
    assert.deepEqual(await stack.changes(), []);
  });

  it("is refused for its platform from where no engine is, too, since the last update has asked one", async () => {
    await push("1.1.1");
    const client = await pushApp(
      project.repository("client"),
      { version: "1.1.1", architecture: "s390x" },
      "1.1.1",
    );
    stack.configure({ release: "1.1.1" });
    stack.env["DOCKER_HOST"] = nowhere;
    const output = await stack.upFails(...tagsAlone);
    delete stack.env["DOCKER_HOST"];
    assert.match(
      output,
      new RegExp(`client@${client.digest} has no image for linux/\\w+, which this engine runs`),
    );
    assert.deepEqual(await carried(), releases["1.1.0"]);
  });

  it("goes by the config's own credentials, which are in no state", async () => {
    await push("1.2.0");
    const expected = `Basic ${Buffer.from(`bot:${password}`).toString("base64")}`;
    const path = `tagalong:registries["${proxy.host}"]`;
    await stack.run("config", "set", "--path", `${path}.username`, "bot", "-s", "test");
    const secret = ["config", "set", "--secret", "--path", `${path}.password`, "-s", "test"];
    const set = stack.start(...secret);
    set.child.stdin?.end(password);
    assert.equal((await set.done).code, 0);
    proxy.fault = ({ request, response, pass }) =>
      request.headers.authorization === expected
        ? pass()
        : give(response, {
            status: 401,
            headers: { "content-type": "application/json", "www-authenticate": 'Basic realm="test"' },
            body: Buffer.from('{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}'),
          });
    stack.configure({ release: "1.2.0" });
    const { output } = await stack.up(...tagsAlone);
    assert.deepEqual(await carried(), releases["1.2.0"]);
    const hidden = new RegExp(`${password}|${Buffer.from(`bot:${password}`).toString("base64")}`);
    assert.doesNotMatch(output, hidden);
    const { stdout } = await stack.run("stack", "export", "--show-secrets", "-s", "test");
    assert.doesNotMatch(stdout, hidden);
    stack.configure({ registries: undefined });
  });

  it("is refused without the permission to push, which is named, and moves no tag", async () => {
    await push("1.3.0");
    stack.configure({ release: "1.3.0" });
    proxy.fault = ({ request, response, pass }) =>
      request.method === "PUT" && request.url?.includes(`${project.repository("server")}/`)
        ? give(response, {
            status: 403,
            headers: { "content-type": "application/json" },
            body: Buffer.from('{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}'),
          })
        : pass();
    const output = await stack.upFails(...tagsAlone);
    assert.match(
      output,
      /no tag was moved:\n.*server: .*no permission to write \(HTTP 403\), asked without credentials/,
    );
    assert.match(output, /It takes the permission to push to \S+\/server: /);
    assert.deepEqual(await carried(), releases["1.2.0"]);
  });

  it("is put back when the registry fails between two tags, and completed by the next update", async () => {
    let hasFailed = false;
    proxy.fault = ({ request, response, pass }) => {
      if (!isMove(request.method, request.url, "client")) return pass();
      hasFailed = true;
      response.destroy();
    };
    const output = await stack.upFails(...tagsAlone);
    assert(hasFailed);
    assert.match(output, /the tags were not moved:\n.*client: /);
    assert.match(output, /All of them carry what they carried before/);
    assert.deepEqual(await carried(), releases["1.2.0"]);
    proxy.fault = undefined;
    await stack.up(...tagsAlone);
    assert.deepEqual(await carried(), releases["1.3.0"]);
  });

  it("names the digest that somebody else moved a tag to at the same moment", async () => {
    await push("1.4.0");
    stack.configure({ release: "1.4.0" });
    proxy.fault = async ({ request, response, truth, pass }) => {
      if (!isMove(request.method, request.url, "server")) return pass();
      const answer = await truth();
      await pushApp(project.repository("server"), { version: "foreign" }, "test");
      give(response, answer);
    };
    const output = await stack.upFails(...tagsAlone);
    const { server, client } = await carried();
    assert.match(
      output,
      new RegExp(`server: \\S+:test: somebody else moved it at the same time, to ${server}: only one stack`),
    );
    assert.equal(client, releases["1.3.0"]?.["client"]);
    proxy.fault = undefined;
    await stack.up(...tagsAlone);
    assert.deepEqual(await carried(), releases["1.4.0"]);
  });

  it("of two stacks that race for one tag ends as one of both, at the latest when that is run again", async () => {
    const racers = await Promise.all(
      ["1.0.0", "1.1.0"].map(async (release, index) => {
        const racer = await project.stack(`racer${index}`, {
          release,
          tag: "raced",
          images: images(),
          services: { server: { image: "server" }, client: { image: "client" } },
        });
        return { racer, release };
      }),
    );
    const runs = await Promise.all(
      racers.map(
        ({ racer }) => racer.start("up", "--yes", "--skip-preview", "-s", racer.name, ...tagsAlone).done,
      ),
    );
    for (const { code, output } of runs)
      if (code !== 0)
        assert.match(output, /somebody else moved it at the same time|carry what they carried before/);
    const [last] = racers;
    await last?.racer.up(...tagsAlone);
    assert.deepEqual(await carried("raced"), releases["1.0.0"]);
    // The other one finds out at its next look.
    assert.deepEqual(
      await racers[1]?.racer
        .run("preview", "-s", "racer1", "--json", ...tagsAlone)
        .then(({ stdout }) => /"op": "(create|update)"/.test(stdout)),
      true,
    );
  });

  it("that is killed between two tags is completed by the next update, once its lock is lifted", async () => {
    const next = await push("1.5.0");
    stack.configure({ release: "1.5.0" });
    let reached = () => {};
    const between = new Promise<void>((resolve) => {
      reached = resolve;
    });
    proxy.fault = async ({ request, pass }) => {
      // One tag has moved, and nothing more comes of the other.
      if (isMove(request.method, request.url, "server")) reached();
      else await pass();
    };
    stack.start("up", "--yes", "--skip-preview", "-s", "test", ...tagsAlone);
    await between;
    while ((await carried())["client"] !== next["client"])
      await new Promise((resolve) => setTimeout(resolve, 20));
    stack.kill();
    proxy.fault = undefined;
    assert.deepEqual(await carried(), { ...releases["1.4.0"], client: next["client"] });
    assert.match(await stack.upFails(...tagsAlone), /the stack is currently locked.*\n?.*`pulumi cancel`/s);
    await stack.cancel();
    await stack.up(...tagsAlone);
    assert.deepEqual(await carried(), next);
  });

  it("takes up the tags that are there into a state that knows nothing of them", async () => {
    const adopted = await project.stack("adopted", {
      release: "1.0.0",
      tag: "raced",
      images: images(),
      services: { server: { image: "server" }, client: { image: "client" } },
    });
    const tags = ["client", "server"].map(
      (image) => `${image}=${proxy.host}/${project.repository(image)}:raced`,
    );
    const plain = ["--yes", "--protect=false", "--generate-code=false", "-s", "adopted"];
    await adopted.run("import", "tagalong:index:EnvironmentTag", "adopted", tags.join(","), ...plain);
    const { resources } = await adopted.exportState();
    const tag = resources.find(({ type }) => type === "tagalong:index:EnvironmentTag");
    assert.deepEqual(tag?.outputs?.["carried"], await carried("raced"));
    const { output } = await adopted.up(...tagsAlone);
    assert.match(output, /1 updated/);
    assert.deepEqual(await carried("raced"), releases["1.0.0"]);
  });

  it("brings a release from the repository that it was built in, digests and all", async () => {
    const image = { repository: `${proxy.host}/${project.name}/promoted` };
    const apart = await project.stack("apart", {
      release: "1.1.0",
      images: { server: { ...image, source: `${proxy.host}/${project.repository("server")}` } },
      services: { server: { image: "server", port: 8080, health: { path: "/healthz" } } },
      rollout: { deadline: "20s", soak: "0s" },
    });
    await apart.up();
    const accept = Object.values(types).flatMap(({ manifest, index }) => [manifest, index]);
    const { headers } = await fetch(`http://${registry}/v2/${project.name}/promoted/manifests/apart`, {
      headers: { accept: accept.join(", ") },
    });
    assert.equal(headers.get("docker-content-digest"), releases["1.1.0"]?.["server"]);
    const [container] = await apart.containers("server");
    assert.equal(container?.Image, `${image.repository}@${releases["1.1.0"]?.["server"]}`);
  });
});
