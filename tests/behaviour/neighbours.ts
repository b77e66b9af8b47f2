// Environments of one project side by side on one engine, on one tag and on others of the same image.
import assert from "node:assert/strict";
import { becomes, type Engine } from "../e2e/engine";
import { ask, Project, type Stack } from "../e2e/harness";

export type Stacks = Record<"dev" | "twin" | "test", Stack>;

interface Own {
  /** What the service has in its config beside the rest. */
  service?: object;
  /** Tests of what only this engine does, after `dev` has rolled. */
  more?: (project: Project, stacks: () => Stacks) => void;
  /** What stays of an environment that is gone. */
  gone?: (project: Project) => Promise<void>;
}

export function describeNeighbours(engine: Engine, own: Own = {}): void {
  describe(`Environments side by side on ${engine.title}`, function () {
    this.timeout(600_000);

    const tags = { dev: "dev", twin: "dev", test: "test" };
    const project = new Project(["app"], engine);
    const stacks: Partial<Stacks> = {};
    const urls: Partial<Record<keyof Stacks, string>> = {};
    const of = (name: keyof Stacks) => stacks[name] as Stack;
    const serves = (name: keyof Stacks, version: string) =>
      becomes(engine, async () => (await ask(urls[name] ?? "")).version, version);

    before(async () => {
      await project.push("app", { version: "1" }, "dev", "test");
      for (const name of ["dev", "twin", "test"] as const) {
        const port = await engine.freePort();
        const services = { app: { image: "app", port: 8080, publish: port, ...own.service } };
        const rollout = { keep: 1, drain: "1s", soak: "0s" };
        stacks[name] = await project.stack(name, { tag: tags[name], services, rollout });
        urls[name] = engine.url(port);
      }
      await Promise.all(Object.values(stacks).map((stack) => stack.up()));
    });
    after(() => project.close());

    it("each serve their own, under the same names", async () => {
      const hosts = await Promise.all(Object.values(urls).map(async (url) => (await ask(url)).host));
      assert.equal(new Set(hosts).size, 3);
      for (const name of ["dev", "twin", "test"] as const) await serves(name, "1");
    });

    it("roll each by its own tag, and leave alone what the others run", async () => {
      const before = [...(await of("test").ids()), ...(await of("twin").ids())];
      const digest = await project.push("app", { version: "2" }, "dev");
      await of("dev").up();
      await serves("dev", "2");
      await serves("twin", "1");
      assert.deepEqual([...(await of("test").ids()), ...(await of("twin").ids())], before);
      assert.deepEqual(await of("test").changes(), []);
      const { output } = await of("twin").run("preview", "-s", "twin");
      assert(output.includes(digest), output);
    });

    own.more?.(project, () => ({ dev: of("dev"), twin: of("twin"), test: of("test") }));

    it("go without taking anything of the others", async () => {
      const before = await of("test").ids();
      await of("dev").destroy();
      await becomes(engine, () => engine.left(of("dev")), []);
      assert.deepEqual(await of("test").ids(), before);
      await serves("test", "1");
      await serves("twin", "1");
      assert.deepEqual(await of("test").changes(), []);
      await own.gone?.(project);
    });
  });
}
