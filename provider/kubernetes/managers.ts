// Who has set a field of an object, as the object's managedFields tell it.
import type { V1ManagedFieldsEntry } from "@kubernetes/client-node";

type Fields = Record<string, unknown>;

/**
 * The manager that has set the field last, such as `kubectl-set`; "" where nobody is on record.
 * @param path as managedFields write it: `f:spec`, `f:replicas`; `k:{"name":"server"}` for an element of a list
 */
export function managerOf(
  entries: readonly V1ManagedFieldsEntry[] | undefined,
  path: readonly string[],
): string {
  const owners = (entries ?? [])
    .filter(({ fieldsV1 }) => has(fieldsV1 as Fields | undefined, path))
    .sort((a, b) => timeOf(b) - timeOf(a));
  const [last] = owners;
  if (!last) return "";
  return last.subresource ? `${last.manager} ${last.subresource}` : (last.manager ?? "");
}

/** Answers of the API have times as texts, whatever the library's types say. */
const timeOf = ({ time }: V1ManagedFieldsEntry): number => Date.parse(String(time ?? 0));

function has(fields: Fields | undefined, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  const below = fields?.[key] as Fields | undefined;
  return below !== undefined && has(below, rest);
}

export const imagePath = (container: string): string[] => [
  ...["f:spec", "f:template", "f:spec", "f:containers"],
  `k:{"name":${JSON.stringify(container)}}`,
  "f:image",
];
export const replicasPath = ["f:spec", "f:replicas"];
