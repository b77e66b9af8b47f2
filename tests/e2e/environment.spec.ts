// An environment through its life, by the plain `pulumi` command line: made, rolled, scaled, repaired, destroyed, made again.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { pipeline } from "node:stream";
import { ask, docker, freePort, Project, type Stack, startTraffic } from "./harness";

const odd = 'it\'s "quoted" $HOME $$ `x` \\n\nsecond line\t= # é';
const secret = "s3cret-that-nobody-may-read";
const commit = (digit: string) => digit.repeat(40);

describe("An environment on a Docker engine", function () {
  this.timeout(600_000);

  const project = new Project(["server", "client"]);
  let stack: Stack;
  let port: number;

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
  const services = (server: object = {}) => ({
    server: { image: "server", port: 8080, health: { path: "/healthz" }, replicas: 2, ...server },
    client: {
      image: "client",
      port: 8080,
      publish: port,
      env: { ODD: odd },
      secrets: ["TOKEN"],
      volumes: { data: "/data" },
      resources: { cpu: 0.5, memory: "100M" },
      user: "0:0",
      capabilities: ["CHOWN"],
    },
    worker: { image: "server", command: ["sleep", "3600"], restart: "on-failure", readOnly: false },
  });

  before(async () => {
    port = await freePort();
    await push("1", commit("a"));
    stack = await project.stack("dev", {
      services: services(),
      rollout: { deadline: "20s", drain: "3s", soak: "0s", keep: 1 },
    });
    await stack.setSecret("TOKEN", secret);
  });
  after(() => project.close());

  it("comes up from nothing, and its services reach each other by name", async () => {
    await stack.up();
    assert.deepEqual(await ask(port), { ...(await ask(port)), status: 200, version: "1" });
    const call = await ask(port, `/call?url=${encodeURIComponent("http://server:8080/")}`);
    assert.equal((call.said as { version: string }).version, "1");
    const called = new Set<string>();
    for (let i = 0; i < 6; i++) {
      const { said } = await ask(port, `/call?url=${encodeURIComponent("http://server:8080/")}`);
      called.add((said as { host: string }).host);
    }
    assert.equal(called.size, 2, "both replicas of the server are called");
  });

  it("hands variables and secrets to the service as they are", async () => {
    assert.equal((await ask(port, "/env?name=ODD")).said, odd);
    assert.equal((await ask(port, "/env?name=TOKEN")).said, secret);
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

  it("shows no secret in state, output or the edge", async () => {
    const { text } = await stack.exportState();
    assert.doesNotMatch(text, new RegExp(secret));
    for (const args of [["--show-config", "--diff"], ["--json"]]) {
      const { output } = await stack.run("preview", "-s", "dev", "--show-sames", ...args);
      assert.doesNotMatch(output, new RegExp(secret), `pulumi preview ${args.join(" ")}`);
    }
    for (const { Id, Names } of await stack.containers()) {
      if (!Names.some((name) => name.endsWith("-edge"))) continue;
      assert.doesNotMatch(JSON.stringify(await docker.getContainer(Id).inspect()), new RegExp(secret));
    }
  });

  it("previews a moved tag with old and new digest of each service, and touches nothing", async () => {
    const look = async () => ({ ids: await stack.ids(), state: (await stack.exportState()).resources });
    const before = await look();
    const olds = before.state.flatMap(({ type, urn, outputs }) =>
      type === "tagalong:index:Image" && !urn.endsWith("-edge") ? [outputs?.["digest"]] : [],
    );
    const news = await push("2", commit("b"));
    const { output } = await stack.run("preview", "-s", "dev");
    assert.equal(new Set(olds).size, 2);
    for (const digest of [...olds, ...news]) assert(output.includes(String(digest)), output);
    assert.deepEqual(await look(), before);
  });

  it("rolls all services to it together, and no request fails", async () => {
    const traffic = await startTraffic({ url: `http://127.0.0.1:${port}`, rate: 80, slowMs: 1_000 });
    const mixed: string[] = [];
    let rolling = true;
    const pairs = (async () => {
      while (rolling) {
        const { version, said } = await ask(port, `/call?url=${encodeURIComponent("http://server:8080/")}`);
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
    // Calls that were under way when both switched may have seen one of the old and one of the new.
    const apart = mixed.filter((pair) => pair === "12" || pair === "21").length;
    assert(
      apart <= 5,
      `client and server switch together: ${apart} of ${mixed.length} calls saw one of each`,
    );
    assert.equal((await stack.containers("server")).length, 2);
    assert.equal((await stack.containers("client")).length, 1);
  });

  it("scales a service without a failed request, and without touching what it has", async () => {
    const [before, edge] = [await stack.ids("server"), await stack.ids()];
    stack.configure({ services: services({ replicas: 3 }) });
    const traffic = await startTraffic({ url: `http://127.0.0.1:${port}`, rate: 80, slowMs: 500 });
    await stack.up();
    stack.configure({ services: services({ replicas: 1 }) });
    await stack.up();
    const report = await traffic.stop();
    assert.deepEqual(report.samples, []);
    const left = await stack.ids("server");
    assert.equal(left.length, 1);
    assert(before.includes(left[0] ?? ""));
    assert.equal(
      (await stack.ids()).every((id) => edge.includes(id)),
      true,
    );
  });

  it("keeps the current image and as many earlier ones as configured", async () => {
    await push("3", commit("c"));
    await stack.up();
    // The second time by way of the engine's TCP address.
    const line = createServer((client) => {
      const engine = connect("/var/run/docker.sock");
      pipeline(client, engine, client, () => {});
    }).listen(0, "127.0.0.1");
    await once(line, "listening");
    stack.env["DOCKER_HOST"] = `tcp://127.0.0.1:${(line.address() as AddressInfo).port}`;
    await push("4", commit("d"));
    await stack.up();
    delete stack.env["DOCKER_HOST"];
    line.close();
    assert.deepEqual(await stack.changes(), []);
    assert.equal((await ask(port)).version, "4");
    const images = await project.localImages();
    assert.equal(images.length, 4, "two images, each with one earlier one");
  });

  it("repairs a replica that was removed by hand", async () => {
    const [removed = ""] = await stack.ids("client");
    await docker.getContainer(removed).remove({ force: true });
    await stack.up("--refresh");
    assert.equal((await ask(port)).version, "4");
    assert.deepEqual(await stack.changes(), []);
  });

  it("repairs a route that was changed by hand", async () => {
    const edge = (await stack.containers()).find(({ Names }) => Names[0]?.endsWith("-edge"));
    const exec = await docker
      .getContainer(edge?.Id ?? "")
      .exec({ Cmd: ["/bin/sh", "-c", "for f in /routes/*; do echo nobody:1 > $f; done"] });
    await exec.start({ Detach: true });
    await stack.refresh();
    assert.deepEqual(await stack.changes(), ["update Route dev: upstreams"]);
    await stack.up();
    assert.equal((await ask(port)).status, 200);
  });

  it("leaves nothing but its volumes when it is destroyed, and finds them again", async () => {
    const path = encodeURIComponent("/data/note");
    const [client = ""] = await stack.ids("client");
    const exec = await docker
      .getContainer(client)
      .exec({ Cmd: ["/bin/sh", "-c", "echo kept > /data/note"], AttachStdout: true });
    await new Promise((resolve) => exec.start({}).then((stream) => stream.on("end", resolve).resume()));
    await stack.destroy();
    const { Volumes } = await docker.listVolumes();
    const { name } = project;
    assert.deepEqual(await stack.ids(), []);
    assert.deepEqual(
      (await docker.listNetworks()).filter(({ Name }) => Name.startsWith(name)),
      [],
    );
    assert.deepEqual(await project.localImages(), []);
    assert.deepEqual(
      Volumes.map(({ Name }) => Name).filter((volume) => volume.startsWith(name)),
      [`${name}-dev-data`],
    );
    await stack.up();
    assert.equal((await ask(port, `/file?path=${path}`)).said, "kept\n");
  });
});
