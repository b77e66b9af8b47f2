// What the components declare for a watcher on a cluster; that it works there is for tests/kubernetes to show.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KubernetesEnvironment } from "../../../components/kubernetes/environment";
import { watcherPermissions } from "../../../components/kubernetes/needs";
import type { EnvironmentConfig } from "../../../config";
import { environment } from "../config/given";
import { declared, find, images } from "./declared";

const given = (watcher: object = {}, more: object = {}): EnvironmentConfig =>
  environment({
    engine: "kubernetes",
    images,
    services: { server: { image: "server", port: 8080 } },
    rollout: { deadline: "60s", drain: "10s" },
    secrets: { TOKEN: "geheim" },
    watcher: {
      image: "ghcr.io/acme/tagalong:1.0.0",
      backend: "s3://acme-state",
      secrets: ["TOKEN"],
      ...watcher,
    },
    ...more,
  });
const declare = (config: EnvironmentConfig) => declared(KubernetesEnvironment, config);

interface Declared {
  spec: {
    strategy: object;
    template: { metadata: { annotations: Record<string, string> }; spec: PodSpec };
  };
}
interface PodSpec extends Record<string, unknown> {
  containers: {
    env: { name: string; value?: string }[];
    resources: object;
    securityContext: object;
    volumeMounts: { name: string; mountPath: string; subPath?: string }[];
  }[];
  volumes: { name: string }[];
}
const podOf = (seen: Awaited<ReturnType<typeof declare>>) => {
  const { spec } = find(seen, "Deployment dev-watcher") as unknown as Declared;
  const [container] = spec.template.spec.containers;
  assert(container);
  return { spec, pod: spec.template.spec, container };
};
const stateOf = ({ container }: ReturnType<typeof podOf>) =>
  container.volumeMounts.filter(({ name }) => name === "state");

describe("A watcher's resources on Kubernetes", () => {
  it("are those of one pod, made only where the config has one", async () => {
    const own = async (config: EnvironmentConfig) =>
      [...(await declare(config)).keys()].filter((name) => name.endsWith("dev-watcher")).sort();
    assert.deepEqual(await own(given()), [
      "ConfigMap dev-watcher",
      "Deployment dev-watcher",
      "KubernetesTagWatcher dev-watcher",
      "NetworkPolicy dev-watcher",
      "Role dev-watcher",
      "RoleBinding dev-watcher",
      "Secret dev-watcher",
      "ServiceAccount dev-watcher",
    ]);
    assert.deepEqual(await own(given({}, { watcher: undefined })), []);
  });

  it("never have two at work, and leave a roll the time that it may take", async () => {
    const { spec, pod } = podOf(await declare(given()));
    assert.deepEqual(spec.strategy, { type: "Recreate" });
    assert.equal(pod["terminationGracePeriodSeconds"], 60 + 10 + 30);
    assert.equal(pod["hostname"], "watcher-c1a1");
  });

  it("keep what restricted Pod Security asks for, and let nobody in", async () => {
    const seen = await declare(given());
    const { pod, container } = podOf(seen);
    assert.deepEqual(pod["securityContext"], {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    });
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    assert.deepEqual(Object.keys(container.resources), ["requests"]);
    const policy = find(seen, "NetworkPolicy dev-watcher")["spec"] as Record<string, unknown>;
    assert.deepEqual([policy["policyTypes"], policy["ingress"]], [["Ingress"], []]);
  });

  it("have the account's token in its own pod alone", async () => {
    const seen = await declare(given());
    assert.equal(podOf(seen).pod["automountServiceAccountToken"], true);
    assert.equal(find(seen, "ServiceAccount dev-watcher")["automountServiceAccountToken"], false);
  });

  it("show no secret but in the Secret", async () => {
    const seen = await declare(given());
    const showing = [...seen].filter(([, inputs]) => JSON.stringify(inputs).includes("geheim"));
    assert.deepEqual(
      showing.map(([name]) => name),
      ["Secret dev-watcher"],
    );
  });

  it("have the folder of the state where the config has a volume for it", async () => {
    const without = podOf(await declare(given()));
    assert.deepEqual(stateOf(without), []);
    const backend = "file:///srv/acme%20state?metadata=skip";
    const pod = podOf(await declare(given({ backend, volumeClaim: "state" })));
    assert.deepEqual(stateOf(pod), [{ name: "state", mountPath: "/srv/acme state" }]);
    const [variable] = pod.container.env.filter(({ name }) => name === "PULUMI_BACKEND_URL");
    assert.equal(variable?.value, backend);
  });

  it("may do what docs/kubernetes.md says, and nothing else", () => {
    const server = {
      ...{ image: "server", port: 8080, resources: { cpu: 1 } },
      ...{ autoscale: { min: 2, max: 3 }, ingress: { host: "shop.example" } },
    };
    const granted = watcherPermissions(given({}, { services: { server } })).map(
      ({ group, resource, verbs }) => `${resource}${group ? `.${group}` : ""}: ${verbs.join(", ")}`,
    );
    const page = readFileSync(join(__dirname, "../../../docs/kubernetes.md"), "utf8");
    const [, section = ""] = page.split("\n### Its rights\n");
    const told = [
      ...(section.split("\n#")[0] ?? "").matchAll(/^\| (`.*`) \| ([a-z, ]+) \| .+ \|$/gm),
    ].flatMap(([, names = "", verbs]) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => `${name}: ${verbs}`),
    );
    assert.deepEqual(told.sort(), granted.sort());
  });
});
