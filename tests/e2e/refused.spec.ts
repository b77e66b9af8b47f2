// What belongs to somebody else is refused by name, in a preview as in an update, before anything is made or changed.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { ask, docker, freePort, localImages, Project, removeContainer, type Stack } from "./harness";
import { edgeImage } from "./images";

describe("What is not the environment's own", function () {
  this.timeout(600_000);

  const project = new Project(["app"]);
  const prefix = `${project.name}-dev`;
  const taken: { containers: string[]; server?: Server } = { containers: [] };
  let stack: Stack;
  let [port, held, listened]: number[] = [];

  before(async () => {
    [port, held, listened] = [await freePort(), await freePort(), await freePort()];
    await project.push("app", { version: "1" }, "dev");
    const service = (publish: number | undefined) => ({ image: "app", port: 8080, publish });
    stack = await project.stack("dev", {
      services: {
        one: { ...service(port), volumes: { data: "/data" } },
        two: service(held),
        three: service(listened),
      },
    });
  });
  after(async () => {
    taken.server?.close();
    for (const id of taken.containers) await removeContainer(id);
    const foreign = await docker.listNetworks({ filters: { name: [prefix] } });
    for (const { Id } of foreign) await docker.getNetwork(Id).remove();
    for (const name of [`${prefix}-data`]) await docker.getVolume(name).remove({ force: true });
    await project.close();
  });

  const foreignContainer = async (options: object): Promise<void> => {
    const { id } = await docker.createContainer({ Image: edgeImage, Cmd: ["sleep", "600"], ...options });
    taken.containers.push(id);
    await docker.getContainer(id).start();
  };

  it("is refused all at once, each with what to do about it, and nothing is made", async () => {
    await docker.createNetwork({ Name: prefix });
    await docker.createVolume({ Name: `${prefix}-data` });
    await docker.pull(edgeImage).then((stream) => new Promise((done) => stream.on("end", done).resume()));
    await foreignContainer({ name: `${prefix}-edge` });
    await foreignContainer({
      name: `${project.name}-holder`,
      HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: String(held) }] } },
      ExposedPorts: { "80/tcp": {} },
    });
    taken.server = createServer().listen(listened, "127.0.0.1");
    const expected = [
      `the network "${prefix}" exists and is not of this stack: rename the project or the stack, or remove it with \`docker network rm ${prefix}\``,
      `the container "${prefix}-edge" exists and is not of this stack: rename the project or the stack, or remove it with \`docker rm -f ${prefix}-edge\``,
      `the volume "${prefix}-data" exists and is not of this environment: rename the volume in tagalong:services, or move its data away and remove it with \`docker volume rm ${prefix}-data\``,
      `tagalong:services.two.publish: 127.0.0.1:${held} is taken by the container "${project.name}-holder": publish another port, or stop that container`,
      `tagalong:services.three.publish: 127.0.0.1:${listened} is taken by a process on this machine: publish another port, or stop that process`,
    ];
    for (const output of [await stack.previewFails(), await stack.upFails()]) {
      for (const line of expected) assert(output.includes(line), `${line}\nis missing in\n${output}`);
    }
    assert.deepEqual(await stack.ids(), []);
    assert.deepEqual(await localImages(project.name), []);
  });

  it("is refused as the environment of another state, which goes on serving", async () => {
    const other = new Project(["app"]);
    try {
      await other.push("app", { version: "1" }, "dev");
      const first = await other.stack("dev", {
        services: { app: { image: "app", port: 8080, publish: port } },
      });
      await first.up();
      const before = await first.ids();
      const again = other.again("dev");
      await again.run("stack", "init", "dev");
      for (const output of [await again.previewFails(), await again.upFails()])
        assert.match(
          output,
          new RegExp(
            `the environment ${other.name}/dev is on this engine already \\(.*\\), made from another state`,
          ),
        );
      assert.deepEqual(await first.ids(), before);
      assert.equal((await ask(port ?? 0)).version, "1");
    } finally {
      await other.close();
    }
  });

  it("is told apart by its claim: the same port at another address is no conflict with itself", async () => {
    const own = new Project(["app"]);
    try {
      await own.push("app", { version: "1" }, "dev");
      const one = await own.stack("dev", { services: { app: { image: "app", port: 8080, publish: port } } });
      await one.up();
      one.configure({ services: { app: { image: "app", port: 8080, publish: `0.0.0.0:${port}` } } });
      await one.up();
      assert.equal((await ask(port ?? 0)).version, "1");
      one.configure({ services: { app: { image: "app", port: 8080, publish: `198.51.100.1:${port}` } } });
      assert.match(
        await one.previewFails(),
        /publish: this machine has no address 198\.51\.100\.1: publish on/,
      );
      assert.equal((await ask(port ?? 0)).version, "1");
    } finally {
      await own.close();
    }
  });

  it("is another engine than the one that the environment is on", async () => {
    const own = new Project(["app"]);
    try {
      await own.push("app", { version: "1" }, "dev");
      const moved = await own.stack("dev", { services: { app: { image: "app" } } });
      await moved.up();
      const { text, resources } = await moved.exportState();
      const engine = resources.find(({ type }) => type === "tagalong:index:Claim")?.outputs?.["engine"];
      writeFileSync(join(own.folder, "state.json"), text.replaceAll(String(engine), "another"));
      await moved.run("stack", "import", "-s", "dev", "--file", "state.json");
      for (const output of [await moved.previewFails(), await moved.upFails()])
        assert.match(
          output,
          /is on another Docker engine than the one at this machine's socket: set DOCKER_HOST as it was/,
        );
    } finally {
      await own.close();
    }
  });

  it("is no engine at all: the error names where it was looked for", async () => {
    stack.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
    for (const output of [await stack.previewFails(), await stack.upFails()])
      assert.match(
        output,
        /no Docker engine answers at unix:\/\/\/nowhere\/docker\.sock \(.*ENOENT.*\): start it/,
      );
    delete stack.env["DOCKER_HOST"];
  });
});
