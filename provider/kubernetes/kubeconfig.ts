// The way to a cluster: the kubeconfig, as kubectl finds and reads it. Nothing of it is ever an input of a resource or
// goes to the state; Kubernetes' own client library is loaded when a cluster is asked for the first time.
import { existsSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";

/** What a request needs to be let in: address, trust and credentials. */
export interface Way {
  /** `the cluster "shop" at https://…`, for messages. */
  name: string;
  server: string;
  /** The user's name in the kubeconfig. */
  user: string;
  /** Asked anew for each request, since tokens expire. */
  options(): Promise<RequestOptions>;
}

const fix = "set KUBECONFIG to its file, or write it to ~/.kube/config";

/**
 * @param context "" is the current one; in a pod without a kubeconfig, the cluster around it, whatever the context
 * @throws Error where there is no such context, or no kubeconfig
 */
export async function findWay(context: string): Promise<Way> {
  const config = await load();
  const contexts = config.getContexts().map(({ name }) => name);
  if (contexts.length === 0) throw new Error(`there is no kubeconfig: ${fix}`);
  if (context !== "" && !isInPod(config)) {
    if (!contexts.includes(context)) {
      const those = contexts.map((name) => `"${name}"`).join(", ");
      throw new Error(
        `the kubeconfig has no context "${context}", only ${those}: put one of these in tagalong:kubernetes.context, or ${fix}`,
      );
    }
    config.setCurrentContext(context);
  }
  const current = config.getCurrentContext();
  if (!current)
    throw new Error(
      "the kubeconfig has no current context: name one in tagalong:kubernetes.context, or choose one with `kubectl config use-context`",
    );
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster || !user) {
    const missing = cluster ? "user" : "cluster";
    throw new Error(
      `the context "${current}" of the kubeconfig names a ${missing} that is not there: ${fix}`,
    );
  }
  // kubectl takes plain HTTP as it is; the library wants to be told that nothing is verified there.
  if (cluster.server.startsWith("http:")) Object.assign(cluster, { skipTLSVerify: true });
  const name = isInPod(config)
    ? `the cluster around this pod at ${cluster.server}`
    : `the cluster of the context "${current}" at ${cluster.server}`;
  return {
    name,
    server: cluster.server,
    user: user.name,
    async options() {
      const options: RequestOptions = {};
      try {
        await config.applyToHTTPSOptions(options);
      } catch (error) {
        throw new Error(
          `no credentials could be had for ${name} (user "${user.name}": ${firstLine(error)}): log in again, or ${fix}`,
        );
      }
      return options;
    },
  };
}

const podContext = "inClusterContext";
const isInPod = (config: KubeConfig): boolean => config.getCurrentContext() === podContext;

/** The files that a kubeconfig is to be in, and whether somebody named them. */
function places(): { files: string[]; named: string | undefined } {
  const named = process.env["KUBECONFIG"];
  const files = named ? named.split(delimiter).filter(Boolean) : [join(homedir(), ".kube", "config")];
  return { files: files.filter((file) => existsSync(file)), named };
}

/** Whether this is a pod without a kubeconfig: then the cluster is the one around it, whatever the context. */
export function isAroundUs(): boolean {
  const { files, named } = places();
  return !named && files.length === 0 && Boolean(process.env["KUBERNETES_SERVICE_HOST"]);
}

/** Of several files, what stands first counts, and one that is missing is skipped. */
async function load(): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const { files, named } = places();
  const all = new KubeConfig();
  for (const file of files) {
    const one = new KubeConfig();
    try {
      one.loadFromFile(file);
    } catch (error) {
      throw new Error(`the kubeconfig ${file} cannot be read (${firstLine(error)}): ${fix}`);
    }
    all.loadFromOptions({
      clusters: merged(all.clusters, one.clusters),
      users: merged(all.users, one.users),
      contexts: merged(all.contexts, one.contexts),
      currentContext: all.currentContext || one.currentContext,
    });
  }
  if (files.length === 0 && named)
    throw new Error(`there is no kubeconfig at ${named}, which KUBECONFIG names: ${fix}`);
  if (isAroundUs()) all.loadFromCluster();
  return all;
}

const merged = <T extends { name: string }>(first: readonly T[] = [], second: readonly T[] = []): T[] => [
  ...first,
  ...second.filter(({ name }) => !first.some((one) => one.name === name)),
];

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split("\n")[0] ?? "";
