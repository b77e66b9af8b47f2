// What an environment promises on Kubernetes.
import assert from "node:assert/strict";
import { describeEnvironment } from "../behaviour/environment";
import { becomes } from "../e2e/engine";
import { ask, startTraffic } from "../e2e/harness";
import { onKubernetes } from "../kubernetes/engine";

describeEnvironment(onKubernetes, {
  before: (life) => {
    it("moves a service to another port without a failed request", async () => {
      const { stack, url, services } = life();
      const { version } = await ask(url);
      const pods = await stack.ids("client");
      stack.configure({
        services: services({ replicas: 1 }, { env: { ODD: "", PORT: "8081" }, port: 8081 }),
      });
      const traffic = await startTraffic({ url, rate: 80, slowMs: 500 });
      await stack.up();
      await becomes(onKubernetes, async () => (await stack.ids("client")).length, pods.length);
      const report = await traffic.stop();
      assert.deepEqual(report.samples, []);
      assert.equal((await ask(url)).version, version);
      assert.notDeepEqual(await stack.ids("client"), pods);
      stack.configure({ services: services({ replicas: 1 }) });
      await stack.up();
    });
  },
});
