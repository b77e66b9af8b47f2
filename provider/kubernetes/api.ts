// The questions about a cluster that have words of their own: paths, version, permissions, and what carries a label.
import type { V1ObjectMeta } from "@kubernetes/client-node";
import type { Cluster } from "./cluster";
import { isClusterError } from "./errors";

/** A kind of object, as the API's paths name it. */
export interface Resource {
  /** API group; "" is the core one. */
  group: string;
  version: string;
  /** Plural: `deployments`. */
  resource: string;
}

export interface Labelled {
  metadata: V1ObjectMeta;
}

export const resources = {
  deployments: { group: "apps", version: "v1", resource: "deployments" },
  replicaSets: { group: "apps", version: "v1", resource: "replicasets" },
  pods: { group: "", version: "v1", resource: "pods" },
  events: { group: "", version: "v1", resource: "events" },
  configMaps: { group: "", version: "v1", resource: "configmaps" },
  secrets: { group: "", version: "v1", resource: "secrets" },
  namespaces: { group: "", version: "v1", resource: "namespaces" },
  nodes: { group: "", version: "v1", resource: "nodes" },
  leases: { group: "coordination.k8s.io", version: "v1", resource: "leases" },
} as const satisfies Record<string, Resource>;

/**
 * The path of a kind, or of one object of it.
 * @param namespace left out for what is in none
 */
export function pathOf({ group, version, resource }: Resource, namespace?: string, name?: string): string {
  const parts = [
    ...(group === "" ? ["api", version] : ["apis", group, version]),
    ...(namespace ? ["namespaces", namespace] : []),
    resource,
    ...(name ? [name] : []),
  ];
  return `/${parts.map(encodeURIComponent).join("/")}`;
}

/** The object; undefined where there is none. */
export async function find<T>(cluster: Cluster, path: string): Promise<T | undefined> {
  try {
    return await cluster.get<T>(path);
  } catch (error) {
    if (isClusterError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** All objects of a kind in the namespace that carry the labels. */
export async function labelled<T extends Labelled>(
  cluster: Cluster,
  resource: Resource,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Promise<T[]> {
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  return (await cluster.list<T>(pathOf(resource, namespace), { query: { labelSelector } })).items;
}

/** Deletes an object by what it is, not by its name alone. @returns false where it is gone, or another has its name */
export async function remove(cluster: Cluster, path: string, { uid }: V1ObjectMeta): Promise<boolean> {
  try {
    await cluster.delete(path, { preconditions: { uid } });
    return true;
  } catch (error) {
    if (isClusterError(error, "NotFound", "Conflict")) return false;
    throw error;
  }
}

export interface ClusterVersion {
  major: number;
  minor: number;
  /** As the cluster names it: `v1.34.1`. */
  name: string;
}

export async function versionOf(cluster: Cluster): Promise<ClusterVersion> {
  const { major, minor, gitVersion } =
    await cluster.get<Record<"major" | "minor" | "gitVersion", string>>("/version");
  // Managed clusters write `29+`.
  return { major: Number.parseInt(major, 10), minor: Number.parseInt(minor, 10), name: gitVersion };
}

export interface Right {
  group: string;
  /** With a subresource after a slash, where one is meant: `pods/log`. */
  resource: string;
  verb: string;
  /** Left out for the cluster's scope. */
  namespace?: string;
}

/** Whether whoever asks may do that. */
export async function mayDo(cluster: Cluster, right: Right): Promise<boolean> {
  const [resource = "", subresource] = right.resource.split("/");
  const { verb, group, namespace } = right;
  const resourceAttributes = {
    ...{ verb, group, resource },
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
  };
  const { status } = await cluster.post<{ status?: { allowed?: boolean } }>(
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    },
  );
  return status?.allowed ?? false;
}
