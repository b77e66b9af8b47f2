// The gate before a real cluster: what it lets through, what it does not and why, and what it does not mind.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { pathOf } from "../../provider/kubernetes/api";
import { isClusterError } from "../../provider/kubernetes/errors";
import { judgeFailures } from "../../rollout/verdict";
import { pushApp, registry } from "../e2e/images";
import { cluster } from "./engine";
import { CutLine } from "./line";
import { Namespace, type Plan, pass, push, pushForAnother } from "./workload";

const quotas = { group: "", version: "v1", resource: "resourcequotas" };
const missing = `sha256:${"0".repeat(64)}`;

describe("The gate on a cluster", function () {
  this.timeout(600_000);

  const namespace = new Namespace();
  const narrow = new Namespace();
  let good: string;
  let next: string;

  /** Rolls what runs well to something else, and tells how the gate failed and whether an image was found at fault. */
  const fails = async (service: string, plan: Plan, { deadlineMs = 120_000, at = namespace } = {}) => {
    const applied = await at.apply(service, plan);
    try {
      await pass(at.inputs({ [service]: applied }, deadlineMs));
    } catch (error) {
      const { message } = error as Error;
      const failure = { type: "tagalong:index:Gate", name: "dev", message };
      const { kind } = judgeFailures([failure], { stack: "dev", services: [service] });
      return { message, kind };
    }
    throw new Error(`${service} passed the gate`);
  };

  /** Those that are given some time to get better, which the others do not wait for. */
  let patient: Record<"away" | "node", ReturnType<typeof fails>>;

  before(async () => {
    await Promise.all([namespace.make(), narrow.make()]);
    [good, next] = await Promise.all([push({ version: "1" }), push({ version: "2" })]);
    const pod = { nodeSelector: { "tagalong.dev/none": "here" } };
    patient = {
      away: fails("away", { reference: `127.0.0.1:1/gate@${missing}` }),
      node: fails("node", { reference: next, pod }),
    };
  });
  after(() => Promise.all([namespace.end(), narrow.end()]));

  it("lets a roll through once the new pods alone are there, each ready and with the digest", async () => {
    await namespace.roll("server", { reference: good, replicas: 2, health: "/healthz" });
    const slow = { HEALTHY_AFTER_MS: "1500" };
    await namespace.roll("server", { reference: next, replicas: 2, health: "/healthz", env: slow });
    const pods = await namespace.pods("server");
    const seen = pods.map(({ spec, status }) => [
      spec?.containers[0]?.image,
      status?.containerStatuses?.[0]?.imageID.split("@")[1],
      status?.conditions?.find(({ type }) => type === "Ready")?.status,
    ]);
    assert.deepEqual(seen, Array(2).fill([next, next.split("@")[1], "True"]));
  });

  it("lets an image through that its node has by another digest already", async () => {
    const app = { version: "same content", user: "1000:1000" };
    const [one, other] = await Promise.all([
      pushApp("tests/gate", { ...app, flavour: "docker" }),
      pushApp("tests/gate", { ...app, flavour: "oci" }),
    ]);
    assert.notEqual(one.digest, other.digest);
    for (const { digest } of [one, other])
      await namespace.roll("alias", { reference: `${registry}/tests/gate@${digest}` });
  });

  describe("fails at once, and rejects the image, when", () => {
    it("a container exits, although the Deployment was well before, with its code and its last lines", async () => {
      await namespace.roll("crash", { reference: good });
      const reference = await push({ version: "3", env: { SAYS: "no config", EXIT_CODE: "78" } });
      const { message, kind } = await fails("crash", { reference });
      assert.match(message, /^service crash: crash-\S+ exited with code 78\n {2}image \S+@sha256:/);
      assert.match(message, /\n {2}its last lines:\n {2}\| no config$/);
      assert.equal(kind, "rejected");
    });

    it("a command is not in the image", async () => {
      const { message, kind } = await fails("command", {
        reference: next,
        container: { command: ["/nope"] },
      });
      assert.match(message, /command-\S+ could not be started: .*\/nope.*no such file/);
      assert.equal(kind, "rejected");
    });

    it("its manifest is not in the registry", async () => {
      const reference = `${registry}/tests/gate@${missing}`;
      const { message, kind } = await fails("manifest", { reference });
      assert.match(message, /manifest-\S+ cannot pull its image: .*not found/);
      assert.equal(kind, "rejected");
    });

    it("a layer of it is not in the registry", async () => {
      const reference = await push({ version: "4", lostLayer: true });
      const { message, kind } = await fails("layer", { reference });
      assert.match(message, /layer-\S+ cannot pull its image: .*not found/);
      assert.equal(kind, "rejected");
    });

    it("it is an image of another platform alone, with a hint", async () => {
      const reference = await pushForAnother({ version: "5" });
      const { message, kind } = await fails("platform", { reference });
      assert.match(message, /platform-\S+ cannot pull its image: .*no match for platform/);
      assert.match(message, /hint: the image is for another platform/);
      assert.equal(kind, "rejected");
    });

    it("its image names no user but root, with the key that names one", async () => {
      const { digest } = await pushApp("tests/gate", { version: "6" });
      const { message, kind } = await fails("root", { reference: `${registry}/tests/gate@${digest}` });
      assert.match(message, /root-\S+ cannot be started: .*runAsNonRoot/);
      assert.match(message, /hint: .* set tagalong:services\.root\.user/);
      assert.equal(kind, "rejected");
    });
  });

  it("fails at the deadline with the last answer of a pod that does not get ready", async () => {
    const reference = await push({ version: "7", env: { UNHEALTHY: "1" } });
    const { message, kind } = await fails("sick", { reference, health: "/healthz" }, { deadlineMs: 6_000 });
    assert.match(message, /sick-\S+ was not ready within 6\.0 s: .*statuscode: 503/);
    assert.equal(kind, "rejected");
  });

  describe("fails, and leaves the image alone, when", () => {
    it("a registry is out of reach, which a second try has shown", async () => {
      const { message, kind } = await patient.away;
      assert.match(message, /away-\S+ cannot pull its image: .*connection refused/);
      assert.equal(kind, "retry");
    });

    it("no node takes a pod", async () => {
      const { message, kind } = await patient.node;
      assert.match(message, /no node takes node-\S+: 0\/1 nodes are available/);
      assert.equal(kind, "retry");
    });

    it("a quota is full", async () => {
      await narrow.roll("quota", { reference: good });
      await cluster.post(pathOf(quotas, narrow.name), {
        metadata: { name: "one" },
        spec: { hard: { pods: 1 } },
      });
      const { message, kind } = await fails("quota", { reference: next }, { at: narrow });
      assert.match(message, /the cluster does not let it have its pods: .*exceeded quota: one/);
      assert.equal(kind, "retry");
    });

    it("Pod Security refuses the pods", async () => {
      const container = { securityContext: { privileged: true } };
      const { message, kind } = await fails("privileged", { reference: next, container });
      assert.match(message, /the cluster does not let it have its pods: .*violates PodSecurity "restricted/);
      assert.equal(kind, "retry");
    });

    it("a Secret that it needs is missing", async () => {
      const container = { envFrom: [{ secretRef: { name: "gone" } }] };
      const { message, kind } = await fails("secret", { reference: next, container });
      assert.match(message, /secret-\S+ cannot be started: secret "gone" not found/);
      assert.equal(kind, "retry");
    });

    it("its rollout is paused", async () => {
      const { message, kind } = await fails("paused", { reference: next, spec: { paused: true } });
      assert.match(message, /run `kubectl rollout resume deployment\/paused`/);
      assert.equal(kind, "retry");
    });

    it("somebody changes or removes the Deployment meanwhile", async () => {
      const applied = await namespace.apply("foreign", { reference: next, health: "/never" });
      const failing = (reason: RegExp) =>
        assert.rejects(pass(namespace.inputs({ foreign: applied })), ({ message }: Error) => {
          assert.match(message, reason);
          return !message.includes("\n  image ");
        });
      const scaled = failing(/somebody \(kubectl scale\) scaled foreign to 3 instead of 1/);
      await namespace.change("foreign", "kubectl", { spec: { replicas: 3 } }, "/scale");
      await scaled;
      await namespace.change("foreign", "kubectl", { spec: { replicas: 1 } }, "/scale");
      const changed = failing(/somebody \(kubectl-set\) changed the image of foreign to \S+/);
      const containers = [{ name: "foreign", image: good }];
      const change = { spec: { template: { spec: { containers } } } };
      await namespace.change("foreign", "kubectl-set", change);
      await changed;
      await cluster.delete(namespace.path("foreign"));
      await failing(/the Deployment foreign was removed while it was rolling out/);
    });
  });

  it("does not mind what an earlier roll has left in the Deployment's conditions, nor its pods", async () => {
    const bad = await push({ version: "8", env: { EXIT_CODE: "1" } });
    const spec = { progressDeadlineSeconds: 3 };
    await fails("stale", { reference: bad, spec });
    const isStale = async () => {
      const { status } = await namespace.deployment("stale");
      return status?.conditions?.some(({ reason }) => reason === "ProgressDeadlineExceeded");
    };
    while (!(await isStale())) await pause(100);
    await namespace.roll("stale", { reference: next, spec });
  });

  it("does not mind a pod that a drain takes away in the middle of the roll", async () => {
    await namespace.roll("drained", { reference: good, health: "/healthz" });
    const env = { HEALTHY_AFTER_MS: "2000" };
    const applied = await namespace.apply("drained", { reference: next, health: "/healthz", env });
    const passing = pass(namespace.inputs({ drained: applied }));
    const fresh = async () =>
      (await namespace.pods("drained")).find(
        ({ spec, status }) => spec?.containers[0]?.image === next && status?.phase === "Running",
      );
    let pod = await fresh();
    while (!pod) {
      await pause(50);
      pod = await fresh();
    }
    await namespace.evict(pod);
    await passing;
    const left = (await namespace.pods("drained")).map(({ metadata }) => metadata.name);
    assert.equal(left.includes(pod.metadata.name), false);
  });

  it("ends at once when it is cancelled", async () => {
    const applied = await namespace.apply("cancelled", { reference: next, health: "/never" });
    const cancelling = new AbortController();
    const passing = pass(namespace.inputs({ cancelled: applied }, 600_000), cancelling.signal);
    cancelling.abort(new Error("somebody pressed Ctrl-C"));
    await assert.rejects(passing, /somebody pressed Ctrl-C/);
  });

  describe("over a line that is cut", () => {
    let line: CutLine;
    before(async () => {
      line = await CutLine.open();
    });
    after(() => line.close());

    it("goes on where it was once the API is there again", async () => {
      const env = { HEALTHY_AFTER_MS: "3000" };
      const applied = await namespace.apply("cut", { reference: next, health: "/healthz", env });
      const passing = pass(namespace.inputs({ cut: applied }, 120_000, line.context));
      await line.isWatched();
      line.cut();
      while ((await namespace.deployment("cut")).status?.availableReplicas !== 1) await pause(50);
      line.mend();
      await passing;
    });

    it("says at the deadline that the API stays away, whatever it has seen before", async () => {
      const applied = await namespace.apply("silent", { reference: next, health: "/never" });
      const passing = pass(namespace.inputs({ silent: applied }, 3_000, line.context));
      await line.isWatched();
      line.cut();
      await assert.rejects(passing, (error) => {
        assert(isClusterError(error, "Unreachable"), String(error));
        assert.match(
          error.message,
          /^the cluster of the context "cut" at \S+ does not answer \(.+\): start it/,
        );
        return true;
      });
      line.mend();
    });
  });
});
