// Environments of one project side by side on one engine, on one tag and on others of the same image.
import assert from "node:assert/strict";
import { ask, docker, freePort, Project, type Stack } from "./harness";

describe("Environments side by side", function () {
  this.timeout(600_000);

  const project = new Project(["app"]);
  const stacks: Record<string, { stack: Stack; port: number }> = {};
  const of = (name: string) => stacks[name] as { stack: Stack; port: number };

  before(async () => {
    await project.push("app", { version: "1" }, "dev", "test");
    for (const [name, tag] of Object.entries({ dev: "dev", twin: "dev", test: "test" })) {
      const port = await freePort();
      const services = { app: { image: "app", port: 8080, publish: port, volumes: { data: "/data" } } };
      const stack = await project.stack(name, {
        tag,
        services,
        rollout: { keep: 1, drain: "1s", soak: "0s" },
      });
      stacks[name] = { stack, port };
    }
    await Promise.all(Object.values(stacks).map(({ stack }) => stack.up()));
  });
  after(() => project.close());

  it("each serve their own, under the same names", async () => {
    const hosts = await Promise.all(Object.values(stacks).map(async ({ port }) => (await ask(port)).host));
    assert.equal(new Set(hosts).size, 3);
    for (const { port } of Object.values(stacks)) assert.equal((await ask(port)).version, "1");
  });

  it("roll each by its own tag, and leave the others' containers alone", async () => {
    const before = [...(await of("test").stack.ids()), ...(await of("twin").stack.ids())];
    await project.push("app", { version: "2" }, "dev");
    await of("dev").stack.up();
    assert.equal((await ask(of("dev").port)).version, "2");
    assert.equal((await ask(of("twin").port)).version, "1");
    assert.deepEqual([...(await of("test").stack.ids()), ...(await of("twin").stack.ids())], before);
    assert.deepEqual(await of("test").stack.changes(), []);
    const twin = await of("twin").stack.changes();
    assert(
      twin.some((line) => line.startsWith("update Image twin-app: reference")),
      twin.join("\n"),
    );
  });

  it("keep an image that another one runs, however often they roll themselves", async () => {
    for (const version of ["3", "4"]) {
      await project.push("app", { version }, "dev");
      await of("dev").stack.up();
    }
    const { resources } = await of("test").stack.exportState();
    const image = resources.find(
      ({ type, urn }) => type === "tagalong:index:Image" && urn.endsWith("::test-app"),
    );
    const local = await project.localImages();
    assert(local.includes(String(image?.outputs?.["pinned"])), local.join("\n"));
  });

  it("go without taking anything of the others", async () => {
    const before = await of("test").stack.ids();
    await of("dev").stack.destroy();
    assert.deepEqual(await of("dev").stack.ids(), []);
    assert.deepEqual(await of("test").stack.ids(), before);
    assert.equal((await ask(of("test").port)).version, "1");
    assert.equal((await ask(of("twin").port)).version, "1");
    assert.deepEqual(await of("test").stack.changes(), []);
    const { Volumes } = await docker.listVolumes();
    const names = Volumes.map(({ Name }) => Name);
    for (const name of ["dev", "twin", "test"]) assert(names.includes(`${project.name}-${name}-data`));
  });
});
