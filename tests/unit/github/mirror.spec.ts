import assert from "node:assert/strict";
import { GitHubError, ReceiptMirror, type Report, type ReportOptions } from "../../../github";
import type { Receipt } from "../../../rollout/record";
import { receipt } from "../../github/receipts";

/** A GitHub that answers when told to. */
class Slow {
  readonly asked: string[] = [];
  readonly answers: ((report: Report) => void)[] = [];
  readonly logs: (string | undefined)[] = [];
  report({ id, outcome }: Receipt, { signal, logUrl }: ReportOptions = {}): Promise<Report> {
    this.logs.push(logUrl);
    this.asked.push(`${id} ${outcome}`);
    return new Promise((resolve, reject) => {
      this.answers.push(resolve);
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  }
  async answer(
    report: Report = { kind: "reported", deployment: 1, commit: "", state: "success" },
  ): Promise<void> {
    this.answers.shift()?.(report);
    await new Promise(setImmediate);
  }
}

describe("Receipts on their way to GitHub", () => {
  let slow: Slow;
  let said: string[];
  let mirror: ReceiptMirror;
  beforeEach(() => {
    slow = new Slow();
    said = [];
    mirror = new ReceiptMirror(slow, { say: (problem) => said.push(problem), againAfterMs: 1 });
  });

  const failed = (message: string): Report => ({
    kind: "failed",
    error: new GitHubError("permission", message),
  });

  it("go one after another, and of one that waits its latest state alone", async () => {
    mirror.report(receipt({ id: "1" }));
    mirror.report(receipt({ id: "1", outcome: "live" }));
    mirror.report(receipt({ id: "2" }));
    mirror.report(receipt({ id: "1", outcome: "healthy" }));
    assert.deepEqual(slow.asked, ["1 rolling"]);
    for (let i = 0; i < 3; i += 1) await slow.answer();
    assert.deepEqual(slow.asked, ["1 rolling", "2 rolling", "1 healthy"]);
  });

  it("say where their log is, where it is known", async () => {
    mirror.report(receipt());
    new ReceiptMirror(slow, { say: () => {}, logUrl: "https://ci.acme.example/7" }).report(receipt());
    assert.deepEqual(slow.logs, [undefined, "https://ci.acme.example/7"]);
  });

  it("say each problem once, and again when it was over", async () => {
    for (const answer of [failed("no"), failed("no"), failed("other"), undefined, failed("other")]) {
      mirror.report(receipt());
      await slow.answer(answer);
    }
    assert.deepEqual(said, ["no", "other", "other"]);
  });

  const away: Report = { kind: "failed", error: new GitHubError("unreachable", "GitHub is away") };
  const pass = () => new Promise((resolve) => setTimeout(resolve, 5));

  it("go again when GitHub is well again, each as it is by then", async () => {
    mirror.report(receipt({ id: "1", outcome: "healthy" }));
    mirror.report(receipt({ id: "2" }));
    await slow.answer(away);
    await slow.answer(away);
    mirror.report(receipt({ id: "2", outcome: "healthy" }));
    await slow.answer();
    while (slow.asked.length < 4) await pass();
    assert.deepEqual(slow.asked.slice(0, 2), ["1 healthy", "2 rolling"]);
    assert.deepEqual(slow.asked.slice(2).sort(), ["1 healthy", "2 healthy"]);
    await slow.answer();
    await pass();
    assert.equal(slow.asked.length, 4);
    assert.deepEqual(said, ["GitHub is away"]);
  });

  it("do not go again where GitHub says no", async () => {
    mirror.report(receipt({ id: "1" }));
    await slow.answer(failed("no"));
    await pass();
    assert.deepEqual(slow.asked, ["1 rolling"]);
  });

  it("do not go again as they were when they have come further meanwhile", async () => {
    mirror.report(receipt({ id: "1" }));
    mirror.report(receipt({ id: "1", outcome: "healthy" }));
    await slow.answer(away);
    await slow.answer();
    await pass();
    assert.deepEqual(slow.asked, ["1 rolling", "1 healthy"]);
  });

  it("do not go again after the end", async () => {
    mirror.report(receipt({ id: "1" }));
    await slow.answer(away);
    await mirror.close(0);
    await pass();
    assert.deepEqual(slow.asked, ["1 rolling"]);
  });

  it("say once why they are skipped", async () => {
    for (let i = 0; i < 2; i += 1) {
      mirror.report(receipt());
      await slow.answer({ kind: "skipped", reason: "no label" });
    }
    assert.deepEqual(said, ["no label"]);
  });

  it("do not gather without end", async () => {
    for (let i = 100; i < 150; i += 1) mirror.report(receipt({ id: String(i) }));
    for (let i = 0; i < 50; i += 1) await slow.answer();
    assert.equal(slow.asked.length, 21);
    assert.deepEqual([slow.asked[0], slow.asked.at(-1)], ["100 rolling", "149 rolling"]);
  });

  it("are over at once when there is nothing on the way", async () => {
    await mirror.close(60_000);
  });

  it("that GitHub does not take in time are dropped quietly, and later ones are not taken up", async () => {
    mirror.report(receipt({ id: "1" }));
    mirror.report(receipt({ id: "2" }));
    await mirror.close(0);
    mirror.report(receipt({ id: "3" }));
    assert.deepEqual([slow.asked, said], [["1 rolling"], []]);
  });
});
