// What an environment promises on a Docker engine, and what only one of a Docker engine does.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { pipeline } from "node:stream";
import { describeEnvironment } from "../behaviour/environment";
import { ask, docker, localImages, onDocker } from "./harness";

const commit = (digit: string) => digit.repeat(40);
const note = `/file?path=${encodeURIComponent("/data/note")}`;

describeEnvironment(onDocker, {
  client: { volumes: { data: "/data" }, user: "0:0", capabilities: ["CHOWN"] },
  worker: { restart: "on-failure" },
  scaledDown: (left, before) =>
    assert(before.includes(left), "the one that was added last is not the one that went"),
  before: (life) => {
    const edgeOf = async () => {
      const edge = (await life().stack.containers()).find(({ Names }) => Names[0]?.endsWith("-edge"));
      return docker.getContainer(edge?.Id ?? "");
    };

    it("shows no secret in the edge", async () => {
      const edge = await edgeOf();
      assert.doesNotMatch(JSON.stringify(await edge.inspect()), new RegExp(life().secret));
    });

    it("keeps the current image and as many earlier ones as configured", async () => {
      const { stack, url, push } = life();
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
      assert.equal((await ask(url)).version, "4");
      const images = await localImages(stack.project.name);
      assert.equal(images.length, 4, "two images, each with one earlier one");
    });

    it("repairs a route that was changed by hand", async () => {
      const { stack, url } = life();
      const edge = await edgeOf();
      const exec = await edge.exec({
        Cmd: ["/bin/sh", "-c", "for f in /routes/*; do echo nobody:1 > $f; done"],
      });
      await exec.start({ Detach: true });
      await stack.refresh();
      assert.deepEqual(await stack.changes(), ["update Route dev: upstreams"]);
      await stack.up();
      assert.equal((await ask(url)).status, 200);
    });

    it("has a volume, which is written to", async () => {
      const { stack, url } = life();
      const [client = ""] = await stack.ids("client");
      const exec = await docker
        .getContainer(client)
        .exec({ Cmd: ["/bin/sh", "-c", "echo kept > /data/note"], AttachStdout: true });
      await new Promise((resolve) => exec.start({}).then((stream) => stream.on("end", resolve).resume()));
      assert.equal((await ask(url, note)).said, "kept\n");
    });
  },
  destroyed: async ({ stack: { project } }) => {
    const { Volumes } = await docker.listVolumes();
    const volumes = Volumes.map(({ Name }) => Name).filter((name) => name.startsWith(project.name));
    assert.deepEqual(volumes, [`${project.name}-dev-data`]);
    assert.deepEqual(await localImages(project.name), []);
  },
  after: (life) => {
    it("finds its volumes again", async () => {
      assert.equal((await ask(life().url, note)).said, "kept\n");
    });
  },
});
