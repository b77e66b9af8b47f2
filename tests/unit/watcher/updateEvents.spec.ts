/** What the watcher keeps of the engine's events. */
import assert from "node:assert/strict";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { UpdateEvents } from "../../../watcher/updateEvents";

const step = (type: string, op: string, outputs: object = {}, inputs: object = {}) =>
  ({ resOutputsEvent: { metadata: { type, op, new: { inputs, outputs } } } }) as unknown as EngineEvent;
const container = "docker:index/container:Container";
const roll = [
  step("tagalong:index:Image", "update"),
  step(container, "create"),
  step("tagalong:index:Gate", "update", { passedAt: 1_000 }, { network: "n" }),
  step("tagalong:index:Route", "update", { switchedAt: 2_000 }),
  step(container, "delete"),
];

describe("The engine's events", () => {
  const heard: string[] = [];
  const hear = (events: EngineEvent[]) => {
    heard.length = 0;
    const on = { onRolling: () => heard.push("rolling"), onLive: () => heard.push("live") };
    const kept = new UpdateEvents(on);
    for (const event of events) kept.hear(event);
    return kept;
  };

  it("tell each step of a roll, in the provider's own time where it has one", () => {
    const { hops, hasRolled, gate } = hear(roll);
    assert.deepEqual(Object.keys(hops), ["pulled", "started", "healthy", "switched", "drained"]);
    assert.deepEqual([hops.healthy, hops.switched], [1_000, 2_000]);
    assert.equal(hasRolled, true);
    assert.equal(gate?.network, "n");
    assert.deepEqual(heard, ["rolling", "live"]);
  });

  it("tell of a cluster that a Deployment starts to roll, and that the traffic has moved once the gate is passed", () => {
    const inputs = { cluster: { context: "", namespace: "n" }, services: {}, deadlineMs: 1 };
    const deployment = "kubernetes:apps/v1:Deployment";
    const { hops, hasRolled } = hear([
      step(deployment, "update"),
      step(deployment, "same"),
      step("tagalong:index:Gate", "update", { passedAt: 1_000 }, inputs),
    ]);
    assert.deepEqual(Object.keys(hops), ["started", "healthy", "switched"]);
    assert.deepEqual([hops.healthy, hops.switched, hasRolled], [1_000, 1_000, true]);
    assert.deepEqual(heard, ["rolling", "live"]);
  });

  it("tell that there was nothing to roll, and what the gate has waited for all the same", () => {
    const same = ["tagalong:index:Image", container, "tagalong:index:Gate", "tagalong:index:Route"];
    const { hops, hasRolled, gate } = hear(same.map((type) => step(type, "same", {}, { network: "n" })));
    assert.deepEqual([hops, hasRolled, gate?.network], [{}, false, "n"]);
    assert.deepEqual(heard, []);
  });

  it("tell a look at what is there from a roll", () => {
    const { hops, hasRolled } = hear([step("tagalong:index:Gate", "refresh"), step(container, "refresh")]);
    assert.deepEqual([hops, hasRolled, heard], [{}, false, []]);
  });

  it("keep errors with the resource that they are of, without colours", () => {
    const urn = "urn:pulumi:dev::shop::tagalong:index:Environment$tagalong:index:Gate::dev";
    const diagnosticEvent = { severity: "error", urn, message: "<{%fg 1%}>it exited<{%reset%}>\n" };
    const { failures } = hear([{ diagnosticEvent } as unknown as EngineEvent]);
    assert.deepEqual(failures, [{ type: "tagalong:index:Gate", name: "dev", message: "it exited" }]);
  });
});
