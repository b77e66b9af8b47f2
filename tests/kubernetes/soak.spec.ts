// After the gate, on a real cluster: what says that a roll is no good, what says nothing, and the way back.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { V1Service } from "@kubernetes/client-node";
import { engineOf, soakedEngineOf } from "../../provider/engine";
import { pathOf } from "../../provider/kubernetes/api";
import { labels } from "../../provider/kubernetes/layout";
import type { ClusterGateInputs } from "../../provider/kubernetes/lookout";
import { Soak } from "../../provider/soakTime";
import { cluster, onKubernetes } from "./engine";
import { CutLine } from "./line";
import { Namespace, pass, push } from "./workload";

const services = { group: "", version: "v1", resource: "services" };
const never = new AbortController().signal;

describe("The soak time on a cluster", function () {
  this.timeout(600_000);

  const namespace = new Namespace();
  let good: string;
  let next: string;

  before(async () => {
    await namespace.make();
    [good, next] = await Promise.all([push({ version: "1" }), push({ version: "2" })]);
  });
  after(() => namespace.end());

  /** Soaks, once there was a first look at what serves; `meanwhile` happens after that. */
  const soak = async (inputs: ClusterGateInputs, forMs: number, meanwhile: () => Promise<unknown>) => {
    const lookout = engineOf(inputs).lookout();
    try {
      await lookout.look(never);
      const soaking = new Soak(lookout, Date.now() + forMs).look(Number.POSITIVE_INFINITY, never);
      const [seen] = await Promise.all([soaking, meanwhile()]);
      return seen;
    } finally {
      lookout.close();
    }
  };

  it("does not mind a pod that is evicted, nor that the next one takes its time", async () => {
    const env = { HEALTHY_AFTER_MS: "2000" };
    const drained = await namespace.roll("drained", { reference: good, health: "/healthz", env });
    const [pod] = await namespace.pods("drained");
    assert(pod);
    const seen = await soak(namespace.inputs({ drained }), 5_000, () => namespace.evict(pod));
    assert.deepEqual(seen, { unwell: [], gone: [], over: true });
    assert.notEqual((await namespace.pods("drained"))[0]?.metadata.name, pod.metadata.name);
  });

  it("sees that a pod is not ready any more", async () => {
    const sick = await namespace.roll("sick", { reference: good, health: "/healthz" });
    const { spec } = await cluster.post<V1Service>(pathOf(services, namespace.name), {
      metadata: { name: "sick" },
      spec: { type: "NodePort", selector: { [labels.service]: "sick" }, ports: [{ port: 8080 }] },
    });
    const url = onKubernetes.url(spec?.ports?.[0]?.nodePort ?? 0);
    const sicken = async () => {
      // The node leads there a moment later.
      while (
        !(await fetch(`${url}/sicken`).then(
          ({ ok }) => ok,
          () => false,
        ))
      )
        await pause(50);
    };
    const { unwell } = await soak(namespace.inputs({ sick }), 30_000, sicken);
    assert.match(
      unwell[0]?.reason ?? "",
      /^sick-\S+ turned unhealthy after the switch: its readiness probe fails$/,
    );
    assert.equal(unwell[0]?.reference, good);
  });

  it("sees that a container exits, with its last lines", async () => {
    const container = { command: ["sh", "-c", "echo bye; sleep 3; exit 9"] };
    const ending = await namespace.roll("ending", { reference: good, container });
    const inputs = namespace.inputs({ ending });
    const lookout = engineOf(inputs).lookout();
    const { unwell } = await new Soak(lookout, Date.now() + 30_000).look(30_000, never);
    assert.match(unwell[0]?.reason ?? "", /^ending-\S+ exited with code 9 after the switch$/);
    assert.deepEqual(await lookout.lastLines(unwell[0]?.replica ?? "", 5), ["bye"]);
    lookout.close();
  });

  it("leaves open what somebody has changed by hand", async () => {
    const changed = await namespace.roll("changed", { reference: good });
    const scale = () => namespace.change("changed", "kubectl", { spec: { replicas: 0 } }, "/scale");
    const { unwell, gone } = await soak(namespace.inputs({ changed }), 3_000, scale);
    assert.deepEqual([unwell, gone], [[], ["changed"]]);
  });

  it("is not over while the cluster's API is away", async () => {
    const line = await CutLine.open();
    try {
      const away = await namespace.roll("away", { reference: good });
      let isOver = false;
      const soaking = soak(namespace.inputs({ away }, 120_000, line.context), 3_000, async () => {
        await line.isWatched();
        line.cut();
      }).then((seen) => {
        isOver = true;
        return seen;
      });
      while (!line.isRefusing) await pause(20);
      await pause(4_000);
      assert.equal(isOver, false);
      line.mend();
      assert.deepEqual(await soaking, { unwell: [], gone: [], over: true });
    } finally {
      line.close();
    }
  });

  describe("the way back", () => {
    it("leads to the pods that served before, as a change of whoever declares them", async () => {
      const [before, after] = [{ OLD: "1" }, { NEW: "1" }];
      const first = await namespace.roll("back", { reference: good, replicas: 2, env: before });
      const still = await namespace.roll("still", { reference: good });
      const served = await soakedEngineOf(namespace.inputs({ back: first, still })).served();
      const second = await namespace.roll("back", { reference: next, replicas: 2, env: after });
      const engine = soakedEngineOf(namespace.inputs({ back: second, still }));
      assert.equal(await engine.goBack(served, never), "rolled back to what served before: back");

      const { metadata, spec } = await namespace.deployment("back");
      const [container] = spec?.template.spec?.containers ?? [];
      assert.deepEqual([container?.image, container?.env], [good, [{ name: "OLD", value: "1" }]]);
      assert.deepEqual([spec?.replicas, spec?.strategy?.rollingUpdate?.maxUnavailable], [2, 0]);
      assert.equal(metadata?.annotations?.["tagalong.dev/environment"], "shop/test");
      const generation = metadata?.generation ?? 0;
      await pass(namespace.inputs({ back: { ...first, generation } }));

      await namespace.roll("back", { reference: next, replicas: 2 });
      const { spec: third } = await namespace.deployment("back");
      assert.deepEqual(third?.template.spec?.containers[0]?.env ?? [], []);
    });

    it("says that there is none after a first roll", async () => {
      const only = await namespace.roll("only", { reference: good });
      const engine = soakedEngineOf(namespace.inputs({ only }));
      assert.equal(
        await engine.goBack({}, never),
        "nothing else served before, so the pods stay as they are",
      );
    });

    it("says what to do where the cluster has forgotten what served before", async () => {
      const spec = { revisionHistoryLimit: 0 };
      const first = await namespace.roll("forgetful", { reference: good, spec });
      const served = await soakedEngineOf(namespace.inputs({ forgetful: first })).served();
      const second = await namespace.roll("forgetful", { reference: next, spec });
      const sets = { group: "apps", version: "v1", resource: "replicasets" };
      const former = pathOf(sets, namespace.name, `forgetful-${served["forgetful"]}`);
      while (
        await cluster.get(former).then(
          () => true,
          () => false,
        )
      )
        await pause(50);
      const said = await soakedEngineOf(namespace.inputs({ forgetful: second })).goBack(served, never);
      assert.match(
        said,
        /could not be rolled back .* \(the ReplicaSet forgetful-\S+ is gone\): name the release/,
      );
    });
  });
});
