import assert from "node:assert/strict";
import { age, ago, moment, seconds, span } from "../../../cli/times";

describe("Times as a person takes them in", () => {
  it("are the largest unit alone", () => {
    const cases = [
      [0, "0 s"],
      [999, "0 s"],
      [59_999, "59 s"],
      [60_000, "1 min"],
      [7_199_999, "1 h"],
      [86_400_000 * 3.9, "3 d"],
    ] as const;
    for (const [ms, text] of cases) assert.equal(span(ms), text);
  });

  it("are never in the future, and unknown where they are no times", () => {
    const now = Date.parse("2026-11-21T16:00:00Z");
    assert.equal(age("2026-11-21T15:00:00Z", now), "1 h");
    assert.equal(age("2026-11-21T17:00:00Z", now), "0 s");
    assert.equal(ago("yesterday", now), "at an unknown time");
    assert.equal(moment("yesterday"), "");
    assert.match(moment("2026-11-21T15:00:00Z"), /^2026-11-2\d \d\d:\d\d$/);
  });

  it("are seconds to a tenth, and minutes beyond a hundred", () => {
    assert.equal(seconds(3449), "3.4 s");
    assert.equal(seconds(99_940), "99.9 s");
    assert.equal(seconds(125_000), "2 min 5 s");
  });
});
