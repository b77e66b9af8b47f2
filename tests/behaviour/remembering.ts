// What the watcher finds out lasts: it is in the registry beside the image, for whoever comes next, from wherever.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ledger } from "../../ledger";
import { parseReference, RegistryClient } from "../../registry";
import type { Receipt } from "../../rollout/record";
import { becomes, type Engine } from "../e2e/engine";
import { ask, Project, type Stack, sicken } from "../e2e/harness";
import { registry } from "../e2e/images";
import { Watching } from "../e2e/watching";
import { type FaultyRegistry, give, startFaultyRegistry } from "../integration/registry/faulty";

interface Options {
  /** Whether the registry fails on the way, too: no engine has a part in that. */
  registry: boolean;
}

export function describeRemembering(engine: Engine, options: Options): void {
  describe(`What a watcher finds out on ${engine.title}`, function () {
    this.timeout(600_000);

    const project = new Project(["server"], engine);
    const elsewhere = mkdtempSync(join(tmpdir(), `${project.name}-elsewhere-`));
    const client = new RegistryClient();
    const repository = project.repository("server");
    const server = parseReference(`${registry}/${repository}`);
    const ledger = new Ledger(client, "dev", { server });
    let proxy: FaultyRegistry;
    let stack: Stack;
    let url: string;
    let watching: Watching;
    let bad = "";
    const all: Watching[] = [];

    const watch = (options: ConstructorParameters<typeof Watching>[1] = {}) => {
      watching = new Watching(stack, options);
      all.push(watching);
      return watching;
    };
    const serves = (version: string) => becomes(engine, async () => (await ask(url)).version, version);
    const push = (version: string, env: Record<string, string> = {}) =>
      project.push("server", { version, env }, "dev");
    const configure = (rollout: object = {}) => {
      stack.configure({
        rollout: { deadline: "20s", drain: "1s", interval: "1s", settle: "0s", soak: "500ms", ...rollout },
      });
      cpSync(join(project.folder, stack.file), join(elsewhere, stack.file));
    };
    /** Where the watcher elsewhere keeps what it has of its own. */
    const home = join(elsewhere, "home");
    const fromElsewhere = { args: ["--stack", "dev", "--cwd", elsewhere], env: { XDG_STATE_HOME: home } };
    const kept = () => readdirSync(join(home, "tagalong")).filter((file) => file.includes("unwritten"));
    /** The receipt of the roll to a digest, once it says this. */
    const receiptOf = async (digest: string, outcome: Receipt["outcome"]): Promise<Receipt> => {
      const find = async () =>
        (await ledger.receipts()).find(({ images }) => images["server"]?.to === digest);
      const found = await until(find, (receipt) => receipt?.outcome === outcome);
      assert(found);
      return found;
    };
    /** A registry takes a moment to have what is written after the switch. */
    const until = async <T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> => {
      for (let answer = await ask(); ; answer = await ask()) {
        if (holds(answer)) return answer;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };

    before(async () => {
      proxy = await startFaultyRegistry(registry);
      const port = await engine.freePort();
      url = engine.url(port);
      await push("1");
      stack = await project.stack("dev", {
        // A cluster's nodes reach the registry itself alone.
        ...(options.registry ? { images: { server: { repository: `${proxy.host}/${repository}` } } } : {}),
        services: { server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" } } },
      });
      configure();
      await watch().next("healthy");
    });
    after(async () => {
      for (const one of all) await one.end();
      await project.close();
      await client.close();
      await proxy?.close();
      rmSync(elsewhere, { recursive: true, force: true });
    });

    it("is on record when the soak time is over, with the receipt of its roll", async () => {
      const digest = await push("2");
      await watching.next("live");
      await watching.next("healthy");
      const { healthy } = await until(
        () => ledger.findings("server", digest),
        ({ healthy }) => healthy !== undefined,
      );
      const receipt = await receiptOf(digest, "healthy");
      assert.equal(healthy?.receipt, receipt.id);
      assert.deepEqual([receipt.trigger, receipt.via, receipt.release], ["tag", "watcher", digest]);
      assert.deepEqual(Object.keys(receipt.hops).sort(), [...engine.steps].sort());
      const times = engine.steps.map((hop) => receipt.hops[hop] ?? "");
      assert.deepEqual(times, [...times].sort(), "the steps are in their order");
    });

    it("keeps a rejected image out after a restart from another folder, with every local file deleted", async () => {
      bad = await push("bad", { EXIT_CODE: "7" });
      await watching.next("rejected");
      const { message } = await watching.next("returned");
      assert.match(
        message,
        /^the environment is held at server sha256:.*, because of server sha256:.*exited with code 7$/,
      );
      await watching.stop();
      const receipt = await receiptOf(bad, "rejected");
      assert.match(receipt.reason ?? "", /exited with code 7/);
      assert.deepEqual([receipt.hops.switched, receipt.hops.healthy], [undefined, undefined]);
      assert(receipt.hops.started && receipt.endedAt);

      rmSync(join(project.folder, "watchers"), { recursive: true });
      for (const file of readdirSync(project.folder, { withFileTypes: true })) {
        const [from, to] = [join(project.folder, file.name), join(elsewhere, file.name)];
        if (file.isSymbolicLink()) symlinkSync(from, to);
        else if (file.isFile()) cpSync(from, to);
      }
      const before = await stack.ids();
      mkdirSync(home);
      watch(fromElsewhere);
      assert.match(
        (await watching.next("refused")).message,
        /^server sha256:.* exited with code 7; .*tagalong override/,
      );
      assert.equal(watching.count("rolling"), 0);
      assert.deepEqual(await stack.ids(), before);
    });

    if (options.registry) {
      it("asks for nothing but an override while it refuses, and goes once somebody gives one by name", async () => {
        const asked = proxy.log.length;
        while (proxy.log.length < asked + 6) await new Promise((resolve) => setTimeout(resolve, 100));
        const paths = proxy.log
          .slice(asked)
          .map((line) => line.replace(/ → .*/, "").replace(/\/v2\/.*\/manifests\//, ""));
        const override = `GET sha256-${bad.slice("sha256:".length)}.dev.override`;
        assert.deepEqual([...new Set(paths)].sort(), [override, "HEAD dev"]);

        const { rejected } = await ledger.findings("server", bad);
        const word = { at: new Date().toISOString(), by: "ada@laptop", reason: "we know why" };
        await ledger.override("server", bad, { ...word, rejections: [rejected?.record ?? ""] });
        await watching.next("rolling");
        await watching.next("rejected");
        await watching.next("returned");
        // The override knew of the first time alone.
        await watching.next("refused");
      });

      it("is kept while the registry takes no writes, through a kill, and written when it does", async () => {
        proxy.fault = ({ request, response, pass }) =>
          request.method === "PUT" && request.url?.includes(".dev.") ? void response.destroy() : pass();
        const digest = await push("worse", { EXIT_CODE: "8" });
        await watching.next("returned");
        await until(
          async () => kept(),
          (files) => files.length > 0,
        );
        await watching.powerCut();
        assert.match((await watch(fromElsewhere).next("refused")).message, /exited with code 8/);
        assert.equal(watching.count("rolling"), 0);
        assert.equal((await ledger.findings("server", digest)).rejected, undefined);
        assert.match(
          (await watching.next("failed")).message,
          /could not be written to the registry; kept, obeyed/,
        );
        proxy.fault = undefined;
        await watching.next("recorded");
        assert.match((await ledger.findings("server", digest)).rejected?.reason ?? "", /exited with code 8/);
        assert.deepEqual(kept(), []);
      });

      it("lets nothing roll while what is on record cannot be read, says so, and goes on when it can", async () => {
        proxy.fault = ({ request, response, pass }) =>
          request.url?.includes(".dev.rejected")
            ? give(response, { status: 502, headers: {}, body: Buffer.from("") })
            : pass();
        await push("3");
        assert.match(
          (await watching.next("waiting")).message,
          /^server sha256:.*what is on record of it is not known: /,
        );
        proxy.fault = undefined;
        await watching.next("healthy");
        await serves("3");
      });
    }

    it("leaves an environment where it is while somebody holds it, and says who and why", async () => {
      const before = await stack.ids();
      await ledger.setHold({ at: "2026-11-21T16:15:00Z", by: "ada@laptop", reason: "the fair" });
      await push("4");
      const { message } = await watching.next("held");
      assert.match(
        message,
        /^held by ada@laptop since .* UTC: the fair; `tagalong resume dev` lets it go on$/,
      );
      assert.deepEqual(await stack.ids(), before);
      await ledger.liftHold("ada@laptop");
      await watching.next("healthy");
      await serves("4");
    });

    it("is found out by the next watcher when one is killed during the soak time", async () => {
      configure({ soak: "1h" });
      await watching.next("config");
      const digest = await push("5");
      await watching.next("live");
      const { id } = await receiptOf(digest, "live");
      await watching.powerCut();
      rmSync(home, { recursive: true });
      await serves("5");
      await sicken(url, "5");
      watch();
      assert.match(
        (await watching.next("rejected")).message,
        new RegExp(`turned unhealthy after the switch: ${engine.sick}`),
      );
      await watching.next("returned");
      await serves("4");
      const [back] = await until(
        () => ledger.receipts(),
        ([newest]) => newest?.trigger === "return",
      );
      assert.deepEqual([back?.outcome, back?.images["server"]?.from], ["healthy", digest]);
      const { rejected } = await ledger.findings("server", digest);
      assert.equal(rejected?.receipt, id);
      await receiptOf(digest, "rejected");
    });

    it("is obeyed by the next watcher when one is killed before the environment has returned", async () => {
      const digest = await push("6");
      await receiptOf(digest, "live");
      await watching.powerCut();
      const first = (await ledger.receipts()).at(-1)?.images["server"]?.to ?? "";
      const { healthy } = await ledger.findings("server", first);
      const at = new Date().toISOString();
      const { configuration = "", by = "" } = healthy ?? {};
      await ledger.judge("server", digest, {
        outcome: "rejected",
        at,
        reason: "leaks",
        configuration,
        by,
        receipt: "",
      });
      watch();
      assert.match((await watching.next("rejected")).message, /what runs was found to be no good: .*leaks/);
      await watching.next("returned");
      await serves("4");
      await watching.next("refused");
      await watching.stop();
    });

    it("ends what was left open by whoever was killed, also where another roll came in between", async () => {
      const soaking = await push("7");
      await watch().next("live");
      const former = await receiptOf(soaking, "live");
      assert.equal(former.endedAt, undefined);
      const digest = await push("8", { HEALTHY_AFTER_MS: "3000" });
      await watching.next("rolling");
      await watching.powerCut();
      // What somebody leaves who is killed in the middle of a `pulumi up`, and a watcher just before a roll is over.
      const byHand = { ...former, id: `${former.id}-up`, via: "up", outcome: "rolling" } as const;
      const older = { ...former, id: `${former.id}-older`, images: { server: { to: bad } } };
      for (const receipt of [byHand, older]) await ledger.record(receipt);
      await watch().next("live");
      await serves("8");
      const ended = await until(
        () => ledger.receipts(),
        (all) => all.every(({ images, endedAt }) => endedAt || images["server"]?.to === digest),
      );
      const became = ({ id }: Receipt) => {
        const { outcome, reason } = ended.find((one) => one.id === id) ?? {};
        return `${outcome}: ${reason}`;
      };
      assert.equal(became(former), "live: another roll began before its soak time was over");
      assert.equal(became(older), "live: its watcher ended before its soak time was over");
      assert.match(became(byHand), /^failed: it was cut short/);
      await watching.stop();
    });

    it("ends the receipt of what is known to be well, whose watcher was killed in its soak time", async () => {
      const digest = await push("4");
      await watch().next("live");
      const { id } = await receiptOf(digest, "live");
      await watching.powerCut();
      watch();
      const ended = await until(
        async () => (await ledger.receipts()).find((one) => one.id === id),
        (receipt) => receipt?.endedAt !== undefined,
      );
      assert.equal(ended?.outcome, "live");
      assert.equal(ended.reason, "its watcher ended before its soak time was over");
      await watching.stop();
    });
  });
}
