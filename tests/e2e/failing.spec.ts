// Candidates that fail on a Docker engine.
import assert from "node:assert/strict";
import { describeFailing } from "../behaviour/failing";
import { onDocker } from "./harness";

describeFailing(onDocker, {
  noCommand: /executable file not found/,
  unpullable: /@sha256:\w+ could not be pulled: .*unknown/,
  more: (fail) => {
    it("has a HEALTHCHECK that fails, or never ends", async () => {
      const without = { health: undefined };
      assert.match(
        await fail({ healthcheck: ["CMD-SHELL", "echo out of order; exit 1"] }, without),
        /its HEALTHCHECK ended with code 1: out of order/,
      );
      assert.match(
        await fail({ healthcheck: ["CMD", "sleep", "600"] }, without),
        /was not healthy within 3\.0 s: its HEALTHCHECK did not end/,
      );
    });
  },
});
