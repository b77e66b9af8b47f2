/** Retry-After: each form that registries send, and what of it is believed. */
import assert from "node:assert/strict";
import { parseRetryAfter } from "../../../registry/retry-after";

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const inOneMinute = new Date(now + 60_000);
const asctime = "Fri Jan  2 03:05:05 2026";
const rfc850 = "Friday, 02-Jan-26 03:05:05 GMT";

const table: readonly (readonly [
  header: string | undefined,
  serverDate: string | undefined,
  ms: number | undefined,
])[] = [
  ["7", undefined, 7_000],
  [" 7 ", undefined, 7_000],
  ["1.5", undefined, 1_500],
  ["0", undefined, 1_000],
  ["86400", undefined, 300_000],
  ["99999999999999999999", undefined, 300_000],
  [inOneMinute.toUTCString(), undefined, 60_000],
  [rfc850, undefined, 60_000],
  [asctime, undefined, 60_000],
  [inOneMinute.toUTCString(), new Date(now + 57_000).toUTCString(), 3_000],
  [new Date(now - 60_000).toUTCString(), undefined, 1_000],
  ["Fri, 02 Jan 2099 03:04:05 GMT", undefined, 300_000],
  ["1.16676ms", undefined, 1_000],
  ["1m2s", undefined, 62_000],
  ["1h", undefined, 300_000],
  ["2500ms", undefined, 2_500],
  ["2.5s", undefined, 2_500],
  ["1500000µs", undefined, 1_500],
  ["3000000000ns", undefined, 3_000],
  ["-5", undefined, undefined],
  ["-1m", undefined, undefined],
  ["soon", undefined, undefined],
  ["5 apples", undefined, undefined],
  ["Fri, 99 Foo 2026", undefined, undefined],
  ["", undefined, undefined],
  [undefined, undefined, undefined],
];

describe("Retry-After", () => {
  for (const [header, serverDate, ms] of table) {
    it(`${JSON.stringify(header)}${serverDate ? ` at ${serverDate}` : ""} means ${ms === undefined ? "nothing" : `${ms} ms`}`, () => {
      assert.equal(parseRetryAfter(header, serverDate, now), ms);
    });
  }
});
