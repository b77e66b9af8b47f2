/** What a watcher that starts takes for true of its environment. */
import assert from "node:assert/strict";
import { type Opening, opening, type RunningImage, waysBack } from "../../../rollout/opening";
import type { Findings, Receipt, Verdict } from "../../../rollout/record";

const verdict = (outcome: Verdict["outcome"], minute: number, configuration = "c"): Verdict => ({
  outcome,
  at: `2026-11-21T16:${String(minute).padStart(2, "0")}:00.000Z`,
  reason: outcome === "rejected" ? "exited with code 7" : "",
  configuration,
  by: "ada@build",
  receipt: "r",
});
const healthy = (minute: number, configuration?: string): Findings => ({
  healthy: verdict("healthy", minute, configuration),
});
const rejected = (minute: number, configuration?: string): Findings => ({
  rejected: { ...verdict("rejected", minute, configuration), record: `record-${minute}` },
});
const overriding = (minute: number): Findings => ({
  override: { at: "2026-11-21T17:00:00Z", by: "ada", reason: "", rejections: [`record-${minute}`] },
});
const running = (findings: Findings, digest = "s2"): Record<string, RunningImage> => ({
  server: { digest, configuration: "c", findings },
});
const receipt = (id: string, digests: Record<string, string>, more: Partial<Receipt> = {}): Receipt => ({
  id,
  environment: "dev",
  trigger: "tag",
  by: "ada@build",
  via: "watcher",
  images: Object.fromEntries(Object.entries(digests).map(([image, to]) => [image, { to }])),
  hops: {},
  outcome: "healthy",
  ...more,
});

const refused = [{ image: "server", digest: "s2", reason: "exited with code 7" }];
const live = receipt("2", { server: "s2" }, { outcome: "live" });

const older = receipt("1", { server: "s1" }, { outcome: "live" });
const byHand = { ...live, via: "up" as const };

const table: [sentence: string, findings: Findings, receipts: Receipt[], expected: Partial<Opening>][] = [
  ["takes what stayed well for good", healthy(1), [], {}],
  ["leaves open what nobody has judged", {}, [], { open: ["server"] }],
  [
    "goes on with the receipt of what nobody has judged",
    {},
    [live],
    { open: ["server"], receipt: live, unended: [live] },
  ],
  ["sees what was rejected", rejected(1), [], { rejected: refused }],
  [
    "sees what was rejected after it had been well",
    { ...healthy(1), ...rejected(2) },
    [],
    { rejected: refused },
  ],
  ["leaves open what was rejected with another configuration", rejected(1, "old"), [], { open: ["server"] }],
  [
    "takes for good what is well with this configuration and was not with another",
    { ...healthy(1), ...rejected(2, "old") },
    [],
    {},
  ],
  [
    "leaves open what runs by an override alone",
    { ...rejected(1), ...overriding(1) },
    [],
    { open: ["server"] },
  ],
  [
    "leaves open what was rejected after it had been well, and overridden since",
    { ...healthy(1), ...rejected(2), ...overriding(2) },
    [],
    { open: ["server"] },
  ],
  [
    "takes for good what stayed well after it was overridden",
    { ...rejected(1), ...overriding(1), ...healthy(2) },
    [],
    {},
  ],
  [
    "goes on with no receipt that has ended",
    {},
    [{ ...live, endedAt: "2026-11-21T16:00:00Z" }],
    { open: ["server"] },
  ],
  [
    "goes on with no receipt of another digest: nobody has ended it",
    {},
    [older],
    { open: ["server"], unended: [older] },
  ],
  [
    "goes on with no receipt of an update by hand: nobody has ended it",
    {},
    [byHand],
    { open: ["server"], unended: [byHand] },
  ],
  [
    "goes on with the newest of several",
    {},
    [live, { ...live, id: "1" }],
    { open: ["server"], receipt: live, unended: [live, { ...live, id: "1" }] },
  ],
];

describe("A watcher that starts", () => {
  for (const [sentence, findings, receipts, expected] of table) {
    it(sentence, () => {
      const found = opening("dev", running(findings), receipts);
      assert.deepEqual(found, { rejected: [], open: [], unended: [], ...expected });
    });
  }
});

describe("The way back", () => {
  const now = { server: { digest: "s3" }, client: { digest: "c1" } };
  const ways: [sentence: string, receipts: Receipt[], expected: Record<string, string>[]][] = [
    [
      "is nowhere where nothing was ever well",
      [receipt("1", { server: "s2", client: "c1" }, { outcome: "rejected" })],
      [],
    ],
    [
      "leads to what was last well, then to what was before",
      [receipt("3", { server: "s2", client: "c1" }), receipt("2", { server: "s1", client: "c1" })],
      [
        { server: "s2", client: "c1" },
        { server: "s1", client: "c1" },
      ],
    ],
    ["leads to nothing that runs", [receipt("1", { server: "s3", client: "c1" })], []],
    ["leads to nothing that lacks an image", [receipt("1", { server: "s2" })], []],
    [
      "leaves out images that run no longer",
      [receipt("1", { server: "s2", client: "c1", old: "o1" })],
      [{ server: "s2", client: "c1" }],
    ],
    [
      "names each once",
      [receipt("2", { server: "s2", client: "c1" }), receipt("1", { client: "c1", server: "s2" })],
      [{ server: "s2", client: "c1" }],
    ],
  ];
  for (const [sentence, receipts, expected] of ways) {
    it(sentence, () => assert.deepEqual(waysBack(now, receipts), expected));
  }
});
