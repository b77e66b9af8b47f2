import assert from "node:assert/strict";
import { admit, type Candidacy } from "../../../rollout/admission";
import type { Findings, Verdict } from "../../../rollout/record";

const digest = `sha256:${"5e".repeat(32)}`;
const record = { dev: `sha256:${"de".repeat(32)}`, test: `sha256:${"7e".repeat(32)}` };
const command = `tagalong override test --image server@${digest} --reason "…"`;

const verdict = (outcome: Verdict["outcome"], at: string, configuration = "here", reason = ""): Verdict => ({
  outcome,
  at: `2026-11-21T${at}Z`,
  reason,
  configuration,
  by: "ada@build-7",
  receipt: "r1",
});
const healthy = (at: string, configuration?: string): Findings => ({
  healthy: verdict("healthy", at, configuration),
});
const rejected = (environment: "dev" | "test", at: string, configuration?: string): Findings => ({
  rejected: { ...verdict("rejected", at, configuration, "exited with code 1"), record: record[environment] },
});
const overriding = (...rejections: string[]): Findings => ({
  override: { at: "2026-11-21T17:00:00Z", by: "ada@build-7", reason: "a flaky probe", rejections },
});

const admission = (given: { own?: Findings; dev?: Findings; forMs?: number; now?: string }) => {
  const { own = {}, dev, forMs = 0, now = "18:00:00" } = given;
  const candidacy: Candidacy = {
    image: "server",
    digest,
    environment: "test",
    configuration: "here",
    own,
    ...(dev ? { after: { environment: "dev", forMs, findings: dev } } : {}),
    now: Date.parse(`2026-11-21T${now}Z`),
  };
  return admit(candidacy);
};

describe("An image is admitted", () => {
  const cases: { name: string; given: Parameters<typeof admission>[0]; isOverridden?: boolean }[] = [
    { name: "that nobody knows anything of", given: {} },
    { name: "that was healthy here", given: { own: healthy("16:00:00") } },
    {
      name: "that was rejected here with another configuration",
      given: { own: rejected("test", "16:00:00", "other") },
    },
    {
      name: "that was rejected here, when an override names that rejection",
      given: { own: { ...rejected("test", "16:00:00"), ...overriding(record.test) } },
      isOverridden: true,
    },
    { name: "that is healthy in the environment before", given: { dev: healthy("16:00:00") } },
    {
      name: "that is healthy there with a configuration of its own",
      given: { dev: healthy("16:00:00", "dev's") },
    },
    {
      name: "that has been healthy there for exactly as long as is asked",
      given: { dev: healthy("16:00:00"), forMs: 7_200_000 },
    },
    {
      name: "that was rejected there and is healthy since, with another configuration",
      given: { dev: { ...rejected("dev", "16:00:00", "old"), ...healthy("17:00:00", "new") } },
    },
    {
      name: "that was rejected there, when an override here names that rejection",
      given: { own: overriding(record.dev), dev: rejected("dev", "16:00:00") },
      isOverridden: true,
    },
    {
      name: "that has no verdict there, when there is an override here",
      given: { own: overriding(), dev: {} },
      isOverridden: true,
    },
    {
      name: "that is not healthy there for long enough, when there is an override here",
      given: { own: overriding(), dev: healthy("17:59:00"), forMs: 3_600_000 },
      isOverridden: true,
    },
    {
      name: "that both rejected, when an override here names both rejections",
      given: {
        own: { ...rejected("test", "16:00:00"), ...overriding(record.dev, record.test) },
        dev: rejected("dev", "16:00:00"),
      },
      isOverridden: true,
    },
  ];
  for (const { name, given, isOverridden = false } of cases) {
    it(name, () => {
      const decision = admission(given);
      assert.equal(decision.admitted, true, decision.admitted ? "" : decision.reason);
      assert.equal(decision.evidence.isOverridden, isOverridden);
      assert.deepEqual(decision.evidence.own, given.own ?? {});
      assert.deepEqual(decision.evidence.after?.findings, given.dev);
    });
  }
});

describe("An image is refused, with the way out,", () => {
  const rejectedHere = `rejected in test at 2026-11-21 16:00:00 UTC: exited with code 1; change its configuration, let the tag move on, or say that it may: ${command}`;
  const rejectedThere = `rejected in dev at 2026-11-21 16:00:00 UTC: exited with code 1; name another release, or say that it may: ${command}`;
  const cases: {
    name: string;
    given: Parameters<typeof admission>[0];
    reason: string;
    until?: string;
  }[] = [
    {
      name: "that was rejected here with this configuration",
      given: { own: rejected("test", "16:00:00") },
      reason: rejectedHere,
    },
    {
      name: "that was rejected here and was healthy here, before or since: rejected beats healthy",
      given: { own: { ...rejected("test", "16:00:00"), ...healthy("17:00:00") } },
      reason: rejectedHere,
    },
    {
      name: "that was rejected here again since the override",
      given: { own: { ...rejected("test", "16:00:00"), ...overriding(record.dev) } },
      reason: rejectedHere,
    },
    {
      name: "that was rejected here, however healthy it is in the environment before",
      given: { own: rejected("test", "16:00:00"), dev: healthy("15:00:00") },
      reason: rejectedHere,
    },
    {
      name: "that was rejected in the environment before",
      given: { dev: rejected("dev", "16:00:00") },
      reason: rejectedThere,
    },
    {
      name: "that was healthy there and was rejected since",
      given: { dev: { ...rejected("dev", "16:00:00", "new"), ...healthy("15:00:00", "old") } },
      reason: rejectedThere,
    },
    {
      name: "that was rejected there and healthy since with the same configuration: luck is no proof",
      given: { dev: { ...rejected("dev", "16:00:00"), ...healthy("17:00:00") } },
      reason: rejectedThere,
    },
    {
      name: "that was rejected there, when the override is that environment's",
      given: { dev: { ...rejected("dev", "16:00:00"), ...overriding(record.dev) } },
      reason: rejectedThere,
    },
    {
      name: "that was rejected there, when the override here knows of another rejection only",
      given: { own: overriding(record.test), dev: rejected("dev", "16:00:00") },
      reason: rejectedThere,
    },
    {
      name: "that has no verdict there",
      given: { dev: {} },
      reason: `dev has not found it healthy yet; wait until it has, or say that it may: ${command}`,
    },
    {
      name: "that is not healthy there for long enough",
      given: { dev: healthy("17:45:00"), forMs: 30 * 60_000 },
      reason: `healthy in dev since 2026-11-21 17:45:00 UTC, which is not 30 min yet; wait until 2026-11-21 18:15:00 UTC, or say that it may: ${command}`,
      until: "18:15:00",
    },
    {
      name: "that is not healthy there for long enough, by a millisecond",
      given: { dev: healthy("16:30:00.001"), forMs: 90 * 60_000 },
      reason: `healthy in dev since 2026-11-21 16:30:00 UTC, which is not 90 min yet; wait until 2026-11-21 18:00:00 UTC, or say that it may: ${command}`,
      until: "18:00:00.001",
    },
  ];
  for (const { name, given, reason, until } of cases) {
    it(name, () => {
      const decision = admission(given);
      assert(!decision.admitted);
      assert.equal(decision.reason, reason);
      assert.equal(decision.untilMs, until === undefined ? undefined : Date.parse(`2026-11-21T${until}Z`));
    });
  }
});
