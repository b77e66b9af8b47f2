// The way back of Deployments to pods as they were before, as `kubectl rollout undo` goes it. It is made as a change of
// whoever declares the Deployment, so that its next update finds nothing of somebody else's in its way.
import type {
  V1Deployment,
  V1ManagedFieldsEntry,
  V1PodTemplateSpec,
  V1ReplicaSet,
} from "@kubernetes/client-node";
import { labelled, pathOf, resources } from "./api";
import { type Cluster, connectCluster } from "./cluster";
import { deploymentFacts, replicaSetFacts } from "./facts";
import { labels } from "./layout";
import type { ClusterGateInputs } from "./lookout";

/** Deployment → the hash of its pod template, by which its ReplicaSet is named. */
export type Templates = Record<string, string>;

const hashLabel = "pod-template-hash";

/** The pod templates that the Deployments have now. */
export async function servedTemplates({
  cluster: { context, namespace },
  services,
}: ClusterGateInputs): Promise<Templates> {
  const cluster = connectCluster({ context });
  const deployments = Object.values(services).map(({ deployment }) => deployment);
  const query = { labelSelector: labels.service };
  const [all, sets] = await Promise.all([
    cluster.list<V1Deployment>(pathOf(resources.deployments, namespace), { query }),
    cluster.list<V1ReplicaSet>(pathOf(resources.replicaSets, namespace), { query }),
  ]);
  const current = new Map(
    sets.items.map((set) => {
      const { owner, revision } = replicaSetFacts(set, undefined);
      return [`${owner} ${revision}`, set.metadata?.labels?.[hashLabel] ?? ""] as const;
    }),
  );
  return Object.fromEntries(
    all.items
      .map(deploymentFacts)
      .filter(({ name }) => deployments.includes(name))
      .map(({ name, uid, revision }) => [name, current.get(`${uid} ${revision}`) ?? ""])
      .filter(([, hash]) => hash !== ""),
  );
}

/**
 * Rolls all Deployments back that have another pod template than they had.
 * @param served the templates that they had
 * @returns what came of it, as a sentence
 */
export async function rollBackAll(inputs: ClusterGateInputs, served: Readonly<Templates>): Promise<string> {
  const { context, namespace } = inputs.cluster;
  const cluster = connectCluster({ context });
  try {
    const now = await servedTemplates(inputs);
    const rolled = Object.keys(now).filter(
      (name) => served[name] !== undefined && served[name] !== now[name],
    );
    if (rolled.length === 0) return "nothing else served before, so the pods stay as they are";
    await Promise.all(rolled.map((name) => rollBack(cluster, namespace, name, served[name] ?? "")));
    return `rolled back to what served before: ${rolled.sort().join(", ")}`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `the pods could not be rolled back to what served before (${why}): name the release before in tagalong:release, or lead the tag back, and run \`pulumi up\``;
  }
}

/** @throws ClusterError; Error where the Deployment has forgotten the template */
async function rollBack(cluster: Cluster, namespace: string, name: string, hash: string): Promise<void> {
  const path = pathOf(resources.deployments, namespace, name);
  const [sets, live] = await Promise.all([
    labelled<V1ReplicaSet & { metadata: object }>(cluster, resources.replicaSets, namespace, {
      [hashLabel]: hash,
    }),
    cluster.get<V1Deployment>(path),
  ]);
  const set = sets.find(({ metadata }: V1ReplicaSet) => metadata?.name === `${name}-${hash}`);
  if (!set?.spec?.template) throw new Error(`the ReplicaSet ${name}-${hash} is gone`);
  const template = withoutHash(set.spec.template);
  const declared = live.metadata?.managedFields?.find(
    ({ operation, fieldsV1 }) => operation === "Apply" && below(below(fieldsV1, "f:spec"), "f:template"),
  );
  if (declared?.manager) {
    const query = { fieldManager: declared.manager, force: true };
    await cluster.patch(path, "apply", asDeclared(live, declared, template), { query });
  } else {
    await cluster.patch(path, "json", [{ op: "replace", path: "/spec/template", value: template }]);
  }
}

/** Everything that the manager has declared of the object, with another template: what it left out would be removed. */
function asDeclared(
  live: V1Deployment,
  { fieldsV1 }: V1ManagedFieldsEntry,
  template: V1PodTemplateSpec,
): object {
  const own = pick(live, fieldsV1) as { metadata?: object; spec?: object };
  const { name, namespace } = live.metadata ?? {};
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...own.metadata, name, namespace },
    spec: { ...own.spec, template },
  };
}

const below = (fields: unknown, key: string): unknown =>
  (fields as Record<string, unknown> | undefined)?.[key];

/** The part of a value that managedFields name; a list that they name something of, whole. */
function pick(value: unknown, fields: unknown): unknown {
  const keys = Object.keys(fields ?? {}).filter((key) => key !== ".");
  if (keys.length === 0 || !keys.every((key) => key.startsWith("f:"))) return value;
  return Object.fromEntries(
    keys.map((key) => [key.slice(2), pick(below(value, key.slice(2)), below(fields, key))]),
  );
}

function withoutHash({ metadata, spec }: V1PodTemplateSpec): V1PodTemplateSpec {
  const { [hashLabel]: _, ...kept } = metadata?.labels ?? {};
  const { annotations } = metadata ?? {};
  return { metadata: { labels: kept, ...(annotations ? { annotations } : {}) }, ...(spec ? { spec } : {}) };
}
