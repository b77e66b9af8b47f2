// A receipt as a roll leaves it, with whatever a test is about put in its place.
import type { Receipt } from "../../rollout/record";

export const commitA = "a".repeat(40);
export const commitB = "b".repeat(40);

export function receipt(changes: Partial<Receipt> = {}): Receipt {
  return {
    id: "20261121T161500.123Z-4f9a01",
    environment: "dev",
    trigger: "tag",
    by: "ada@build-7",
    via: "watcher",
    images: {
      server: {
        from: `sha256:${"1".repeat(64)}`,
        to: `sha256:${"2".repeat(64)}`,
        version: "1.4.2",
        revision: commitB,
      },
    },
    hops: { observed: "2026-11-21T16:15:00.000Z" },
    outcome: "rolling",
    ...changes,
  };
}
