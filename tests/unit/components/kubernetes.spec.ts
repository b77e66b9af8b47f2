// What the components declare on a cluster; that it works there is for tests/kubernetes to show.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { KubernetesEnvironment } from "../../../components/kubernetes/environment";
import type { EnvironmentConfig } from "../../../config";
import { environment } from "../config/given";
import { declared as declaredOn, find, images, release } from "./declared";

const declared = (config: EnvironmentConfig) => declaredOn(KubernetesEnvironment, config);

const given = (service: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
  environment({
    engine: "kubernetes",
    images,
    services: { server: { image: "server", port: 8080, ...service } },
    ...more,
  });

interface Spec {
  template: {
    metadata: { labels: Record<string, string> };
    spec: Record<string, unknown> & { containers: Record<string, unknown>[] };
  };
}

/** What the Deployment of the only service is declared with. */
async function deployment(service: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const { metadata, spec } = find(await declared(given(service, more)), "Deployment dev-server") as {
    metadata: { annotations: Record<string, string> };
    spec: Spec & Record<string, unknown>;
  };
  const pod = spec.template.spec;
  return { metadata, spec, pod, container: pod.containers[0] ?? {} };
}

const kinds = async (config: EnvironmentConfig) =>
  [...(await declared(config)).keys()]
    .filter((name) => name.endsWith("dev-server"))
    .map((name) => name.split(" ")[0])
    .sort();

describe("An environment's resources on Kubernetes", () => {
  it("are of the claim's namespace, labelled with it, and nobody else's to change", async () => {
    const seen = await declared(given({ replicas: 2, secrets: ["TOKEN"] }, { secrets: { TOKEN: "geheim" } }));
    const objects = [...seen].filter(([, { metadata }]) => metadata !== undefined);
    assert.deepEqual(objects.map(([name]) => name).sort(), [
      "Deployment dev-server",
      "NetworkPolicy dev-server",
      "PodDisruptionBudget dev-server",
      "Secret dev-server",
      "Service dev-server",
      "ServiceAccount dev",
    ]);
    for (const [name, { metadata }] of objects) {
      const { namespace, labels, annotations } = metadata as Record<string, Record<string, string>>;
      assert.equal(namespace, "shop-dev", name);
      assert.equal(labels?.["tagalong.dev/claim"], "c1a1", name);
      assert.equal(annotations?.["tagalong.dev/environment"], "shop/dev", name);
      assert.equal(annotations?.["pulumi.com/patchForce"], "true", name);
      assert.equal(annotations?.["pulumi.com/skipAwait"], "true", name);
      assert.equal(annotations?.["pulumi.com/deletionPropagationPolicy"], "background", name);
    }
  });

  it("run repository@digest, the new beside the old", async () => {
    const { spec, container } = await deployment({ replicas: 3 });
    assert.equal(container["image"], release["server"]?.reference);
    assert.equal(spec["replicas"], 3);
    assert.deepEqual(spec["strategy"], {
      type: "RollingUpdate",
      rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" },
    });
  });

  it("keep what restricted Pod Security asks for", async () => {
    const { pod, container } = await deployment({ user: "1000:2000", capabilities: ["NET_BIND_SERVICE"] });
    assert.deepEqual(pod["securityContext"], {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 2000,
      seccompProfile: { type: "RuntimeDefault" },
    });
    assert.deepEqual(container["securityContext"], {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    });
    assert.equal(pod["automountServiceAccountToken"], false);
    assert.deepEqual(container["volumeMounts"], [{ name: "tmp", mountPath: "/tmp" }]);
  });

  it("ask by the config's health, or by the port alone; who has neither must stay up for a while", async () => {
    const { container } = await deployment({ health: { path: "/healthz", port: 9090 } });
    const asked = { path: "/healthz", port: 9090 };
    assert.deepEqual((container["readinessProbe"] as Record<string, unknown>)["httpGet"], asked);
    assert.deepEqual((container["livenessProbe"] as Record<string, unknown>)["httpGet"], asked);
    const plain = await deployment();
    const { tcpSocket } = plain.container["readinessProbe"] as Record<string, unknown>;
    assert.deepEqual([tcpSocket, plain.spec["minReadySeconds"]], [{ port: 8080 }, undefined]);
    const worker = await deployment({ port: undefined });
    assert.deepEqual([worker.container["readinessProbe"], worker.spec["minReadySeconds"]], [undefined, 2]);
  });

  it("give a pod that ends its drain, after the time in which the nodes learn of it", async () => {
    const { pod, container } = await deployment({}, { rollout: { drain: "7s" } });
    assert.deepEqual(container["lifecycle"], { preStop: { sleep: { seconds: 3 } } });
    assert.equal(pod["terminationGracePeriodSeconds"], 10);
  });

  for (const [cpu, memory, written] of [
    [0.5, "100M", { cpu: "500m", memory: "100M" }],
    [2, "256Mi", { cpu: "2", memory: "268435456" }],
    [1.25, "3000M", { cpu: "1250m", memory: "3G" }],
  ] as const) {
    it(`get limits as Kubernetes writes them, or each refresh would find them changed: ${written.cpu}`, async () => {
      const { container } = await deployment({ resources: { cpu, memory } });
      assert.deepEqual(container["resources"], { limits: written });
    });
  }

  it("get variables and arguments verbatim, which Kubernetes would take for others' values", async () => {
    const { container } = await deployment({
      env: { PRICE: "$(HOME) costs $5", PLAIN: "$HOME" },
      command: ["run", "$(NOW)"],
    });
    assert.deepEqual(container["env"], [
      { name: "PRICE", value: "$$(HOME) costs $$5" },
      { name: "PLAIN", value: "$$HOME" },
    ]);
    assert.deepEqual(container["args"], ["run", "$$(NOW)"]);
  });

  it("have secrets in a Secret of their own, which no state shows, and by whose name their pods roll", async () => {
    const secrets = { TOKEN: pulumi.secret("geheim"), OTHER: pulumi.secret("fremd") };
    const config = given({ secrets: ["TOKEN"] }, { secrets: { TOKEN: "geheim", OTHER: "fremd" } });
    const seen = await declared({ ...config, secrets });
    const { immutable, stringData, metadata } = find(seen, "Secret dev-server");
    assert.equal(immutable, true);
    assert.equal((metadata as Record<string, unknown>)["name"], undefined);
    const text = JSON.stringify(stringData);
    assert.match(text, /TOKEN/);
    assert.doesNotMatch(text, /OTHER/);
    const { spec } = find(seen, "Deployment dev-server") as unknown as { spec: Spec };
    assert.deepEqual(spec.template.spec.containers[0]?.["envFrom"], [{ secretRef: { name: "secret-0" } }]);
    assert.doesNotMatch(JSON.stringify(spec), /geheim/);
  });

  it("pull with the credentials of the config", async () => {
    const config = given({}, { registries: { "docker.io": { username: "acme", password: "geheim" } } });
    const seen = await declared(config);
    const { type, stringData } = find(seen, "Secret dev-registries");
    assert.equal(type, "kubernetes.io/dockerconfigjson");
    // Secret by now, the whole map or its only text.
    const [, text] =
      /"\.dockerconfigjson":(?:\{.*?"value":)?("(?:[^"\\]|\\.)*")/.exec(JSON.stringify(stringData)) ?? [];
    const { auths } = JSON.parse(JSON.parse(text ?? "") as string) as { auths: Record<string, unknown> };
    assert.deepEqual(auths["https://index.docker.io/v1/"], {
      username: "acme",
      password: "geheim",
      auth: Buffer.from("acme:geheim").toString("base64"),
    });
    const { spec } = find(seen, "Deployment dev-server") as unknown as { spec: Spec };
    assert.deepEqual(spec.template.spec["imagePullSecrets"], [{ name: "secret-0" }]);
  });

  it("are as few as the config asks for", async () => {
    assert.deepEqual(await kinds(given()), ["Deployment", "KubernetesService", "NetworkPolicy", "Service"]);
    assert.deepEqual(await kinds(given({ port: undefined })), [
      "Deployment",
      "KubernetesService",
      "NetworkPolicy",
    ]);
    const all = {
      ingress: { host: "shop.example.com" },
      resources: { cpu: 1 },
      autoscale: { min: 2, max: 4 },
    };
    assert.deepEqual(await kinds(given(all)), [
      "Deployment",
      "HorizontalPodAutoscaler",
      "Ingress",
      "KubernetesService",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "Service",
    ]);
  });

  it("leave the number of replicas to the autoscaler", async () => {
    const config = given({ resources: { cpu: 1 }, autoscale: { min: 2, max: 4 } });
    const seen = await declared(config);
    const { spec } = find(seen, "Deployment dev-server") as { spec: Record<string, unknown> };
    assert.equal(spec["replicas"], 2);
    const { services } = find(seen, "Gate dev") as { services: Record<string, Record<string, unknown>> };
    assert.equal(services["server"]?.["replicas"], undefined);
  });

  it("let in who is meant to come: the namespace's own pods, or anybody where it is published", async () => {
    const ingress = async (service: Record<string, unknown>) => {
      const { spec } = find(await declared(given(service)), "NetworkPolicy") as {
        spec: Record<string, unknown>;
      };
      return spec["ingress"];
    };
    assert.deepEqual(await ingress({}), [{ from: [{ podSelector: {} }], ports: [{ port: "http" }] }]);
    assert.deepEqual(await ingress({ publish: 30080 }), [{ ports: [{ port: "http" }] }]);
    assert.deepEqual(await ingress({ port: undefined }), []);
  });

  it("lead a host name to the service", async () => {
    const seen = await declared(
      given({ ingress: { host: "shop.example.com", path: "/api", class: "nginx", tls: "shop-tls" } }),
    );
    assert.deepEqual(find(seen, "Ingress dev-server")["spec"], {
      ingressClassName: "nginx",
      rules: [
        {
          host: "shop.example.com",
          http: {
            paths: [
              {
                path: "/api",
                pathType: "Prefix",
                backend: { service: { name: "server", port: { name: "http" } } },
              },
            ],
          },
        },
      ],
      tls: [{ hosts: ["shop.example.com"], secretName: "shop-tls" }],
    });
  });

  it("tell the gate what each Deployment is to become", async () => {
    const { cluster, services } = find(await declared(given({ replicas: 2 })), "Gate dev");
    assert.deepEqual(cluster, { context: "", namespace: "shop-dev" });
    assert.deepEqual(services, {
      server: {
        reference: release["server"]?.reference,
        deployment: "server",
        generation: 7,
        replicas: 2,
      },
    });
  });

  it("tell the claim every name that they need, and every right", async () => {
    const { objects, permissions, namespace } = find(
      await declared(given({}, { kubernetes: { namespace: "own" } })),
      "ClusterClaim",
    );
    assert.equal(namespace, "own");
    const names = (objects as { kind: string; names: string[] }[]).map(({ kind, names }) => [kind, names]);
    assert.deepEqual(Object.fromEntries(names), {
      ServiceAccount: ["services"],
      Service: ["server"],
      Deployment: ["server"],
      NetworkPolicy: ["server"],
    });
    const rights = permissions as { resource: string; verbs: string[] }[];
    assert.deepEqual(rights.find(({ resource }) => resource === "pods/log")?.verbs, ["get"]);
  });
});
