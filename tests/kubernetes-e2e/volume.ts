// The state of a project's stacks on a volume, as a watcher in the cluster and a person outside of it both have it: the
// node sees the machine's folders, and Pulumi runs here as the user that the watcher's pod is.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Labelled, pathOf, type Resource, remove } from "../../provider/kubernetes/api";
import type { Project, Stack } from "../e2e/harness";
import { cluster } from "../kubernetes/engine";

const volumes: Resource = { group: "", version: "v1", resource: "persistentvolumes" };
const claims: Resource = { group: "", version: "v1", resource: "persistentvolumeclaims" };
const user = 1000;

/** Puts the folder of the project's state on a volume of the namespace, under the claim `state`. */
export async function claimVolume({ name, folder }: Project, namespace: string): Promise<void> {
  const size = { storage: "1Gi" };
  const common = { accessModes: ["ReadWriteMany"], storageClassName: "" };
  const path = join(folder, "state");
  // The stacks were made here, by root.
  execFileSync("chown", ["-R", `${user}:${user}`, path]);
  await cluster.post(pathOf(volumes), {
    metadata: { name },
    spec: { ...common, capacity: size, hostPath: { path }, claimRef: { namespace, name: "state" } },
  });
  await cluster.post(pathOf(claims, namespace), {
    metadata: { name: "state" },
    spec: { ...common, volumeName: name, resources: { requests: size } },
  });
}

export async function removeVolume({ name }: Project): Promise<void> {
  const path = pathOf(volumes, undefined, name);
  await remove(cluster, path, (await cluster.get<Labelled>(path)).metadata);
}

/** Has `pulumi` write as the pod's user, and read as root, whose folders it is installed in. */
export function runAsPod(stack: Stack): void {
  const { PATH: path } = stack.variables();
  const { folder } = stack.project;
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const pulumi = join(bin, "pulumi");
  const reach = ["inh-caps", "ambient-caps"].map((set) => `--${set}=+dac_override,+dac_read_search`);
  const as = `setpriv --euid=${user} --egid=${user} --clear-groups ${reach.join(" ")}`;
  writeFileSync(pulumi, `#!/bin/sh\nexport PATH='${path}'\nexec ${as} pulumi "$@"\n`);
  chmodSync(pulumi, 0o755);
  stack.env["PATH"] = `${bin}:${path}`;
}
