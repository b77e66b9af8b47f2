// A cluster as the place of an environment. What Kubernetes does by itself, such as making pods again that are gone, is
// left to it; the watcher looks after what somebody else has made of the Deployments.
import type { V1Deployment } from "@kubernetes/client-node";
import { watcherPermissions } from "../components/kubernetes/needs";
import { namespaceOf } from "../config";
import { pathOf, resources } from "../provider/kubernetes/api";
import { connectCluster } from "../provider/kubernetes/cluster";
import { deploymentFacts } from "../provider/kubernetes/facts";
import { labels } from "../provider/kubernetes/layout";
import type { ClusterGateInputs } from "../provider/kubernetes/lookout";
import { removeOrphans } from "../provider/kubernetes/orphans";
import { lacking, rightsOf } from "../provider/kubernetes/rights";
import { foreignChange } from "../rollout/deployment";
import { ClusterLease } from "./clusterLease";
import { type Lost, nothingLost, type Place } from "./place";
import { podEnvironment } from "./podKubeconfig";

/** @param context of the kubeconfig; undefined is the current one */
export const kubernetesPlace = (context = ""): Place => ({
  claimType: "tagalong:index:ClusterClaim",
  // Pulumi's engine writes the whole state twice for each object otherwise, one after the other, and the provider lists
  // all events of the namespace for each; both make a roll of many services take several times as long. Objects have one
  // name each, so what a killed engine had made is found again without a record.
  environment: {
    PULUMI_SKIP_CHECKPOINTS: "true",
    KUBE_FEATURE_WatchListClient: "true",
    // The engine of two hundred services came to 560 MB otherwise, most of it what it had no use for any more.
    GOGC: process.env["GOGC"] ?? "50",
    ...podEnvironment(context),
  },
  isSavedAtEnd: true,
  async hold({ project, config, log, stop }) {
    const cluster = connectCluster({ context });
    const namespace = namespaceOf(project, config);
    const problems = await lacking(cluster, rightsOf(watcherPermissions(config), namespace));
    if (problems.length > 0) throw new Error(problems.join("\n"));
    const environment = `${project}/${config.stack}`;
    return ClusterLease.take({ cluster, namespace, environment, log, stop });
  },
  // Each node pulls for itself, once a pod of its own needs it.
  async pull() {},
  lost: async (gate) => ("cluster" in gate ? lost(gate as ClusterGateInputs) : nothingLost),
  async startAgain() {},
  async removeOrphans({ claim, namespace }, known) {
    return removeOrphans(connectCluster({ context }), String(namespace), String(claim), known);
  },
});

async function lost({ cluster: { context, namespace }, services }: ClusterGateInputs): Promise<Lost> {
  const path = pathOf(resources.deployments, namespace);
  const query = { labelSelector: labels.service };
  const { items } = await connectCluster({ context }).list<V1Deployment>(path, { query });
  const there = new Map(items.map(deploymentFacts).map((facts) => [facts.name, facts]));
  const changes = Object.entries(services).flatMap(
    ([service, { deployment, reference: wanted, replicas }]) => {
      const facts = there.get(deployment);
      const declared = { service, wanted, ...(replicas === undefined ? {} : { wantedReplicas: replicas }) };
      const change = facts
        ? foreignChange({ ...facts, ...declared })
        : `somebody removed the Deployment ${service}`;
      return change ? [{ service, change }] : [];
    },
  );
  return {
    services: changes.map(({ service }) => service).sort(),
    why: changes.map(({ change }) => change).join("; "),
    stopped: [],
  };
}
