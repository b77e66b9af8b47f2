/** A time limit that may be called off. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { within } from "../../../registry/within";

const ended = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason));
  });
/** Something to wait for while a timer that keeps no process alive runs. */
const awake = async <T>(waiting: Promise<T>): Promise<T> => {
  const timer = setInterval(() => {}, 1_000);
  return waiting.finally(() => clearInterval(timer));
};

describe("A time limit", () => {
  it("ends with the time", async () => {
    const reason = await awake(ended(within(5, new AbortController().signal, undefined).signal));
    assert.equal((reason as DOMException).name, "TimeoutError");
  });

  it("ends with what it follows, for its reason, at once where that is over", async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { signal } = within(60_000, first.signal, second.signal);
    second.abort("stopped");
    assert.equal(await ended(signal), "stopped");
    assert.equal(await ended(within(60_000, second.signal).signal), "stopped");
  });

  it("never ends once it is called off", async () => {
    const { signal } = new AbortController();
    const limit = within(1, signal);
    limit.clear();
    await new Promise((rest) => setTimeout(rest, 20));
    assert.equal(limit.signal.aborted, false);
  });

  it("is not forgotten while nobody looks", () => {
    const program = `
      const { within } = require(${JSON.stringify(join(__dirname, "../../../registry/within.ts"))});
      const { signal } = within(100, new AbortController().signal);
      const rounds = setInterval(() => global.gc(), 10);
      setTimeout(() => { clearInterval(rounds); console.log(signal.aborted); }, 300);`;
    const args = ["--expose-gc", "--require", "ts-node/register/transpile-only", "--eval", program];
    assert.equal(execFileSync(process.execPath, args, { encoding: "utf8" }), "true\n");
  });
});
