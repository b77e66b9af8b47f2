// Two environments on one engine, each with a watcher of its own, following two tags of one image.
import assert from "node:assert/strict";
import { join } from "node:path";
import { ask, freePort, Project, type Stack } from "./harness";
import { Watching } from "./watching";

describe("Two watchers of two environments on one engine", function () {
  this.timeout(600_000);

  const project = new Project(["server"]);
  const ports: Record<string, number> = {};
  const stacks: Record<string, Stack> = {};
  const watchers: Record<string, Watching> = {};
  const names = ["dev", "test"];
  const of = <T>(record: Record<string, T>, name: string): T => {
    const one = record[name];
    assert(one !== undefined);
    return one;
  };

  before(async () => {
    await project.push("server", { version: "1" }, ...names);
    for (const name of names) {
      const port = await freePort();
      ports[name] = port;
      stacks[name] = await project.stack(name, {
        services: { server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" } } },
        rollout: { deadline: "20s", drain: "1s", interval: "1s", settle: "200ms", soak: "500ms" },
      });
    }
    for (const name of names) watchers[name] = new Watching(of(stacks, name));
    await Promise.all(names.map((name) => of(watchers, name).next("healthy")));
  });
  after(async () => {
    for (const watching of Object.values(watchers)) await watching.end();
    await project.close();
  });

  const versions = () => Promise.all(names.map(async (name) => (await ask(of(ports, name))).version));

  it("roll at the same time, each to its own tag", async () => {
    await Promise.all(names.map((name) => project.push("server", { version: `2-${name}` }, name)));
    await Promise.all(names.map((name) => of(watchers, name).next("healthy")));
    assert.deepEqual(await versions(), ["2-dev", "2-test"]);
  });

  it("leave each other's alone when one fails, is killed and comes back", async () => {
    const ids = await of(stacks, "test").ids();
    await project.push("server", { version: "bad", env: { EXIT_CODE: "1" } }, "dev");
    await of(watchers, "dev").next("returned");
    await project.push("server", { version: "3", env: { HEALTHY_AFTER_MS: "1000" } }, "dev");
    await of(watchers, "dev").next("rolling");
    await of(watchers, "dev").powerCut();
    watchers["dev"] = new Watching(of(stacks, "dev"));
    await of(watchers, "dev").next("healthy");
    assert.deepEqual(await versions(), ["3", "2-test"]);
    assert.deepEqual(await of(stacks, "test").ids(), ids);
    assert.equal(of(watchers, "test").count("rolling"), 2);
    for (const name of names) await of(watchers, name).stop();
  });

  it("do no harm when both are of one environment by mistake, on two machines", async () => {
    const stack = of(stacks, "dev");
    // What one watcher of a machine knows of another is in this folder.
    const machines = ["one", "two"].map((folder) => join(stack.project.folder, folder));
    const both = machines.map((folder) => new Watching(stack, { env: { XDG_STATE_HOME: folder } }));
    for (const [index, watching] of both.entries()) watchers[`machine ${index}`] = watching;
    await Promise.all(both.map((watching) => watching.next("watching")));
    await project.push("server", { version: "4" }, "dev");
    const outputs = () => both.map(({ output }) => output).join("\n");
    const heard = async (event: string) => {
      for (let left = 400; !both.some((watching) => watching.count(event) > 0); left -= 1) {
        assert(left > 0, `neither says "${event}":\n${outputs()}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await heard("healthy");
    assert.equal((await ask(of(ports, "dev"))).version, "4");
    const bad = await project.push("server", { version: "bad", env: { EXIT_CODE: "2" } }, "dev");
    await heard("rejected");
    // Whichever of them it is that tidies up.
    for (let left = 600; (await stack.ids("server")).length !== 1; left -= 1) {
      assert(left > 0, `a container of the rejected image stays:\n${outputs()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal((await ask(of(ports, "dev"))).version, "4", both.map(({ output }) => output).join("\n"));
    assert.equal((await stack.ids("server")).length, 1);
    const rejections = both.flatMap(({ said }) => said).filter(({ event }) => event === "rejected");
    assert(
      rejections.every((line) => JSON.stringify(line).includes(bad)),
      outputs(),
    );
    assert(
      both.every((watching) => watching.count("rejected") <= 1),
      outputs(),
    );
    for (const watching of both) await watching.stop();
  });
});
