import assert from "node:assert/strict";
import { type Course, courseOf, movedIn, type Proposal } from "../../../rollout/course";
import type { Receipt } from "../../../rollout/record";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const [a, b] = [digest("a"), digest("b")];
const receipt = (images: Record<string, string>, release?: string): Receipt => ({
  id: "1",
  environment: "test",
  trigger: "tag",
  by: "ada@build-7",
  via: "up",
  ...(release ? { release } : {}),
  images: Object.fromEntries(Object.entries(images).map(([image, to]) => [image, { to }])),
  hops: {},
  outcome: "healthy",
  endedAt: "2026-11-21T16:15:00Z",
});
const hold = { at: "2026-11-21T16:00:00Z", by: "ada@build-7", reason: "freeze" };
const held =
  "test is held since 2026-11-21T16:00:00Z by ada@build-7: freeze; lift that with `tagalong resume test`";
const proposal: Proposal = {
  environment: "test",
  release: "",
  digests: { client: b, server: b },
  refused: {},
  lockstep: true,
  running: receipt({ client: a, server: a }),
  good: receipt({ client: a, server: a }, "1.4.1"),
};
const named = { ...proposal, release: "1.4.2" };
const bad = { server: "rejected in test" };
const stay = "It stays with what it was brought to at 2026-11-21T16:15:00Z, 1.4.1";

describe("What a `pulumi up` by hand does", () => {
  const table: [what: string, given: Proposal, course: Course][] = [
    ["goes where nothing speaks against it", proposal, { kind: "go" }],
    [
      "goes with nothing on record",
      { environment: "test", release: "", digests: { server: b }, refused: {}, lockstep: true },
      { kind: "go" },
    ],
    [
      "refuses a release of which one image may not run, and names it",
      { ...named, refused: bad },
      { kind: "refuse", why: "test does not take the release 1.4.2:\n  server: rejected in test" },
    ],
    [
      "stays with what was good where the tag carries what may not run, all images of it",
      { ...proposal, refused: bad },
      {
        kind: "stay",
        digests: { client: a, server: a },
        why: `test does not take what its tag carries:\n  server: rejected in test\n${stay}`,
      },
    ],
    [
      "lets the others go where lockstep is off",
      { ...proposal, lockstep: false, refused: bad },
      {
        kind: "stay",
        digests: { client: b, server: a },
        why: `test does not take what its tag carries:\n  server: rejected in test\n${stay}`,
      },
    ],
    [
      "refuses where nothing that was good is on record",
      { environment: "test", release: "", digests: { server: b }, refused: bad, lockstep: true },
      {
        kind: "refuse",
        why: "test does not take what its tag carries:\n  server: rejected in test\nNothing else that stayed well is on record to stay with",
      },
    ],
    [
      "refuses what failed with this configuration where it is what was good with another one",
      { ...proposal, good: receipt({ client: a, server: b }), refused: bad },
      {
        kind: "refuse",
        why: "test does not take what its tag carries:\n  server: rejected in test\nNothing else that stayed well is on record to stay with",
      },
    ],
    ["refuses a release while the environment is held", { ...named, hold }, { kind: "refuse", why: held }],
    [
      "goes to a release that it runs already, held or not",
      { ...named, hold, running: receipt({ client: b, server: b }) },
      { kind: "go" },
    ],
    [
      "stays where it is while it is held, whatever the tag carries",
      { ...proposal, hold, running: receipt({ client: a, server: a, gone: a }) },
      {
        kind: "stay",
        digests: { client: a, server: a },
        why: `${held}; it stays with what it was brought to at 2026-11-21T16:15:00Z`,
      },
    ],
    [
      "refuses while it is held and nobody knows where it is",
      { ...proposal, hold, running: receipt({ client: a }) },
      {
        kind: "refuse",
        why: `${held}; nothing is known of what it runs, so there is nothing to stay with`,
      },
    ],
  ];
  for (const [what, given, course] of table) it(what, () => assert.deepEqual(courseOf(given), course));

  it("counts as moved what runs at another digest, or is not known to run", () => {
    assert.deepEqual(
      movedIn({ digests: { client: a, server: b, worker: a }, running: receipt({ client: a, server: a }) }),
      ["server", "worker"],
    );
  });
});
