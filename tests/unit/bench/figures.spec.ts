// The bench's arithmetic: a figure that is computed wrongly is worse than none.
import assert from "node:assert/strict";
import type * as Report from "../../../bench/report.mjs";
import type * as Statistics from "../../../bench/statistics.mjs";
import { importTool } from "../tools/import-module";

const load = () => importTool<typeof Statistics>("../bench/statistics.mjs");

describe("the bench's figures", () => {
  it("draw the same moments for the same seed, others for another", async () => {
    const { phases } = await load();
    assert.deepEqual(phases(10, 7), phases(10, 7));
    assert.notDeepEqual(phases(10, 7), phases(10, 8));
  });

  it("draw one moment in each part of the poll's interval", async () => {
    const { phases } = await load();
    const parts = phases(10, 1).map((moment) => Math.floor(moment * 10));
    assert.deepEqual(
      parts.sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  });

  it("have the middle of the values, or of the two in the middle, as their median", async () => {
    const { median } = await load();
    const table: [number[], number | undefined][] = [
      [[], undefined],
      [[3], 3],
      [[9, 1], 5],
      [[9, 1, 2], 2],
      [[4, 1, 3, 2], 2.5],
    ];
    for (const [values, expected] of table) assert.equal(median(values), expected, String(values));
  });

  it("split a roll into its phases, and skip a mark that nobody saw", async () => {
    const { breakdown } = await load();
    const rolls = [
      { from: 1_000, marks: { seen: 1_100, rolling: undefined, serving: 1_500 } },
      { from: 5_000, marks: { seen: 5_300, rolling: undefined, serving: 5_900 } },
    ];
    assert.deepEqual(breakdown(["seen", "rolling", "serving"], rolls), [
      { phase: "seen", atMs: 200, tookMs: 200 },
      { phase: "serving", atMs: 700, tookMs: 500 },
    ]);
  });

  it("put both sides into one row, with the median, the worst and what failed", async () => {
    const { row } = await importTool<typeof Report>("../bench/report.mjs");
    const side = (...times: number[]) => ({
      marks: ["serving"],
      rolls: times.map((ms) => ({
        ms,
        from: 0,
        requests: 100,
        failed: ms > 2_000 ? 5 : 0,
        marks: { serving: ms },
      })),
    });
    const what = { services: 1, traffic: "light", rate: 60, kinds: [], says: "" };
    const found = row("light", what, 0.5, {
      tagalong: side(900, 1_000, 1_500),
      peer: side(1_800, 2_000, 3_000),
    });
    assert.deepEqual(
      [found.tagalongMs, found.tagalongWorstMs, found.peerMs, found.peerWorstMs, found.ratio],
      [1_000, 1_500, 2_000, 3_000, 0.5],
    );
    assert.deepEqual([found.failed, found.requests, found.peerFailed, found.peerRequests], [0, 300, 5, 300]);
  });
});
