/** What an environment does next, for each situation that it can be in. */
import assert from "node:assert/strict";
import { type Candidate, type Clearance, type Plan, plan, type Situation } from "../../../rollout/plan";

const now = 1_000_000;
const at = (digest: string, revision?: string): Candidate => ({ digest, ...(revision ? { revision } : {}) });
/** Carried since so many milliseconds. */
const since = (ms: number, digest: string, revision?: string) => ({
  image: at(digest, revision),
  movedAt: now - ms,
});

const base: Situation<Candidate> = {
  images: ["server", "client"],
  running: { server: at("s1", "a"), client: at("c1", "a") },
  carried: { server: since(60_000, "s1", "a"), client: since(60_000, "c1", "a") },
  unsure: [],
  clearance: () => ({ kind: "clear" }),
  lockstep: true,
  agreement: { kind: "agreed", commit: "a" },
  settleMs: 1_000,
  now,
};

const clears =
  (others: Record<string, Clearance>) =>
  (_image: string, digest: string): Clearance =>
    others[digest] ?? { kind: "clear" };
const rejects = (...digests: string[]) =>
  clears(
    Object.fromEntries(digests.map((digest) => [digest, { kind: "refused", reason: "exited with code 7" }])),
  );
const open = (reason: string, untilMs?: number): Clearance => ({
  kind: "open",
  reason,
  ...(untilMs === undefined ? {} : { untilMs }),
});
const both = { server: since(0, "s2", "b"), client: since(0, "c2", "b") };
const unlabelled = (ms: number) => ({ server: since(ms, "s2"), client: since(5_000, "c2") });
const refused = { image: "server", digest: "s2", reason: "exited with code 7" };

const table: [sentence: string, situation: Partial<Situation<Candidate>>, expected: Plan<Candidate>][] = [
  ["stays where its tags are", {}, { kind: "stay" }],
  ["stays where nothing is known of the tags but something runs", { carried: {} }, { kind: "stay" }],
  [
    "stays while a registry is silent and nothing has moved",
    { unsure: ["server", "client"] },
    { kind: "stay" },
  ],
  [
    "waits for the first look at every image",
    { running: {}, carried: { server: since(0, "s1", "a") } },
    { kind: "wait", reason: "nothing is known yet of client" },
  ],
  [
    "rolls to the first release",
    { running: {}, carried: both, agreement: { kind: "agreed", commit: "b" } },
    { kind: "roll", release: { server: at("s2", "b"), client: at("c2", "b") } },
  ],
  [
    "rolls at once what one commit proves to belong together",
    { carried: both, agreement: { kind: "agreed", commit: "b" } },
    { kind: "roll", release: { server: at("s2", "b"), client: at("c2", "b") } },
  ],
  [
    "waits while the images are apart",
    {
      carried: { ...base.carried, server: since(0, "s2", "b") },
      agreement: { kind: "apart", reason: "server is at commit b, client is at commit a" },
    },
    { kind: "wait", reason: "server is at commit b, client is at commit a" },
  ],
  [
    "keeps the unchanged image of a release",
    { carried: { ...base.carried, server: since(0, "s2", "b") }, agreement: { kind: "agreed", commit: "b" } },
    { kind: "roll", release: { server: at("s2", "b"), client: at("c1", "a") } },
  ],
  [
    "waits for quiet where no label proves anything",
    { carried: unlabelled(200) },
    { kind: "wait", reason: "the tags have just moved", untilMs: 800 },
  ],
  [
    "rolls images without labels after the quiet",
    { carried: unlabelled(1_000) },
    { kind: "roll", release: { server: at("s2"), client: at("c2") } },
  ],
  [
    "rolls nothing in lockstep while one image is not known",
    { carried: both, unsure: ["client"], agreement: { kind: "agreed", commit: "b" } },
    { kind: "wait", reason: "nothing sure is known now of client" },
  ],
  [
    "rolls one alone without lockstep, whatever is unknown of the other",
    {
      lockstep: false,
      carried: { ...base.carried, server: since(2_000, "s2", "b") },
      unsure: ["client"],
    },
    { kind: "roll", release: { server: at("s2", "b"), client: at("c1", "a") } },
  ],
  [
    "waits without lockstep for what has moved and is not known any more",
    { lockstep: false, carried: { ...base.carried, server: since(2_000, "s2", "b") }, unsure: ["server"] },
    { kind: "wait", reason: "nothing sure is known now of server" },
  ],
  [
    "waits for quiet without lockstep, labels or not",
    { lockstep: false, carried: { ...base.carried, server: since(400, "s2", "b") } },
    { kind: "wait", reason: "the tags have just moved", untilMs: 600 },
  ],
  [
    "refuses a rejected digest",
    { carried: { ...base.carried, server: since(0, "s2", "b") }, clearance: rejects("s2") },
    { kind: "refuse", refused: [refused] },
  ],
  [
    "keeps the whole release back in lockstep for one rejected image",
    { carried: both, clearance: rejects("s2"), agreement: { kind: "agreed", commit: "b" } },
    { kind: "refuse", refused: [refused] },
  ],
  [
    "rolls the others without lockstep",
    {
      lockstep: false,
      carried: { server: since(2_000, "s2"), client: since(2_000, "c2") },
      clearance: rejects("s2"),
    },
    { kind: "roll", release: { server: at("s1", "a"), client: at("c2") } },
  ],
  [
    "refuses all of the first release for one rejected image, lockstep or not",
    { lockstep: false, running: {}, carried: both, clearance: rejects("s2") },
    { kind: "refuse", refused: [refused] },
  ],
  [
    "waits for what may be cleared by itself, and says why",
    {
      carried: { ...base.carried, server: since(0, "s2", "b") },
      clearance: clears({ s2: open("not found healthy in dev yet") }),
      agreement: { kind: "agreed", commit: "b" },
    },
    { kind: "wait", reason: "server s2: not found healthy in dev yet" },
  ],
  [
    "waits as long as the last of its images takes at least",
    { carried: both, clearance: clears({ s2: open("too new", 300), c2: open("newer", 500) }) },
    { kind: "wait", reason: "server s2: too new; client c2: newer", untilMs: 500 },
  ],
  [
    "knows no end where one of its images has none",
    { carried: both, clearance: clears({ s2: open("too new", 300), c2: open("not known") }) },
    { kind: "wait", reason: "server s2: too new; client c2: not known" },
  ],
  [
    "refuses what is refused, whatever else is open",
    { carried: both, clearance: clears({ c2: open("not known"), s2: rejects("s2")("", "s2") }) },
    { kind: "refuse", refused: [refused] },
  ],
  [
    "rolls the others without lockstep while one is open",
    {
      lockstep: false,
      carried: { server: since(2_000, "s2"), client: since(2_000, "c2") },
      clearance: clears({ s2: open("not known") }),
    },
    { kind: "roll", release: { server: at("s1", "a"), client: at("c2") } },
  ],
  ["does not refuse what runs", { clearance: rejects("s1", "c1") }, { kind: "stay" }],
];

describe("An environment", () => {
  for (const [sentence, situation, expected] of table) {
    it(sentence, () => assert.deepEqual(plan({ ...base, ...situation }), expected));
  }
});
