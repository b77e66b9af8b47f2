// Candidates that fail, each in its own way: the old one serves throughout, the error says why, and moving the tag back
// is all it takes.
import assert from "node:assert/strict";
import { ask, freePort, Project, type Stack } from "./harness";
import type { AppImage } from "./images";
import { pushIndexOf, registry, unpublish } from "./images";

describe("A candidate that fails", function () {
  this.timeout(600_000);

  const project = new Project(["app"]);
  const repository = `${registry}/${project.repository("app")}`;
  const secret = "pass phrase & co";
  let stack: Stack;
  let port: number;
  let serving: string[];
  const service = (more: object = {}) => ({
    app: {
      image: "app",
      port: 8080,
      publish: port,
      health: { path: "/healthz" },
      secrets: ["TOKEN"],
      ...more,
    },
  });

  before(async () => {
    port = await freePort();
    await project.push("app", { version: "good" }, "dev", "good");
    stack = await project.stack("dev", {
      services: service(),
      rollout: { deadline: "3s", drain: "1s", soak: "0s" },
    });
    await stack.setSecret("TOKEN", secret);
    await stack.up();
    serving = await stack.ids();
  });
  after(() => project.close());

  /** Rolls to an image that fails, and gives back what the user is told. */
  async function fail(app: Partial<AppImage>, more: object = {}): Promise<string> {
    await project.push("app", { version: "bad", ...app }, "dev");
    stack.configure({ services: service(more) });
    const output = await stack.upFails();
    assert.deepEqual(await ask(port), { ...(await ask(port)), status: 200, version: "good" });
    for (const id of serving) assert((await stack.ids()).includes(id), "the old one is still there");
    return output;
  }

  it("never becomes healthy: the last answer is told, and the time it had", async () => {
    const output = await fail({ env: { UNHEALTHY: "1" } });
    assert.match(output, /service app: \S+-dev-app-\S+ was not healthy within 3\.0 s: 503 to GET \/healthz/);
  });

  it("is too slow to become healthy", async () => {
    assert.match(await fail({ env: { HEALTHY_AFTER_MS: "60000" } }), /was not healthy within 3\.0 s: 503/);
  });

  it("exits: code and last lines are told at once", async () => {
    const output = await fail({ env: { SAYS: "no database at db:5432", EXIT_CODE: "7" } });
    assert.match(output, /service app: \S+-dev-app-\S+ exited with code 7/);
    assert.match(output, /its last lines:\n\s+\| no database at db:5432/);
    assert(output.includes(`image ${repository}@sha256:`));
  });

  it("prints a secret before it exits: the secret is not shown", async () => {
    const output = await fail({ command: ["sh", "-c", 'echo "token is $TOKEN"; exit 4'] });
    assert.match(output, /exited with code 4/);
    assert(!output.includes(secret), output);
  });

  it("has a command that is not there", async () => {
    const output = await fail({ command: ["no-such-program"] });
    assert.match(output, /executable file not found/);
  });

  it("writes to a root file system that is read-only: the hint names the way out", async () => {
    const output = await fail({ env: { WRITES: "/state" } });
    assert.match(output, /EROFS/);
    assert.match(output, /hint: the root file system is read-only: .*readOnly: false/);
  });

  it("has a HEALTHCHECK that fails, or never ends", async () => {
    const without = { health: undefined };
    assert.match(
      await fail({ healthcheck: ["CMD-SHELL", "echo out of order; exit 1"] }, without),
      /its HEALTHCHECK ended with code 1: out of order/,
    );
    assert.match(
      await fail({ healthcheck: ["CMD", "sleep", "600"] }, without),
      /was not healthy within 3\.0 s: its HEALTHCHECK did not end/,
    );
  });

  it("cannot be pulled as a whole: told before anything is touched", async () => {
    const before = await stack.ids();
    const output = await fail({ lostLayer: true });
    assert.match(output, /@sha256:\w+ could not be pulled: .*unknown/);
    assert.deepEqual(await stack.ids(), before);
  });

  it("is an index that lost the image it leads to: told in a preview too", async () => {
    const digest = await project.push("app", { version: "lost" });
    await pushIndexOf(project.repository("app"), digest, "dev");
    await unpublish(project.repository("app"), digest);
    assert.match(await stack.previewFails(), /tagalong:images\.app: .*the registry has no such/);
  });

  it("is for another platform: told in a preview too, before anything is touched", async () => {
    const before = await stack.ids();
    await project.push("app", { version: "s390x", architecture: "s390x" }, "dev");
    const reason = /has no image for linux\/\w+, which this engine runs; it has linux\/s390x/;
    assert.match(await stack.previewFails(), reason);
    assert.match(await stack.upFails(), reason);
    assert.deepEqual(await stack.ids(), before);
  });

  it("leaves nothing behind once the tag is moved back: the old container was never touched", async () => {
    await project.push("app", { version: "good" }, "dev");
    stack.configure({ services: service() });
    await stack.up();
    assert.deepEqual(await stack.ids(), serving);
    assert.deepEqual(await stack.changes(), []);
    assert.equal((await ask(port)).version, "good");
  });
});
