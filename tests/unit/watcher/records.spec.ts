/** What is on record, as the watcher asks for it: once for each digest, and again only while something waits for it. */
import assert from "node:assert/strict";
import { RegistryError } from "../../../registry";
import type { Findings, Hold, Verdict } from "../../../rollout/record";
import { Records } from "../../../watcher/records";
import { Clock, configOf, type Given } from "./given";

const digest = `sha256:${"1".repeat(64)}`;
const verdict = (outcome: Verdict["outcome"], minute: number, configuration = "c"): Verdict => ({
  outcome,
  at: `2026-11-21T16:${String(minute).padStart(2, "0")}:00.000Z`,
  reason: "exited with code 7",
  configuration,
  by: "ada@build",
  receipt: "r",
});
const rejected = { ...verdict("rejected", 1), record: "record-1" };
const override = { at: "2026-11-21T16:30:00.000Z", by: "ada", reason: "we know", rejections: ["record-1"] };

describe("Records", () => {
  const clock = new Clock();
  let given: Given;
  let unwritten: Verdict | undefined;
  /** By environment. */
  let onRecord: Record<string, Findings>;
  let hold: Hold | undefined;
  let fault: Error | undefined;
  let asked: string[];
  let records: Records;

  beforeEach(() => {
    clock.start();
    given = { interval: 2_000, configuration: "c" };
    [unwritten, onRecord, hold, fault, asked] = [undefined, {}, undefined, undefined, []];
    const answer = async <T>(question: string, say: () => T): Promise<T> => {
      asked.push(question);
      if (fault) throw fault;
      return say();
    };
    records = new Records(
      { stack: "test", config: configOf(given) },
      { verdict: () => unwritten },
      {
        findings: (_image, _digest, environment = "test") =>
          answer(environment, () => onRecord[environment] ?? {}),
        overrideOf: () => answer("override", () => onRecord["test"]?.override),
        hold: () => answer("hold", () => hold),
      },
    );
  });
  afterEach(() => clock.stop());

  const clearance = () => records.clearance("server", digest);
  /** What is asked while it looks so often, an interval apart. */
  const during = async (looks: number): Promise<string[]> => {
    asked = [];
    for (let look = 0; look < looks; look += 1) {
      clock.now += given.interval;
      await clearance();
    }
    return asked;
  };

  it("clear a digest of which nothing is known, and are asked once", async () => {
    assert.deepEqual(await clearance(), { kind: "clear" });
    assert.deepEqual(await during(20), []);
  });

  it("are read when the tag moves, hold included, and not again for the roll", async () => {
    records.prepare("server", digest);
    assert.deepEqual(await clearance(), { kind: "clear" });
    assert.equal(await records.hold(given.interval), undefined);
    assert.equal(await records.renew([["server", digest]], given.interval), false);
    assert.deepEqual(asked, ["test", "hold"]);
  });

  it("are read again for a roll that comes long after", async () => {
    await clearance();
    clock.now += 60_000;
    onRecord["test"] = { rejected };
    assert.equal(await records.renew([["server", digest]], given.interval), true);
    assert.equal((await clearance()).kind, "refused");
  });

  it("refuse what was rejected, and ask for an override alone, once an interval", async () => {
    onRecord["test"] = { rejected };
    const refused = await clearance();
    assert.equal(refused.kind, "refused");
    assert.match(refused.kind === "refused" ? refused.reason : "", /exited with code 7.*tagalong override/);
    assert.deepEqual(await during(5), Array(5).fill("override"));
    clock.now += given.interval / 2;
    asked = [];
    await clearance();
    assert.deepEqual(asked, []);
  });

  it("clear what was rejected once somebody overrides it", async () => {
    onRecord["test"] = { rejected };
    await clearance();
    onRecord["test"] = { rejected, override };
    clock.now += given.interval;
    assert.deepEqual(await clearance(), { kind: "clear" });
  });

  it("clear what was rejected once the configuration is another, without asking", async () => {
    onRecord["test"] = { rejected };
    await clearance();
    given.configuration = "d";
    asked = [];
    assert.deepEqual(await clearance(), { kind: "clear" });
    assert.deepEqual(asked, []);
  });

  it("let nothing roll while the registry does not say, and ask again after an interval", async () => {
    fault = new RegistryError("network", "the connection broke");
    const unsure = await clearance();
    assert.equal(unsure.kind, "open");
    assert.match(unsure.kind === "open" ? unsure.reason : "", /is not known: the connection broke$/);
    await clearance();
    assert.deepEqual(asked, ["test"]);
    await assert.rejects(records.findings("server", digest), fault);
    fault = undefined;
    clock.now += given.interval;
    assert.deepEqual(await clearance(), { kind: "clear" });
  });

  it("go on refusing what was rejected while the registry does not say", async () => {
    onRecord["test"] = { rejected };
    await clearance();
    fault = new RegistryError("server", "HTTP 503");
    clock.now += given.interval;
    assert.equal((await clearance()).kind, "refused");
  });

  it("are obeyed before they are written", async () => {
    unwritten = verdict("rejected", 2);
    assert.equal((await clearance()).kind, "refused");
    assert.equal(records.isRejected("server", digest), true);
    fault = new RegistryError("network", "down");
    records.forget("server", digest);
    assert.equal((await clearance()).kind, "refused");
    // Whoever overrode what was on record before knew nothing of this one.
    fault = undefined;
    onRecord["test"] = { rejected, override };
    records.forget("server", digest);
    assert.equal((await clearance()).kind, "refused");
  });

  it("bind what was found with a configuration to it, written or not", async () => {
    unwritten = verdict("rejected", 2, "another");
    assert.deepEqual(await clearance(), { kind: "clear" });
  });

  it("make a digest wait for another environment, ever more slowly, and clear it when it was well there", async () => {
    Object.assign(given, { after: "dev" });
    const open = await clearance();
    assert.equal(open.kind, "open");
    assert.match(open.kind === "open" ? open.reason : "", /dev has not found it healthy yet/);
    const looks = (await during(60)).filter((environment) => environment === "dev").length;
    assert(looks >= 5 && looks <= 10, `${looks} looks in two minutes`);
    onRecord["dev"] = { healthy: verdict("healthy", 10) };
    clock.now += 30_000;
    assert.deepEqual(await clearance(), { kind: "clear" });
  });

  it("say how long a digest must have been well there at least", async () => {
    Object.assign(given, { after: "dev", for: 3_600_000 });
    onRecord["dev"] = { healthy: verdict("healthy", 30) };
    const open = await clearance();
    assert.equal(open.kind === "open" ? open.untilMs : 0, 30 * 60_000);
    clock.now += 30 * 60_000;
    assert.deepEqual(await clearance(), { kind: "clear" });
  });

  it("refuse what another environment has rejected", async () => {
    Object.assign(given, { after: "dev" });
    onRecord["dev"] = { rejected };
    assert.equal((await clearance()).kind, "refused");
  });

  it("ask for a hold no more often than it may have changed for whoever asks", async () => {
    hold = { at: "2026-11-21T16:00:00Z", by: "ada", reason: "the fair" };
    assert.deepEqual(await records.hold(2_000), hold);
    await records.hold(2_000);
    clock.now += 2_000;
    fault = new RegistryError("network", "down");
    await assert.rejects(records.hold(2_000), fault);
    await assert.rejects(records.hold(2_000), fault);
    assert.deepEqual(asked, ["hold", "hold"]);
  });
});
