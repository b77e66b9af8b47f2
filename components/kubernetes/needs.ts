// What an environment needs on its cluster: a namespace, names in it that are free, and the rights to work with them.
import type { EnvironmentConfig } from "../../config";
import type { ObjectNames, Permission } from "../../provider/resources";

/** All objects whose names are fixed: one of that name that is not ours must not be taken over. */
export function objectsOf({ services }: EnvironmentConfig, serviceAccount: string): ObjectNames[] {
  const all = Object.entries(services);
  const named = (of: (config: EnvironmentConfig["services"][string]) => boolean) =>
    all
      .filter(([, config]) => of(config))
      .map(([name]) => name)
      .sort();
  return [
    {
      group: "",
      version: "v1",
      resource: "serviceaccounts",
      kind: "ServiceAccount",
      names: [serviceAccount],
    },
    {
      group: "",
      version: "v1",
      resource: "services",
      kind: "Service",
      names: named(({ port }) => port !== undefined),
    },
    { group: "apps", version: "v1", resource: "deployments", kind: "Deployment", names: named(() => true) },
    {
      group: "networking.k8s.io",
      version: "v1",
      resource: "ingresses",
      kind: "Ingress",
      names: named(({ ingress }) => ingress !== undefined),
    },
    {
      group: "autoscaling",
      version: "v2",
      resource: "horizontalpodautoscalers",
      kind: "HorizontalPodAutoscaler",
      names: named(({ autoscale }) => autoscale !== undefined),
    },
    {
      group: "networking.k8s.io",
      version: "v1",
      resource: "networkpolicies",
      kind: "NetworkPolicy",
      names: named(() => true),
    },
    {
      group: "policy",
      version: "v1",
      resource: "poddisruptionbudgets",
      kind: "PodDisruptionBudget",
      names: named(({ autoscale, replicas }) => (autoscale?.min ?? replicas) > 1),
    },
  ].filter(({ names }) => names.length > 0);
}

/** What whoever runs `pulumi up` must be allowed in the namespace: a Role may grant all of it. */
export function permissionsOf(config: EnvironmentConfig): Permission[] {
  const write = ["get", "list", "create", "patch", "delete"];
  return [
    ...objectsOf(config, "").map(({ group, resource }) => ({
      group,
      resource,
      verbs: resource === "deployments" ? [...write.slice(0, 2), "watch", ...write.slice(2)] : write,
    })),
    { group: "", resource: "secrets", verbs: write },
    { group: "", resource: "pods", verbs: ["get", "list", "watch"] },
    { group: "", resource: "pods/log", verbs: ["get"] },
    { group: "apps", resource: "replicasets", verbs: ["list", "watch"] },
  ];
}
