// What the engine says while it updates the stack, kept as far as the watcher wants to know it.
import type { EngineEvent } from "@pulumi/pulumi/automation";
import type { GateInputs } from "../provider/gate";
import type { UpdateFailure } from "../rollout/verdict";

export class UpdateEvents {
  readonly failures: UpdateFailure[] = [];
  /** What the gate has waited for. */
  gate: GateInputs | undefined;
  /** When the traffic moved, milliseconds since the epoch; undefined where it did not need to. */
  switchedAt: number | undefined;

  /** @param onLive called once the traffic has moved */
  constructor(private readonly onLive: () => void) {}

  readonly hear = ({ diagnosticEvent, resOutputsEvent }: EngineEvent): void => {
    if (diagnosticEvent?.severity === "error") {
      this.failures.push({ ...nameOf(diagnosticEvent.urn ?? ""), message: plain(diagnosticEvent.message) });
    }
    const step = resOutputsEvent?.metadata;
    if (step?.type === "tagalong:index:Gate") this.gate = step.new?.inputs as GateInputs | undefined;
    if (step?.type === "tagalong:index:Route" && step.op !== "same") {
      this.switchedAt = step.new?.outputs["switchedAt"] as number | undefined;
      this.onLive();
    }
  };
}

function nameOf(urn: string): { type: string; name: string } {
  const [, , types = "", name = ""] = urn.split("::");
  return { type: types.split("$").pop() ?? "", name };
}

/** Without the engine's colour marks, as in `<{%fg 1%}>`. */
const plain = (text: string): string => text.replace(/<\{%[^%]*%\}>/g, "").trim();
