// What a failed roll says about the images: that they are bad, or only that something was in the way.
import { parseFailures } from "./gate";

/** An error of an update: the type of the resource that failed, and the engine's words. */
export interface UpdateFailure {
  type: string;
  message: string;
}

export type Verdict =
  /** The images are to blame and are not tried again. */
  | { kind: "rejected"; services: { service: string; reason: string }[] }
  /** Something else was; the same roll may work later. */
  | { kind: "retry"; reason: string };

const firstLine = (text: string): string => text.split("\n")[0] ?? "";

/** Words of the engine that mean that the image itself cannot be had or started, now or later. */
const imageAtFault =
  /manifest unknown|not found: manifest|no matching manifest|has no image for|exec format error|executable file not found|no such file or directory.*exec|unable to start container/i;

export function judgeFailures(failures: readonly UpdateFailure[]): Verdict {
  const gate = failures
    .filter(({ type }) => type === "tagalong:index:Gate")
    .flatMap(({ message }) => parseFailures(message));
  if (gate.length > 0) {
    return { kind: "rejected", services: gate.map(({ service, reason }) => ({ service, reason })) };
  }
  const image = failures.filter(({ message }) => imageAtFault.test(message));
  if (image.length > 0) {
    return {
      kind: "rejected",
      services: image.map(({ message }) => ({ service: "", reason: firstLine(message) })),
    };
  }
  return {
    kind: "retry",
    reason: failures.map(({ message }) => firstLine(message)).join("; ") || "the update failed",
  };
}
