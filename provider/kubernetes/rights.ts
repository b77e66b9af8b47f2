// What whoever asks a cluster may do there, asked before anything is done.
import { mayDo, type Right } from "./api";
import type { Cluster } from "./cluster";

/** Verbs on one resource. */
export interface Permission extends Record<string, unknown> {
  group: string;
  /** With its subresource, where that is meant: `pods/log`. */
  resource: string;
  verbs: string[];
}

export const rightsOf = (permissions: readonly Permission[], namespace: string): Right[] =>
  permissions.flatMap(({ group, resource, verbs }) =>
    verbs.map((verb) => ({ group, resource, verb, namespace })),
  );

/** Which of these whoever asks does not have, a line a resource, and what to do about it; none where all is allowed. */
export async function lacking(cluster: Cluster, rights: readonly Right[]): Promise<string[]> {
  const answers = await Promise.all(
    rights.map(async (one) => ({ ...one, isAllowed: await mayDo(cluster, one) })),
  );
  const denied = new Map<string, string[]>();
  for (const { isAllowed, verb, resource, group, namespace } of answers) {
    const where = namespace ? ` in the namespace ${namespace}` : "";
    const what = `${resource}${group ? `.${group}` : ""}${where}`;
    if (!isAllowed) denied.set(what, [...(denied.get(what) ?? []), verb]);
  }
  if (denied.size === 0) return [];
  const lines = [...denied].map(([what, verbs]) => `  ${verbs.join(", ")} ${what}`);
  const fix = rights.every(({ namespace }) => namespace)
    ? "grant it with a Role and a RoleBinding, see docs/kubernetes.md"
    : "grant it, or have somebody make the namespace and grant the rest there with a Role, see docs/kubernetes.md";
  return [`whoever asks ${await cluster.name()} may not:`, ...lines, fix];
}
