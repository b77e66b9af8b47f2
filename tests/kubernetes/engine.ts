// The cluster of this test run (tools/cluster/shared.mjs), for the end-to-end tests.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import type { V1Deployment, V1Namespace, V1Pod, V1Service } from "@kubernetes/client-node";
import { parse } from "yaml";
import {
  find,
  type Labelled,
  labelled,
  pathOf,
  type Resource,
  remove,
  resources,
} from "../../provider/kubernetes/api";
import { type Cluster, connectCluster } from "../../provider/kubernetes/cluster";
import { labels } from "../../provider/kubernetes/layout";
import { hops } from "../../rollout/record";
import { type Engine, inSeconds } from "../e2e/engine";
import type { Stack } from "../e2e/harness";

const VARIABLE = "TAGALONG_TEST_KUBECONFIG";
const kubeconfig = process.env[VARIABLE];
assert(kubeconfig, `${VARIABLE} names no kubeconfig: run this with node tools/run.mjs test`);
// What the tests start finds the cluster as kubectl does; and never one of the user's own.
process.env["KUBECONFIG"] = kubeconfig;

export const cluster = connectCluster({ context: "" });

const services: Resource = { group: "", version: "v1", resource: "services" };
/** Kinds of all that an environment may have in its namespace. */
const kinds: readonly Resource[] = [
  resources.deployments,
  resources.replicaSets,
  resources.pods,
  resources.configMaps,
  resources.secrets,
  services,
  { group: "", version: "v1", resource: "serviceaccounts" },
  { group: "policy", version: "v1", resource: "poddisruptionbudgets" },
  { group: "autoscaling", version: "v2", resource: "horizontalpodautoscalers" },
  { group: "networking.k8s.io", version: "v1", resource: "networkpolicies" },
  { group: "networking.k8s.io", version: "v1", resource: "ingresses" },
];
/** What the cluster makes in every namespace. */
const clustersOwn = ["configmaps/kube-root-ca.crt", "serviceaccounts/default"];

const { clusters } = parse(readFileSync(kubeconfig, "utf8")) as {
  clusters: { cluster: { server: string } }[];
};
/** The node answers at the host of the API. */
const node = new URL(clusters[0]?.cluster.server ?? "").hostname;

export const namespaceOf = ({ project, name }: Stack): string => `${project.name}-${name}`;

/**
 * @param host where node ports are reached
 * @param context of the kubeconfig; "" is the current one
 */
export const kubernetesAt = (cluster: Cluster, host: string, context = ""): Engine => ({
  title: "Kubernetes",
  switchesAtOnce: false,
  takesTurns: true,
  pullsFirst: false,
  // The nodes pull and drain by themselves.
  steps: hops.filter((hop) => hop !== "pulled" && hop !== "drained"),
  deadline: "10s",
  sick: "its readiness probe fails",
  late: (deadline) => `was not ready within ${inSeconds(deadline)}: (Readiness|Liveness) probe failed: .*503`,
  config: { engine: "kubernetes", ...(context === "" ? {} : { kubernetes: { context } }) },
  // Pods may not run as root, and have to say so by a number.
  app: { user: "1000:1000", env: { LINGER_MS: "500" } },
  async freePort() {
    const { items } = await cluster.list<V1Service>(pathOf(services));
    const taken = items.flatMap(({ spec }) => spec?.ports?.map(({ nodePort }) => nodePort) ?? []);
    for (;;) {
      const port = randomInt(30_000, 32_768);
      if (!taken.includes(port)) return port;
    }
  },
  url: (port) => `http://${host}:${port}`,
  async running(stack, service) {
    const named = service === undefined ? {} : { [labels.service]: service };
    const pods = await labelled<V1Pod & Labelled>(cluster, resources.pods, namespaceOf(stack), named);
    return pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, spec }) => ({
        id: metadata.uid ?? "",
        digest: spec?.containers[0]?.image?.split("@")[1] ?? "",
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  },
  async lose(stack, service) {
    const path = pathOf(resources.deployments, namespaceOf(stack), service);
    const { metadata } = await cluster.get<V1Deployment & Labelled>(path);
    await remove(cluster, path, metadata);
  },
  async left(stack) {
    const namespace = namespaceOf(stack);
    const found = await Promise.all(
      kinds.map(async (kind) => {
        const { items } = await cluster.list<Labelled>(pathOf(kind, namespace));
        return items.map(({ metadata }) => `${kind.resource}/${metadata.name}`);
      }),
    );
    const own = await find(cluster, pathOf(resources.namespaces, undefined, namespace));
    return [
      ...(own ? [`namespaces/${namespace}`] : []),
      ...found.flat().filter((one) => !clustersOwn.includes(one)),
    ];
  },
  async sweep({ stacks }) {
    for (const stack of stacks) {
      const path = pathOf(resources.namespaces, undefined, namespaceOf(stack));
      const found = await find<V1Namespace & Labelled>(cluster, path);
      if (found) await remove(cluster, path, found.metadata);
    }
  },
});

export const onKubernetes = kubernetesAt(cluster, node);
