// What the watcher finds out on a Docker engine, and what it goes by in an environment that comes after another.
import assert from "node:assert/strict";
import { Ledger } from "../../ledger";
import { parseReference, RegistryClient } from "../../registry";
import { describeRemembering } from "../behaviour/remembering";
import { onDocker, Project, type Stack } from "./harness";
import { registry } from "./images";
import { Watching } from "./watching";

describeRemembering(onDocker, { registry: true });

describe("An environment that comes after another", function () {
  this.timeout(600_000);

  const project = new Project(["server"]);
  const client = new RegistryClient();
  const server = parseReference(`${registry}/${project.repository("server")}`);
  const dev = new Ledger(client, "dev", { server });
  let stack: Stack;
  let watching: Watching;

  const configure = (rollout: object) =>
    stack.configure({
      rollout: {
        deadline: "20s",
        drain: "1s",
        interval: "1s",
        settle: "0s",
        soak: "0s",
        after: "dev",
        ...rollout,
      },
    });

  before(async () => {
    stack = await project.stack("test", {
      services: { server: { image: "server", port: 8080, health: { path: "/healthz" } } },
    });
    configure({ for: "1h" });
    watching = new Watching(stack);
  });
  after(async () => {
    await watching?.end();
    await project.close();
    await client.close();
  });

  it("waits until an image was well there, as long as the config says, and not for another move of its tag", async () => {
    const digest = await project.push("server", { version: "1" }, "test");
    await watching.next("moved");
    assert.match(
      (await watching.next("waiting")).message,
      /^server sha256:.*dev has not found it healthy yet/,
    );
    const by = "ada@laptop";
    const at = new Date().toISOString();
    await dev.judge("server", digest, {
      outcome: "healthy",
      at,
      reason: "",
      configuration: "c",
      by,
      receipt: "",
    });
    assert.match(
      (await watching.next("waiting")).message,
      /healthy in dev since .*, which is not 1 h yet; wait until/,
    );
    configure({});
    await watching.next("healthy");
  });

  it("refuses what was rejected there", async () => {
    const digest = await project.push("server", { version: "2" });
    const [at, by] = [new Date().toISOString(), "ada@laptop"];
    const verdict = {
      outcome: "rejected",
      at,
      reason: "too slow",
      configuration: "c",
      by,
      receipt: "",
    } as const;
    await dev.judge("server", digest, verdict);
    await project.push("server", { version: "2" }, "test");
    assert.match((await watching.next("refused")).message, /rejected in dev at .*: too slow/);
    assert.equal(watching.count("rolling"), 1);
    await watching.stop();
  });
});
