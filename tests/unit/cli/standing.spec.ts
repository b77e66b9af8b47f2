import assert from "node:assert/strict";
import type { ImageSight, Sight } from "../../../cli/sight";
import { findingOf, type State, standing } from "../../../cli/standing";
import type { Findings } from "../../../rollout/record";

const now = Date.parse("2026-11-21T16:00:00Z");
const one = { digest: `sha256:${"1".repeat(64)}`, version: "1.0.0" };
const two = { digest: `sha256:${"2".repeat(64)}`, version: "2.0.0" };
const three = { digest: `sha256:${"3".repeat(64)}` };

const sight = (image: Partial<ImageSight>, more: Partial<Sight> = {}): Sight => ({
  environment: "test",
  tag: "test",
  services: { web: { image: "server" } },
  images: { server: { repository: "ghcr.io/acme/server", findings: {}, ...image } },
  past: [],
  hasContainers: false,
  unknown: [],
  mistakes: [],
  ...more,
});

const refused = {
  admitted: false as const,
  reason: "rejected in test: it exited",
  evidence: { environment: "test", own: {}, isOverridden: false },
};
const containers = (running: number, ...digests: string[]) => ({
  services: { web: { image: "server", containers: { running, digests } } },
  hasContainers: true,
});
const hold = { at: "2026-11-21T15:00:00Z", by: "ada@build-7", reason: "demo" };

const cases: [what: string, given: Sight, state: State, reasons: string[]][] = [
  ["it runs what its tag carries", sight({ running: one, carried: one }), "steady", []],
  [
    "it runs what its config names",
    sight({ running: one, carried: one, named: one }, { release: "1.0.0" }),
    "steady",
    [],
  ],
  [
    "its tag has moved",
    sight({ running: one, carried: two }),
    "pending",
    ["server: the tag carries 2.0.0 (222222222222), which is to roll from 1.0.0 (111111111111)"],
  ],
  [
    "its tag carries what was rejected",
    sight({ running: one, carried: two, admission: refused }),
    "refused",
    [
      "server: the tag carries 2.0.0 (222222222222); it stays at 1.0.0 (111111111111): rejected in test: it exited",
    ],
  ],
  [
    "its tag carries what its config does not name",
    sight({ running: one, carried: three, named: one }, { release: "1.0.0" }),
    "unauthorised",
    [
      "server: the tag carries 333333333333, the config names 1.0.0, which is 111111111111: not authorised; it stays at 1.0.0 (111111111111)",
    ],
  ],
  [
    "its config was edited, and nobody has brought it up",
    sight({ running: one, carried: one, named: two }, { release: "2.0.0" }),
    "pending",
    [
      "server: the config names 2.0.0, which is 222222222222, and the tag does not carry it yet; pulumi up -s test moves it",
    ],
  ],
  [
    "there is no tag yet, and the config names a release",
    sight({ carried: "none", named: one }, { release: "1.0.0" }),
    "pending",
    ["server: the config names 1.0.0, and there is no tag test yet; pulumi up -s test makes it"],
  ],
  [
    "there is nothing at all",
    sight({ carried: "none" }),
    "empty",
    ["server: there is no tag test yet: push one, or name a release"],
  ],
  [
    "it is held, and its tag carries what was rejected",
    sight({ running: one, carried: two, admission: refused }, { hold }),
    "held",
    [
      "put on hold by ada@build-7 1 h ago: demo; it goes on with: tagalong resume test",
      "server: the tag carries 2.0.0 (222222222222); it stays at 1.0.0 (111111111111): rejected in test: it exited",
    ],
  ],
  [
    "the registry did not say what the tag carries",
    sight({ running: one }, { unknown: ["ghcr.io/acme/server:test: no answer"] }),
    "unknown",
    ["ghcr.io/acme/server:test: no answer"],
  ],
  [
    "its config names no release that there is",
    sight({ running: one, carried: one }, { mistakes: ["no image has release 9.9.9"] }),
    "refused",
    ["no image has release 9.9.9"],
  ],
  [
    "its containers run what its receipts say",
    sight({ running: one, carried: one }, containers(2, one.digest)),
    "steady",
    [],
  ],
  [
    "its containers run something else than its receipts say",
    sight({ running: one, carried: one }, containers(2, one.digest, three.digest)),
    "pending",
    ["web: its receipts say 1.0.0 (111111111111), and containers run 333333333333"],
  ],
  [
    "a container of it is gone",
    sight({ running: one, carried: one }, containers(0)),
    "pending",
    ["web: its receipts say 1.0.0 (111111111111), and no container of it runs on the engine here"],
  ],
];

describe("How an environment stands", () => {
  for (const [what, given, state, reasons] of cases) {
    it(`is ${state} where ${what}`, () => assert.deepEqual(standing(given, now), { state, reasons }));
  }

  it("is said once of all images that it is true of", () => {
    const given = sight({ carried: "none" });
    given.images["client"] = { repository: "ghcr.io/acme/client", findings: {}, carried: "none" };
    assert.deepEqual(standing(given, now).reasons, [
      "server, client: there is no tag test yet: push one, or name a release",
    ]);
  });

  it("is rolling while somebody rolls it, whatever its containers are meanwhile", () => {
    const rolling = {
      id: "20261121T155957.000Z-4f9a01",
      environment: "test",
      trigger: "tag" as const,
      by: "ada@build-7",
      via: "watcher" as const,
      images: { server: { to: two.digest } },
      hops: {},
      outcome: "rolling" as const,
    };
    const given = sight(
      { running: one, carried: two },
      { rolling, ...containers(2, one.digest, two.digest) },
    );
    const { state, reasons } = standing(given, now);
    assert.equal(state, "rolling");
    assert.equal(reasons[0], "ada@build-7 began to roll it 3 s ago");
    assert.equal(reasons.length, 2);
  });
});

describe("The last word on a digest", () => {
  const verdict = (outcome: "healthy" | "rejected", hour: number, configuration = "a") => ({
    outcome,
    at: `2026-11-21T${hour}:00:00Z`,
    reason: outcome === "rejected" ? "it exited" : "",
    configuration,
    by: "ada@build-7",
    receipt: "r",
  });
  const rejected = (hour: number, configuration?: string) => ({
    ...verdict("rejected", hour, configuration),
    record: `sha256:${"9".repeat(64)}`,
  });
  const words: [what: string, findings: Findings, outcome: string][] = [
    ["none where nobody tried it", {}, "none"],
    ["healthy where it was", { healthy: verdict("healthy", 10) }, "healthy"],
    ["rejected where it was", { rejected: rejected(10) }, "rejected"],
    [
      "rejected where that came later",
      { healthy: verdict("healthy", 10), rejected: rejected(11, "b") },
      "rejected",
    ],
    [
      "healthy where that came later, with another configuration",
      { healthy: verdict("healthy", 11), rejected: rejected(10, "b") },
      "healthy",
    ],
    [
      "rejected with the same configuration, whatever came later",
      { healthy: verdict("healthy", 11), rejected: rejected(10) },
      "rejected",
    ],
  ];
  for (const [what, findings, outcome] of words) {
    it(`is ${what}`, () => assert.equal(findingOf(findings).outcome, outcome));
  }
});
