// Candidates that fail, each in its own way: the old one serves throughout, the error says why, and moving the tag back
// is all it takes.
import assert from "node:assert/strict";
import { becomes, type Engine } from "../e2e/engine";
import { ask, Project, type Stack } from "../e2e/harness";
import { type AppImage, pushIndexOf, registry, unpublish } from "../e2e/images";

/** Rolls to an image that fails, and gives back what the user is told. */
export type Fail = (app: Partial<AppImage>, more?: object) => Promise<string>;

interface Own {
  /** What it says of an image whose command is not there. */
  noCommand: RegExp;
  /** What it says of an image of which a layer is missing. */
  unpullable: RegExp;
  /** Tests of what only this engine does. */
  more?: (fail: Fail) => void;
}

export function describeFailing(engine: Engine, own: Own): void {
  describe(`A candidate that fails on ${engine.title}`, function () {
    this.timeout(600_000);

    const project = new Project(["app"], engine);
    const repository = `${registry}/${project.repository("app")}`;
    const secret = "pass phrase & co";
    let stack: Stack;
    let port: number;
    let url: string;
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
    const rollout = (deadline: string) => ({ deadline, drain: "1s", soak: "0s" });

    before(async () => {
      port = await engine.freePort();
      url = engine.url(port);
      await project.push("app", { version: "good" }, "dev", "good");
      stack = await project.stack("dev", { services: service(), rollout: rollout("30s") });
      await stack.setSecret("TOKEN", secret);
      await stack.up();
      stack.configure({ rollout: rollout("3s") });
      serving = await stack.ids();
    });
    after(() => project.close());

    async function fail(app: Partial<AppImage>, more: object = {}): Promise<string> {
      await project.push("app", { version: "bad", ...app }, "dev");
      stack.configure({ services: service(more) });
      const output = await stack.upFails();
      assert.deepEqual(await ask(url), { ...(await ask(url)), status: 200, version: "good" });
      for (const id of serving) assert((await stack.ids()).includes(id), "the old one is still there");
      return output;
    }

    it("never becomes healthy: the last answer is told, and the time it had", async () => {
      const output = await fail({ env: { UNHEALTHY: "1" } });
      assert.match(output, new RegExp(`service app: .* ${engine.late("3s")}`));
    });

    it("is too slow to become healthy", async () => {
      const output = await fail({ env: { HEALTHY_AFTER_MS: "60000" } });
      assert.match(output, new RegExp(engine.late("3s")));
    });

    it("exits: code and last lines are told at once", async () => {
      const output = await fail({ env: { SAYS: "no database at db:5432", EXIT_CODE: "7" } });
      assert.match(output, /service app: .* exited with code 7/);
      assert.match(output, /its last lines:\n\s+\| no database at db:5432/);
      assert(output.includes(`image ${repository}@sha256:`));
    });

    it("prints a secret before it exits: the secret is not shown", async () => {
      const output = await fail({ command: ["sh", "-c", 'echo "token is $TOKEN"; exit 4'] });
      assert.match(output, /exited with code 4/);
      assert(!output.includes(secret), output);
    });

    it("has a command that is not there", async () => {
      assert.match(await fail({ command: ["no-such-program"] }), own.noCommand);
    });

    it("writes to a root file system that is read-only: the hint names the way out", async () => {
      const output = await fail({ env: { WRITES: "/state" } });
      assert.match(output, /EROFS/);
      assert.match(output, /hint: the root file system is read-only: .*readOnly: false/);
    });

    it("cannot be pulled as a whole", async () => {
      const before = await stack.ids();
      assert.match(await fail({ lostLayer: true }), own.unpullable);
      if (engine.pullsFirst) assert.deepEqual(await stack.ids(), before);
    });

    own.more?.(fail);

    it("is an index that lost the image it leads to: told in a preview too", async () => {
      const digest = await project.push("app", { version: "lost" });
      await pushIndexOf(project.repository("app"), digest, "dev");
      await unpublish(project.repository("app"), digest);
      assert.match(await stack.previewFails(), /tagalong:images\.app: .*the registry has no such/);
    });

    it("is for another platform: told in a preview too, before anything is touched", async () => {
      const before = await stack.ids();
      await project.push("app", { version: "s390x", architecture: "s390x" }, "dev");
      const reason = /has no image for linux\/\w+, which \w+ .*; it has linux\/s390x/;
      assert.match(await stack.previewFails(), reason);
      assert.match(await stack.upFails(), reason);
      assert.deepEqual(await stack.ids(), before);
    });

    it("leaves nothing behind once the tag is moved back: what served was never touched", async () => {
      await project.push("app", { version: "good" }, "dev");
      stack.configure({ services: service() });
      await stack.up();
      await becomes(engine, () => stack.ids(), serving);
      assert.deepEqual(await stack.changes(), []);
      assert.equal((await ask(url)).version, "good");
    });
  });
}
