// What a person must see of the checklist while Pulumi runs; all of it is an output of the stack.
import * as pulumi from "@pulumi/pulumi";
import type { Row } from "../../access/checklist";

/** The same rows; those that nobody but a person puts right are said in previews and updates. */
export function tell(rows: Row[]): Row[] {
  for (const { what, state, detail, page } of rows) {
    if (state === "click")
      void pulumi.log.warn(`${what}: ${detail}${page === undefined ? "" : ` (${page})`}`);
  }
  return rows;
}
