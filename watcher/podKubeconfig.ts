// In a pod there is no kubeconfig, and Pulumi's Kubernetes provider finds the cluster around it by itself, unless a
// context is named: then it wants that one. So in a pod the watcher writes one that leads to the cluster around it, under
// whatever name the config has for it; what it proves itself with stays in the files that the kubelet keeps fresh.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAroundUs } from "../provider/kubernetes/kubeconfig";

const account = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What finds the cluster of the context; nothing where there is a kubeconfig, or no pod. */
export function podEnvironment(context: string): Record<string, string> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (!isAroundUs() || !host) return {};
  const folder = mkdtempSync(join(tmpdir(), "kubeconfig-")); // mode 0700
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "config");
  writeFileSync(file, JSON.stringify(podKubeconfig(context || "pod", host, port ?? "443")));
  return { KUBECONFIG: file };
}

/** JSON is YAML. */
function podKubeconfig(name: string, host: string, port: string): object {
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority": `${account}/ca.crt` } }],
    users: [{ name, user: { tokenFile: `${account}/token` } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
}
