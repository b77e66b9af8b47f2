// Promotion by editing a line, with the plain `pulumi` command line: what the config names is what the tags carry and what
// runs, what may not run is refused before anything is touched, and a release that fails leaves the old one serving.
import assert from "node:assert/strict";
import { becomes, type Engine } from "../e2e/engine";
import { Promoting } from "./promoting";

type More = (given: Promoting) => void;

/** Further tests, each where it finds what it needs. */
interface Own {
  /** 1.1.0 runs. */
  refusals?: More;
  /** A release is named that may not run; 1.1.0 runs. */
  moved?: More;
  /** 2.0.0 is rejected, and named. */
  failed?: More;
  /** 2.1.0 is rejected, and named; 1.1.0 runs again, and is to be named in the end. */
  soaked?: More;
  /** 1.0.0 runs. */
  held?: More;
}

export function describePromotion(engine: Engine, own: Own = {}): void {
  describe(`A release that the config names on ${engine.title}`, function () {
    this.timeout(600_000);

    const given = new Promoting(engine);

    before(async () => {
      await given.push("1.0.0");
      await given.push("1.1.0");
      await given.push("2.0.0", { server: { env: { UNHEALTHY: "1" } } });
      await given.open("1.0.0");
    });
    after(() => given.close());

    it("makes a new environment, by tags of its own that carry the release's digests", async () => {
      await given.stack.up();
      assert.deepEqual(await given.carried(), given.release("1.0.0"));
      await given.serves("1.0.0");
      const running = await engine.running(given.stack, "server");
      assert.deepEqual(
        running.map(({ digest }) => digest),
        [given.release("1.0.0")["server"]],
      );
    });

    it("has a verdict on each image and a receipt of the roll, with the time of each step", async () => {
      const [receipt, ...others] = await given.ledger.receipts();
      assert(receipt);
      assert.deepEqual(others, []);
      const { trigger, via, release: named, outcome, images } = receipt;
      assert.deepEqual([trigger, via, named, outcome], ["config", "up", "1.0.0", "healthy"]);
      const to = Object.entries(given.release("1.0.0")).map(([image, digest]) => [
        image,
        { to: digest, version: "1.0.0" },
      ]);
      assert.deepEqual(images, Object.fromEntries(to));
      // The old ones are deleted after all else: nobody of ours is there any more.
      const steps = engine.steps.filter((hop) => hop !== "drained");
      const reached = steps.map((hop) => receipt.hops[hop] ?? "");
      assert.deepEqual(reached, [...reached].sort());
      assert(reached.every((time) => time !== ""));
      for (const [image, digest] of Object.entries(given.release("1.0.0"))) {
        const { healthy, rejected } = await given.ledger.findings(image, digest);
        assert.equal(healthy?.receipt, receipt.id);
        assert.equal(rejected, undefined);
      }
    });

    it("previews a promotion with the evidence for it, and touches nothing", async () => {
      const [tags, ids] = [await given.carried(), await given.stack.ids()];
      given.promote("1.1.0");
      const { output } = await given.stack.run("preview", "-s", "test");
      for (const image of given.project.images) {
        const [from, to] = [given.release("1.0.0")[image], given.release("1.1.0")[image]];
        assert.match(output, new RegExp(`${image}: \\S+:test moves from ${from} to ${to}`));
        const short = (digest = "") => digest.slice(0, 19);
        const row = `${image} +1\\.0\\.0 \\(${short(from)}\\) +1\\.1\\.0 \\(${short(to)}\\) +linux/\\S+`;
        assert.match(output, new RegExp(`${row}.* none in test yet`));
      }
      assert.match(output, /commits of \S+, \S+: not known, since neither image says which commit it is of/);
      assert.deepEqual([await given.carried(), await given.stack.ids()], [tags, ids]);
    });

    it("does what was previewed, and nothing but that", async () => {
      const previewed = (await given.stack.changes()).map((change) => change.replace(/:.*/, "")).sort();
      const { output } = await given.stack.up();
      const done = previewed.map((change) => change.split(" ")[0] ?? "");
      const summary = /Resources:\n([\s\S]*?)\n\n/.exec(output)?.[1] ?? "";
      for (const op of ["create", "update", "delete"]) {
        const said = Number(new RegExp(`(\\d+) ${op}d`).exec(summary)?.[1] ?? 0);
        assert.equal(said, done.filter((one) => one === op).length, summary);
      }
      assert.deepEqual(await given.carried(), given.release("1.1.0"));
      await given.serves("1.1.0");
      assert.deepEqual(await given.stack.changes(), []);
    });

    own.refusals?.(given);

    it("is refused where the engine does not run its platform, before a tag moves", async () => {
      await given.push("3.0.0", { client: { architecture: "s390x" } });
      given.promote("3.0.0");
      await given.refused(
        /client@sha256:\w+ has no image for linux\/\w+, which this engine runs; it has linux\/s390x/,
      );
    });

    own.moved?.(given);

    it("fails, leaves the old one serving, and is not tried again by anybody who has the registry alone", async () => {
      const serving = await given.stack.ids("server");
      given.promote("2.0.0");
      assert.match(
        await given.stack.upFails(),
        new RegExp(`service server: .* ${engine.late(engine.deadline)}`),
      );
      await given.serves("1.1.0");
      for (const id of serving) assert((await given.stack.ids()).includes(id));
      const [receipt] = await given.ledger.receipts();
      assert.equal(receipt?.outcome, "rejected");
      assert.match(receipt?.reason ?? "", /^server: .* was not (healthy|ready)/);
      assert.equal(receipt?.images["server"]?.from, given.release("1.1.0")["server"]);
      const findings = await given.ledger.findings("server", given.release("2.0.0")["server"] ?? "");
      assert.equal(findings.rejected?.receipt, receipt?.id);
      assert.deepEqual(await given.ledger.findings("client", given.release("2.0.0")["client"] ?? ""), {});

      const output = await given.refused(
        /test does not take the release 2\.0\.0:\n.*server: rejected in test at/,
      );
      assert.match(output, /tagalong override test \S*--image server@sha256:\w+/);
      // Another machine, whose state has nothing of it.
      const elsewhere = given.project.again("test");
      await elsewhere.run("stack", "init", "test");
      assert.match(await elsewhere.previewFails(), /server: rejected in test at/);
      await given.serves("1.1.0");
    });

    own.failed?.(given);

    it("is gone back from by undoing the edit: what served was never touched", async () => {
      const [serving, receipts] = [await given.stack.ids("server"), await given.ledger.receipts()];
      given.promote("1.1.0");
      await given.stack.up();
      assert.deepEqual(await given.carried(), given.release("1.1.0"));
      await becomes(engine, async () => (await given.stack.ids("server")).length, 1);
      const [left = ""] = await given.stack.ids("server");
      assert(serving.includes(left));
      assert.deepEqual(await given.stack.changes(), []);
      // Where what the new one needed was made beside the old one, nothing has rolled, so there is nothing to tell.
      if (engine.switchesAtOnce) assert.deepEqual(await given.ledger.receipts(), receipts);
    });

    it("loses the traffic again when it turns unhealthy in its soak time", async () => {
      const before = await given.stack.ids("server");
      given.configure({ soak: "30s" });
      await given.push("2.1.0");
      given.promote("2.1.0");
      const { done } = given.stack.start("up", "--yes", "--skip-preview", "-s", "test");
      await given.live("2.1.0");
      await given.sicken("2.1.0");
      const { code, output } = await done;
      assert.notEqual(code, 0);
      assert.match(
        output,
        new RegExp(`service server: .* turned unhealthy after the switch: ${engine.sick}`),
      );
      assert.match(output, /(the traffic goes|rolled back) to what served before/);
      await given.serves("1.1.0");
      if (engine.switchesAtOnce)
        for (const id of before) assert((await given.stack.ids("server")).includes(id));
      assert.equal((await given.ledger.receipts())[0]?.outcome, "rejected");
      given.configure();
      assert.match(await given.stack.previewFails(), /server: rejected in test at/);
    });

    own.soaked?.(given);

    it("is refused while the environment is held, and goes when that is lifted", async () => {
      await given.ledger.setHold({ at: new Date().toISOString(), by: "ada@build-7", reason: "freeze" });
      assert.deepEqual(await given.stack.changes(), []);
      given.promote("1.0.0");
      await given.refused(
        /test is held since \S+ by ada@build-7: freeze; lift that with `tagalong resume test`/,
      );
      await given.ledger.liftHold("ada@build-7");
      await given.stack.up();
      await given.serves("1.0.0");
    });

    own.held?.(given);

    it("leaves its tags where they are when the environment goes, and says why", async () => {
      given.promote("1.0.0");
      await given.stack.up();
      const { output } = await given.stack.destroy();
      assert.match(
        output,
        /client:test, \S+\/server:test stay as they are: other environments and whoever pulls/,
      );
      assert.deepEqual(await given.carried(), given.release("1.0.0"));
      await becomes(engine, () => engine.left(given.stack), []);
    });
  });
}
