// Promotion on Kubernetes.
import assert from "node:assert/strict";
import { describePromotion } from "../behaviour/promotion";
import { onKubernetes } from "../kubernetes/engine";

describePromotion(onKubernetes, {
  soaked: (given) => {
    it("is settled by naming what runs again", async () => {
      given.promote("1.1.0");
      await given.stack.up();
      await given.serves("1.1.0");
      assert.deepEqual(await given.stack.changes(), []);
    });
  },
});
