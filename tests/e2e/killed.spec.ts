// An update that is killed, with all that it had started: whoever comes next finds out what is true and goes on from
// there. The watcher does these steps by itself; here they are done by hand.
import assert from "node:assert/strict";
import { removeOrphans } from "../../provider/docker/claim";
import { ask, docker, freePort, Project, type Stack, startTraffic } from "./harness";

/** What the engine says when the moment has come to kill it. */
const moments = {
  "while the network is made": /Network dev creating/,
  "while the edge is made": /Container dev-edge creating/,
  "while the gate waits": /Gate dev creating/,
};
const rollMoments = {
  "while the new container is made": /Container \S+-dev-app-\S+ creating/,
  "while the gate waits": /Gate dev updating/,
  "when the traffic has moved": /Route dev updated/,
  "while the old container goes": /Container \S+-dev-app-\S+ deleting/,
};

describe("An update that is killed", function () {
  this.timeout(600_000);

  const project = new Project(["app"]);
  let stack: Stack;
  let port: number;
  let version = 0;

  before(async () => {
    port = await freePort();
    stack = await project.stack("dev", {
      services: { app: { image: "app", port: 8080, publish: port, health: { path: "/healthz" } } },
      rollout: { drain: "2s", soak: "0s" },
    });
  });
  after(() => project.close());

  const push = async (): Promise<string> => {
    version += 1;
    await project.push("app", { version: String(version), env: { HEALTHY_AFTER_MS: "500" } }, "dev");
    return String(version);
  };

  /** Starts an update and kills it as soon as it says the words. */
  async function killAt(words: RegExp): Promise<void> {
    const { child, done } = stack.start("up", "--yes", "--skip-preview", "-s", "dev");
    let text = "";
    child.stdout?.on("data", (chunk: string) => {
      text += chunk;
      if (words.test(text)) stack.kill();
    });
    const { output, code } = await done;
    assert.equal(code, null, `it was not killed: ${output}`);
  }

  async function recover(): Promise<void> {
    await stack.cancel();
    await stack.refresh("--clear-pending-creates");
    const { resources } = await stack.exportState();
    const claim = resources.find(({ type }) => type === "tagalong:index:Claim")?.outputs?.["claim"];
    const known = new Set(resources.map(({ id }) => id ?? ""));
    if (claim) await removeOrphans(docker, String(claim), known, () => {});
  }

  async function converged(wanted: string): Promise<void> {
    assert.equal((await ask(port)).version, wanted);
    assert.equal((await stack.ids("app")).length, 1);
    assert.equal((await stack.ids()).length, 2);
    assert.deepEqual(await stack.changes(), []);
  }

  for (const [moment, words] of Object.entries(moments)) {
    it(`comes up ${moment} the first time`, async () => {
      const wanted = await push();
      await killAt(words);
      await recover();
      await stack.up();
      await converged(wanted);
      await stack.destroy();
    });
  }

  it("recovers what it made and no state knows", async () => {
    const wanted = await push();
    await stack.up();
    const { resources } = await stack.exportState();
    const network = resources.find(({ type }) => type === "docker:index/network:Network");
    await stack.run("state", "delete", network?.urn ?? "", "--target-dependents", "--yes", "-s", "dev");
    await recover();
    await stack.up();
    await converged(wanted);
  });

  it("is destroyed as a whole, with what no state knows", async () => {
    const [known = ""] = await stack.ids("app");
    const { Config, HostConfig } = await docker.getContainer(known).inspect();
    const { id } = await docker.createContainer({ ...Config, HostConfig });
    await docker.getContainer(id).start();
    await stack.destroy();
    assert.deepEqual(await stack.ids(), []);
    const left = (await docker.listNetworks()).filter(({ Name }) => Name.startsWith(project.name));
    assert.deepEqual(left, []);
  });

  it("never touches what serves, wherever a roll is cut", async () => {
    await push();
    await stack.up();
    const traffic = await startTraffic({ url: `http://127.0.0.1:${port}`, rate: 40, slowMs: 500 });
    let wanted = "";
    for (const words of Object.values(rollMoments)) {
      wanted = await push();
      await killAt(words);
      await recover();
      await stack.up();
      assert.equal((await ask(port)).version, wanted);
    }
    assert.deepEqual((await traffic.stop()).samples, []);
    await converged(wanted);
  });
});
