// What the engine says while it updates the stack, kept as far as the watcher wants to know it.
import type { EngineEvent } from "@pulumi/pulumi/automation";
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
    const hop = hopOf(step);
    if (!hop) return;
    if (Object.keys(this.hops).length === 0) this.on.onRolling?.();
    this.hops[hop.name] = hop.at;
    if (hop.name === "switched") this.on.onLive?.();
  };
}

/** Whether something is there now that was not; it may also have been looked at alone, by a refresh. */
const isMade = ({ op }: Step): boolean => ["create", "update", "replace", "create-replacement"].includes(op);

/** The step of a roll that is done when this is; of several, such as replicas, the last one's time stands. */
function hopOf(step: Step): { name: Hop; at: number } | undefined {
  const outputs = step.new?.outputs ?? {};
  const at = (output: string) => (typeof outputs[output] === "number" ? outputs[output] : Date.now());
  const isNew = isMade(step);
  switch (step.type) {
    case "tagalong:index:Image":
      return isNew ? { name: "pulled", at: Date.now() } : undefined;
    case "docker:index/container:Container":
      if (step.op === "delete") return { name: "drained", at: Date.now() };
      return isNew ? { name: "started", at: Date.now() } : undefined;
    case "tagalong:index:Gate":
      return isNew ? { name: "healthy", at: at("passedAt") } : undefined;
    case "tagalong:index:Route":
      return isNew ? { name: "switched", at: at("switchedAt") } : undefined;
  }
  return undefined;
}

function nameOf(urn: string): { type: string; name: string } {
  const [, , types = "", name = ""] = urn.split("::");
  return { type: types.split("$").pop() ?? "", name };
}

/** Without the engine's colour marks, as in `<{%fg 1%}>`. */
const plain = (text: string): string => text.replace(/<\{%[^%]*%\}>/g, "").trim();
