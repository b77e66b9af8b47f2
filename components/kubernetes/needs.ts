// What an environment needs on its cluster: a namespace, names in it that are free, and the rights to work with them.
import type { EnvironmentConfig } from "../../config";
import { watcherName } from "../../provider/kubernetes/layout";
import type { ObjectNames, Permission } from "../../provider/resources";

/** The account that the services' pods run as; it may do nothing, and no pod gets its token. */
export const serviceAccountName = "services";

/** All objects whose names are fixed: one of that name that is not ours must not be taken over. */
export function objectsOf({ services, watcher }: EnvironmentConfig): ObjectNames[] {
  const all = Object.entries(services);
  const named = (of: (config: EnvironmentConfig["services"][string]) => boolean) =>
    all
      .filter(([, config]) => of(config))
      .map(([name]) => name)
      .sort();
  const watchers = watcher ? [watcherName] : [];
  const rbac = { group: "rbac.authorization.k8s.io", version: "v1", names: watchers };
  return [
    {
      group: "",
      version: "v1",
      resource: "serviceaccounts",
      kind: "ServiceAccount",
      names: [serviceAccountName, ...watchers],
    },
    { group: "", version: "v1", resource: "configmaps", kind: "ConfigMap", names: watchers },
    { ...rbac, resource: "roles", kind: "Role" },
    { ...rbac, resource: "rolebindings", kind: "RoleBinding" },
    {
      group: "",
      version: "v1",
      resource: "services",
      kind: "Service",
      names: named(({ port }) => port !== undefined),
    },
    {
      group: "apps",
      version: "v1",
      resource: "deployments",
      kind: "Deployment",
      names: [...named(() => true), ...watchers],
    },
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
      names: [...named(() => true), ...watchers],
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

const read = ["get", "list"];
const change = ["create", "patch", "delete"];
/** What says who may do what: whoever could change it could do everything. */
const guarded = ["serviceaccounts", "roles", "rolebindings"];

/** What whoever rolls and repairs must be allowed in the namespace, a watcher too: a Role may grant all of it. */
export function permissionsOf(config: EnvironmentConfig): Permission[] {
  return [
    ...objectsOf(config).map(({ group, resource }) => {
      const more = guarded.includes(resource) ? [] : change;
      return {
        group,
        resource,
        verbs: [...read, ...(resource === "deployments" ? ["watch"] : []), ...more],
      };
    }),
    { group: "", resource: "secrets", verbs: [...read, ...change] },
    { group: "", resource: "pods", verbs: ["list", "watch"] },
    { group: "", resource: "pods/log", verbs: ["get"] },
    { group: "", resource: "events", verbs: ["list", "watch"] },
    { group: "apps", resource: "replicasets", verbs: ["list", "watch"] },
  ];
}

/** What only a watcher needs. */
const watcherOnly: readonly Permission[] = [
  { group: "", resource: "namespaces", verbs: ["get"] },
  { group: "coordination.k8s.io", resource: "leases", verbs: ["get", "create", "update"] },
];

/** What a watcher must be allowed. It changes nothing that says who may do what, so it cannot raise its rights by that. */
export const watcherPermissions = (config: EnvironmentConfig): Permission[] => [
  ...permissionsOf(config),
  ...watcherOnly,
];

/** What a person who runs `pulumi up` must be allowed besides: Kubernetes lets nobody grant more than that one has. */
export function permissionsByHand(config: EnvironmentConfig): Permission[] {
  return [
    ...objectsOf(config)
      .filter(({ resource }) => guarded.includes(resource))
      .map(({ group, resource }) => ({ group, resource, verbs: change })),
    ...(config.watcher ? watcherOnly : []),
  ];
}
