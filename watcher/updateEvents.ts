// What the engine says while it updates the stack, kept as far as the watcher wants to know it.
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { engineOf } from "../provider/engine";
import type { GateInputs } from "../provider/gate";
import type { Hop } from "../rollout/record";
import type { UpdateFailure } from "../rollout/verdict";

/** Milliseconds since the epoch at which a step of a roll was reached. */
export type HopTimes = Partial<Record<Hop, number>>;

type Step = NonNullable<EngineEvent["resOutputsEvent"]>["metadata"];

export class UpdateEvents {
  readonly failures: UpdateFailure[] = [];
  /** What the gate has waited for. */
  gate: GateInputs | undefined;
  /** Whether the gate had something new to wait for, so that something was rolled. */
  hasRolled = false;
  readonly hops: HopTimes = {};

  /**
   * @param on.onRolling called once something is made that was not there
   * @param on.onLive called once the traffic has moved
   */
  constructor(private readonly on: { onRolling?: () => void; onLive?: () => void }) {}

  readonly hear = ({ diagnosticEvent, resOutputsEvent }: EngineEvent): void => {
    if (diagnosticEvent?.severity === "error") {
      this.failures.push({ ...nameOf(diagnosticEvent.urn ?? ""), message: plain(diagnosticEvent.message) });
    }
    const step = resOutputsEvent?.metadata;
    if (!step) return;
    if (step.type === "tagalong:index:Gate" && step.op !== "delete") {
      this.gate = step.new?.inputs as GateInputs | undefined;
      this.hasRolled ||= isMade(step);
    }
    for (const [name, at] of hopsOf(step, this.hops)) {
      if (Object.keys(this.hops).length === 0) this.on.onRolling?.();
      this.hops[name] = at;
      if (name === "switched") this.on.onLive?.();
    }
  };
}

/** Whether the engine has blotted out what is also the text of a secret, as it does in all that it says, wherever it stands. */
export const isBlotted = (said: object): boolean => JSON.stringify(said).includes("[secret]");

/** Whether something is there now that was not; it may also have been looked at alone, by a refresh. */
const isMade = ({ op }: Step): boolean => ["create", "update", "replace", "create-replacement"].includes(op);

/**
 * The steps of a roll that are done when this is. Of several, such as replicas, the last one's time stands; a Deployment
 * rolls by itself from the first one on.
 */
function hopsOf(step: Step, before: HopTimes): [name: Hop, at: number][] {
  const outputs = step.new?.outputs ?? {};
  const at = (output: string) => (typeof outputs[output] === "number" ? outputs[output] : Date.now());
  const [isNew, now] = [isMade(step), Date.now()];
  switch (step.type) {
    case "tagalong:index:Image":
      return isNew ? [["pulled", now]] : [];
    case "docker:index/container:Container":
      if (step.op === "delete") return [["drained", now]];
      return isNew ? [["started", now]] : [];
    case "kubernetes:apps/v1:Deployment":
      return isNew ? [["started", before.started ?? now]] : [];
    case "tagalong:index:Gate": {
      if (!isNew) return [];
      const passedAt = at("passedAt");
      const { movesTraffic } = engineOf(step.new?.inputs as GateInputs);
      return [["healthy", passedAt], ...(movesTraffic ? [["switched", passedAt] as [Hop, number]] : [])];
    }
    case "tagalong:index:Route":
      return isNew ? [["switched", at("switchedAt")]] : [];
  }
  return [];
}

function nameOf(urn: string): { type: string; name: string } {
  const [, , types = "", name = ""] = urn.split("::");
  return { type: types.split("$").pop() ?? "", name };
}

/** Without the engine's colour marks, as in `<{%fg 1%}>`. */
const plain = (text: string): string => text.replace(/<\{%[^%]*%\}>/g, "").trim();
