// Promotion on Kubernetes.
import assert from "node:assert/strict";
import { describePromotion } from "../behaviour/promotion";
import { onKubernetes } from "../kubernetes/engine";

describePromotion(onKubernetes, {
  soaked: (given) => {
    it("rolls once more, once somebody says so, to what it was rolled back from", async () => {
      await given.override("2.1.0", "the database is back");
      assert.match((await given.stack.changes()).join(), /update Deployment test-server/);
      await given.stack.up();
      await given.serves("2.1.0");
      assert.deepEqual(await given.stack.changes(), []);
    });

    it("is settled by naming what ran before", async () => {
      given.promote("1.1.0");
      await given.stack.up();
      await given.serves("1.1.0");
      assert.deepEqual(await given.stack.changes(), []);
    });
  },
});
