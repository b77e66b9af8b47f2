import assert from "node:assert/strict";
import { environment, mistakes } from "./given";

const cluster = (service: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  engine: "kubernetes",
  services: { server: { image: "server", port: 8080, ...service } },
  ...more,
});
const at = "tagalong:services.server";
const watcher = { image: "ghcr.io/acme/tagalong:1.0.0" };

/** What is written, and the exact lines that a user sees. */
const table: readonly (readonly [
  title: string,
  values: Record<string, unknown>,
  lines: readonly string[],
])[] = [
  [
    "a cluster for Docker",
    { kubernetes: { namespace: "shop-dev" } },
    ["tagalong:kubernetes: is for engine: kubernetes — remove it here"],
  ],
  [
    "an Ingress and an autoscaler for Docker",
    {
      services: {
        server: { image: "server", port: 8080, ingress: { host: "a.example" }, autoscale: { max: 3 } },
      },
    },
    [
      `${at}.ingress: is for engine: kubernetes — remove it here`,
      `${at}.autoscale: is for engine: kubernetes — remove it here`,
    ],
  ],
  [
    "a volume of the watcher for Docker",
    { watcher: { ...watcher, backend: "file:///state", volumeClaim: "state" } },
    ["tagalong:watcher.volumeClaim: is for engine: kubernetes — remove it here"],
  ],
  [
    "the edge for Kubernetes",
    cluster({}, { edge: { image: "caddy:2" } }),
    ["tagalong:edge: is for engine: docker, Kubernetes' own Services lead the traffic — remove it here"],
  ],
  [
    "volumes for Kubernetes",
    cluster({ volumes: { data: "/data" } }, { keepVolumes: false }),
    [
      "tagalong:keepVolumes: is for engine: docker, there are no volumes here — remove it",
      `${at}.volumes: are for engine: docker — keep data in a service of its own, and reach it by its address`,
    ],
  ],
  [
    "a host port that is no node port",
    cluster({ publish: 8080 }),
    [`${at}.publish: 8080 is no node port — write one of 30000 to 32767, or use ${at}.ingress`],
  ],
  [
    "an address for a node port",
    cluster({ publish: "0.0.0.0:30080" }),
    [`${at}.publish: has an address, and a node port is on all of a node's — write the port alone`],
  ],
  [
    "pods that may end",
    cluster({ restart: "on-failure" }),
    [`${at}.restart: a Deployment always starts its pods again — write always, or remove the key`],
  ],
  [
    "a user by name",
    cluster({ user: "node" }),
    [`${at}.user: "node" is no number other than 0 — write the user's id, for example 1000 or "1000:1000"`],
  ],
  [
    "root",
    cluster({ user: 0 }),
    [`${at}.user: 0 is root, which restricted Pod Security refuses — write another user's id`],
  ],
  [
    "capabilities that restricted Pod Security refuses",
    cluster({ capabilities: ["NET_BIND_SERVICE", "CHOWN"] }),
    [
      `${at}.capabilities[1]: is refused by restricted Pod Security, which allows NET_BIND_SERVICE alone — remove it`,
    ],
  ],
  [
    "replicas beside an autoscaler, which has nothing to measure by",
    cluster({ replicas: 2, autoscale: { min: 5, max: 3 } }),
    [
      `${at}.replicas: the autoscaler decides that — remove it, or ${at}.autoscale`,
      `${at}.autoscale: has nothing to measure the replicas' use by — add ${at}.resources.cpu`,
      `${at}.autoscale.min: is more than max, 3 — write less`,
    ],
  ],
  [
    "an Ingress without a port to lead to",
    cluster({ port: undefined, ingress: { host: "shop.example.com" } }),
    [`${at}.ingress: has no port to lead to — add ${at}.port, the port that the container listens on`],
  ],
  [
    "an Ingress for what is no host",
    cluster({ ingress: { host: "https://shop.example.com" } }),
    [
      `${at}.ingress.host: "https://shop.example.com" is not a host name — write one such as shop.example.com`,
    ],
  ],
  [
    "what is no namespace",
    cluster({}, { kubernetes: { namespace: "Shop_Dev" } }),
    [
      'tagalong:kubernetes.namespace: "Shop_Dev" is not a namespace — use lowercase letters, digits and "-", at most 63',
    ],
  ],
  [
    "a watcher whose state no pod would have",
    cluster({}, { watcher: { ...watcher, backend: "file:///state" } }),
    [
      "tagalong:watcher.backend: is a folder, which a pod has only from a volume — add tagalong:watcher.volumeClaim, or use an object store such as s3://acme-state",
    ],
  ],
  [
    "a volume that no state is on",
    cluster({}, { watcher: { ...watcher, backend: "s3://acme-state", volumeClaim: "state" } }),
    ["tagalong:watcher.volumeClaim: holds no state, the backend is no file:// — remove it"],
  ],
];

describe("The config of an environment on Kubernetes", () => {
  for (const [title, values, lines] of table) {
    it(`tells ${title}`, () => {
      assert.deepEqual(mistakes(values).sort(), [...lines].sort());
    });
  }

  it("takes the same services as Docker's, and what Kubernetes has besides", () => {
    const values = cluster(
      {
        publish: 30080,
        user: "1000:1000",
        resources: { cpu: 0.5, memory: "64Mi" },
        ingress: { host: "shop.example.com", tls: "shop-tls" },
        autoscale: { max: 5 },
      },
      {
        kubernetes: { context: "acme", namespace: "shop" },
        watcher: { ...watcher, backend: "file:///state", volumeClaim: "state" },
      },
    );
    assert.deepEqual(mistakes(values), []);
    const { services, kubernetes } = environment(values);
    assert.deepEqual(kubernetes, { context: "acme", namespace: "shop" });
    assert.deepEqual(services["server"]?.autoscale, { min: 1, max: 5, cpu: 80 });
    assert.deepEqual(services["server"]?.ingress, {
      host: "shop.example.com",
      path: "/",
      tls: "shop-tls",
      annotations: {},
    });
  });
});
