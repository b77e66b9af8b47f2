/**
 * What of the config is for one engine alone. The same key means the same on both wherever that is possible; what one
 * engine cannot do is refused there, with what to write instead.
 */
import { z } from "zod";
import { type ConfigPath, type Problem, pathText } from "./explain";
import { closed, judged, mapOf, name, note, parsed, unless, whole } from "./fields";
import { asMap, type RawConfig } from "./raw";
import { DNS_LABEL, DNS_NAME, parsePublish } from "./values";

const dnsName = (what: string, fix: string) =>
  judged(
    (text) => (DNS_NAME.test(text) ? undefined : `${JSON.stringify(text)} is not ${what} — ${fix}`),
    unless(what, fix),
  );

/** Where on Kubernetes the environment is. */
export const kubernetes = closed("the cluster", {
  context: note(name("a context of the kubeconfig").optional(), {
    description: "Context of the kubeconfig (`KUBECONFIG`, else `~/.kube/config`). Kubernetes only.",
    otherwise: "the current one; in a pod, the cluster around it",
    example: "acme-test",
  }),
  namespace: note(
    z
      .string({ error: unless("a namespace", "write its name") })
      .regex(DNS_LABEL, {
        error: unless("a namespace", 'use lowercase letters, digits and "-", at most 63'),
      })
      .optional(),
    {
      description:
        "Namespace of the environment alone. One that exists is adopted and kept by `pulumi destroy`; else it is made. Kubernetes only.",
      otherwise: "`PROJECT-STACK`",
      example: "shop-test",
    },
  ),
});

/** The namespace of an environment: as configured, or the project's and the stack's name as one DNS label (RFC 1123). */
export function namespaceOf(
  project: string,
  { kubernetes, stack }: { kubernetes: { namespace?: string | undefined }; stack: string },
): string {
  return (
    kubernetes.namespace ??
    `${project}-${stack}`
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .slice(0, 63)
      .replaceAll(/^-|-$/g, "")
  );
}

/** How a service is reached from outside of the cluster, by name. */
export const ingress = closed("an Ingress", {
  host: note(dnsName("a host name", "write one such as shop.example.com"), {
    description: "Host name that leads to the service.",
    example: "shop.example.com",
  }),
  path: note(
    parsed(/^\/\S*$/, (text) => text, unless("a path", "write one that starts with /")).prefault("/"),
    { description: "Path prefix that leads to the service.", example: "/api" },
  ),
  class: note(dnsName("an Ingress class", "write its name").optional(), {
    description: "IngressClass that serves it.",
    otherwise: "the cluster's default",
    example: "nginx",
  }),
  tls: note(
    dnsName("the name of a Secret", "write that of a kubernetes.io/tls Secret in the namespace").optional(),
    {
      description: "Secret with the certificate for the host, in the same namespace.",
      otherwise: "none: plain HTTP, or what the Ingress controller does by itself",
      example: "shop-tls",
    },
  ),
  annotations: note(
    mapOf(
      z.string({ error: unless("a text", "write it in quotes") }),
      "annotations",
      "write name: text",
    ).prefault({}),
    {
      description: "Annotations of the Ingress, as its controller reads them.",
      example: { "cert-manager.io/cluster-issuer": "letsencrypt" },
      placeholder: "name",
    },
  ),
});

/** Between how many replicas a HorizontalPodAutoscaler decides. */
export const autoscale = closed("the autoscaler", {
  min: note(whole("a number of replicas", 1, 1000).prefault(1), {
    description: "Replicas that run at least.",
    example: 2,
  }),
  max: note(whole("a number of replicas", 1, 1000), {
    description: "Replicas that run at most.",
    example: 10,
  }),
  cpu: note(whole("a percentage", 1, 1000).prefault(80), {
    description: "Percent of `resources.cpu` that a replica is to use on average.",
    example: 60,
  }),
});

export const volumeClaim = dnsName(
  "the name of a PersistentVolumeClaim",
  "write that of one in the namespace",
);

/** Node ports, as Kubernetes gives them out by default (--service-node-port-range). */
const nodePorts = { least: 30_000, most: 32_767 };

/** What the config asks for that its engine does not have. */
export function misfits(raw: RawConfig): Problem[] {
  return raw["engine"] === "kubernetes" ? notOnKubernetes(raw) : notOnDocker(raw);
}

const set = (map: RawConfig, ...keys: string[]): string[] => keys.filter((key) => map[key] !== undefined);

function notOnDocker(raw: RawConfig): Problem[] {
  const text = "is for engine: kubernetes — remove it here";
  return [
    ...set(raw, "kubernetes").map((key) => ({ path: [key], text })),
    ...set(asMap(raw["watcher"]), "volumeClaim").map((key) => ({ path: ["watcher", key], text })),
    ...Object.entries(asMap(raw["services"])).flatMap(([service, value]) =>
      set(asMap(value), "ingress", "autoscale").map((key) => ({ path: ["services", service, key], text })),
    ),
  ];
}

function notOnKubernetes(raw: RawConfig): Problem[] {
  const watcher = asMap(raw["watcher"]);
  const { backend } = watcher;
  const isLocal = typeof backend === "string" && backend.startsWith("file://");
  return [
    ...set(raw, "edge").map((key) => ({
      path: [key],
      text: "is for engine: docker, Kubernetes' own Services lead the traffic — remove it here",
    })),
    ...set(raw, "keepVolumes").map((key) => ({
      path: [key],
      text: "is for engine: docker, there are no volumes here — remove it",
    })),
    ...(isLocal && watcher["volumeClaim"] === undefined
      ? [
          {
            path: ["watcher", "backend"],
            text: `is a folder, which a pod has only from a volume — add ${pathText(["watcher", "volumeClaim"])}, or use an object store such as s3://acme-state`,
          },
        ]
      : []),
    ...(!isLocal && watcher["volumeClaim"] !== undefined
      ? [{ path: ["watcher", "volumeClaim"], text: "holds no state, the backend is no file:// — remove it" }]
      : []),
    ...Object.entries(asMap(raw["services"])).flatMap(([service, value]) =>
      misfitsOf(["services", service], asMap(value)),
    ),
  ];
}

function misfitsOf(path: ConfigPath, service: RawConfig): Problem[] {
  const problem = (key: string, text: string): Problem => ({ path: [...path, key], text });
  const found: Problem[] = [];
  const publish = parsePublish(service["publish"]);
  if (typeof service["publish"] === "string")
    found.push(
      problem("publish", "has an address, and a node port is on all of a node's — write the port alone"),
    );
  else if (publish && (publish.port < nodePorts.least || publish.port > nodePorts.most)) {
    const range = `${nodePorts.least} to ${nodePorts.most}`;
    found.push(
      problem(
        "publish",
        `${publish.port} is no node port — write one of ${range}, or use ${pathText([...path, "ingress"])}`,
      ),
    );
  }
  if (Object.keys(asMap(service["volumes"])).length > 0)
    found.push(
      problem(
        "volumes",
        "are for engine: docker — keep data in a service of its own, and reach it by its address",
      ),
    );
  if (["no", "on-failure"].includes(String(service["restart"])))
    found.push(
      problem("restart", "a Deployment always starts its pods again — write always, or remove the key"),
    );
  const user = service["user"];
  if (typeof user === "string" && !/^[1-9]\d*(:\d+)?$/.test(user))
    found.push(
      problem(
        "user",
        `${JSON.stringify(user)} is no number other than 0 — write the user's id, for example 1000 or "1000:1000"`,
      ),
    );
  if (user === 0)
    found.push(problem("user", "0 is root, which restricted Pod Security refuses — write another user's id"));
  const capabilities = Array.isArray(service["capabilities"]) ? (service["capabilities"] as unknown[]) : [];
  capabilities.forEach((capability, index) => {
    if (capability === "NET_BIND_SERVICE") return;
    const text = "is refused by restricted Pod Security, which allows NET_BIND_SERVICE alone — remove it";
    found.push({ path: [...path, "capabilities", index], text });
  });
  const autoscale = service["autoscale"];
  if (autoscale === undefined) return found.concat(ingressProblems(path, service));
  const { min = 1, max } = asMap(autoscale);
  if (service["replicas"] !== undefined)
    found.push(
      problem("replicas", `the autoscaler decides that — remove it, or ${pathText([...path, "autoscale"])}`),
    );
  if (asMap(service["resources"])["cpu"] === undefined) {
    const fix = `add ${pathText([...path, "resources", "cpu"])}`;
    found.push(problem("autoscale", `has nothing to measure the replicas' use by — ${fix}`));
  }
  if (typeof min === "number" && typeof max === "number" && min > max)
    found.push({ path: [...path, "autoscale", "min"], text: `is more than max, ${max} — write less` });
  return found.concat(ingressProblems(path, service));
}

function ingressProblems(path: ConfigPath, service: RawConfig): Problem[] {
  return service["ingress"] !== undefined && service["port"] === undefined
    ? [
        {
          path: [...path, "ingress"],
          text: `has no port to lead to — add ${pathText([...path, "port"])}, the port that the container listens on`,
        },
      ]
    : [];
}
