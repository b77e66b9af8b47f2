// ClusterClaim: an environment's namespace on a cluster. Nothing else of the environment is made before it holds, in a
// preview as in an update: the cluster answers and is new enough, whoever asks may do what is to be done, and nothing of
// a name that the environment needs belongs to somebody else.
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { V1Deployment } from "@kubernetes/client-node";
import type { Handler } from "../handler";
import { session } from "../session";
import { find, type Labelled, pathOf, type Resource, remove, resources, versionOf } from "./api";
import { type Cluster, connectCluster } from "./cluster";
import { isClusterError } from "./errors";
import { environmentAnnotation, labels, oldestVersion, podLabels, watcherName } from "./layout";
import { removeOrphans } from "./orphans";
import { lacking, type Permission, rightsOf } from "./rights";

/** Objects of one resource of the API, by name. */
export interface ObjectNames extends Resource, Record<string, unknown> {
  kind: string;
  names: string[];
}

export interface ClusterClaimInputs extends Record<string, unknown> {
  /** `<project>/<stack>`: the annotation that everything of this environment carries. */
  environment: string;
  /** Context of the kubeconfig; "" is the current one. */
  context: string;
  namespace: string;
  /** All objects whose names are fixed. */
  objects: ObjectNames[];
  /** What whoever runs the update must be allowed in the namespace. */
  permissions: Permission[];
  /** And what besides, where that is no watcher: it makes nothing that says who may do what. */
  permissionsByHand: Permission[];
}

export interface ClusterClaimOutputs extends Record<string, unknown> {
  /** Names this claim on labels; random, so that no other state can hold the same. */
  claim: string;
  /** The namespace's own id: no other cluster has one of the same. */
  uid: string;
  /** Whether the namespace was made for this claim, and goes with it. */
  isMade: boolean;
  /** `os/architecture` that the nodes run, in order; empty where that may not be read. */
  platforms: string[];
  /** Host name or address at which a node port is reached, as far as that is known: that of the cluster's API. */
  host: string;
}

type State = ClusterClaimInputs & ClusterClaimOutputs;

interface Node {
  status: { nodeInfo: { operatingSystem: string; architecture: string } };
}

/** How long a namespace may take to go with everything in it. */
const farewell = { everyMs: 250, times: 480 };

export const clusterClaim: Handler<ClusterClaimInputs, ClusterClaimOutputs> = {
  replaceOn: ["environment", "namespace"],
  // Another name for the same cluster changes nothing; that it is the same is verified.
  ignore: ["context"],
  async preview(inputs, old) {
    const all = inputs as ClusterClaimInputs;
    const cluster = await connectCluster(all);
    await check(cluster, all, old);
    if (!old) return {};
    const { claim, uid, isMade, platforms, host } = old;
    return { claim, uid, isMade, platforms, host };
  },
  async verify({ environment, context, namespace, uid, claim }) {
    const cluster = await connectCluster({ context });
    const found = await namespaceIn(cluster, namespace);
    if (found?.metadata.uid === uid) return checkSelectors(cluster, namespace, claim);
    const what = found ? "another one than the stack's" : "not there";
    throw new Error(
      `the namespace ${namespace} of the environment ${environment} is ${what} on ${await cluster.name()}: choose the stack's cluster (KUBECONFIG, or tagalong:kubernetes.context), or, where somebody has removed it there, run \`pulumi up --refresh\``,
    );
  },
  async read(_id, state) {
    const cluster = await connectCluster(state);
    const found = await namespaceIn(cluster, state.namespace);
    return found?.metadata.uid === state.uid && !found.metadata.deletionTimestamp ? state : undefined;
  },
  async create(inputs) {
    const cluster = await connectCluster(inputs);
    await check(cluster, inputs, undefined);
    const claim = randomBytes(8).toString("hex");
    const there = await namespaceIn(cluster, inputs.namespace);
    const { metadata } = there ?? (await makeNamespace(cluster, inputs, claim));
    const outputs = { claim, uid: metadata.uid ?? "", isMade: !there };
    return { id: inputs.namespace, outputs: { ...outputs, ...(await nodesOf(cluster, [])) } };
  },
  async update(_id, inputs, old) {
    const cluster = await connectCluster(inputs);
    await check(cluster, inputs, old);
    const { claim, uid, isMade } = old;
    return { claim, uid, isMade, ...(await nodesOf(cluster, old.platforms)) };
  },
  // What the state knew is gone by now. What an update that was killed left behind goes first.
  async delete(_id, state) {
    const cluster = await connectCluster(state);
    const found = await namespaceIn(cluster, state.namespace);
    if (found?.metadata.uid !== state.uid) return;
    await removeOrphans(cluster, state.namespace, state.claim, new Set());
    await removeLease(cluster, state);
    if (!state.isMade) return;
    if (!found.metadata.deletionTimestamp)
      await cluster.delete(pathOf(resources.namespaces, undefined, state.namespace));
    for (let i = 0; i < farewell.times; i++) {
      if ((await namespaceIn(cluster, state.namespace))?.metadata.uid !== state.uid) return;
      await pause(farewell.everyMs);
    }
    throw new Error(
      `the namespace ${state.namespace} does not end: see what is left in it with \`kubectl get all -n ${state.namespace}\` and its status with \`kubectl get namespace ${state.namespace} -o yaml\``,
    );
  },
};

/** That of the watchers, which no update made. Who has no right to it has let none of them run. */
async function removeLease(cluster: Cluster, { environment, namespace }: State): Promise<void> {
  const path = pathOf(resources.leases, namespace, watcherName);
  try {
    const found = await find<Labelled>(cluster, path);
    if (found?.metadata.annotations?.[environmentAnnotation] === environment)
      await remove(cluster, path, found.metadata);
  } catch (error) {
    if (!isClusterError(error, "Forbidden")) throw error;
  }
}

const namespaceIn = (cluster: Cluster, name: string): Promise<Labelled | undefined> =>
  find<Labelled>(cluster, pathOf(resources.namespaces, undefined, name));

function makeNamespace(
  cluster: Cluster,
  { environment, namespace: name }: ClusterClaimInputs,
  claim: string,
): Promise<Labelled> {
  return cluster.post<Labelled>(pathOf(resources.namespaces), {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      annotations: { [environmentAnnotation]: environment },
      labels: {
        [labels.claim]: claim,
        "app.kubernetes.io/managed-by": "tagalong",
        "pod-security.kubernetes.io/enforce": "restricted",
      },
    },
  });
}

/** Throws one error that lists everything that stands in the environment's way. */
async function check(cluster: Cluster, inputs: ClusterClaimInputs, old: State | undefined): Promise<void> {
  await checkVersion(cluster);
  const { environment, namespace: name } = inputs;
  const namespace = await namespaceIn(cluster, name);
  const owner = namespace?.metadata.annotations?.[environmentAnnotation];
  if (namespace?.metadata.deletionTimestamp && namespace.metadata.uid !== old?.uid)
    throw new Error(`the namespace ${name} is being removed: try again when it is gone`);
  if (owner !== undefined && owner !== environment)
    throw new Error(
      `the namespace ${name} is of the environment ${owner}: give this one another in tagalong:kubernetes.namespace`,
    );
  const denied = await forbidden(cluster, inputs, namespace !== undefined);
  if (denied.length > 0) throw new Error(denied.join("\n"));
  const taken = namespace ? await foreign(cluster, inputs, old) : [];
  if (taken.length > 0 && !old && owner === environment)
    throw new Error(
      `the environment ${environment} is in the namespace ${name} already, made from another state: select that state's backend, give this one another namespace in tagalong:kubernetes.namespace, or remove it there with \`pulumi destroy\`, or, where its state is lost, with \`kubectl delete namespace ${name}\``,
    );
  if (taken.length > 0) throw new Error(taken.join("\n"));
}

/** Which pods a Deployment has can never be changed: one that somebody made anew with others would have to go first. */
async function checkSelectors(cluster: Cluster, namespace: string, claim: string): Promise<void> {
  const query = { labelSelector: `${labels.claim}=${claim}` };
  const { items } = await cluster.list<V1Deployment & Labelled>(pathOf(resources.deployments, namespace), {
    query,
  });
  const others = items.flatMap(({ metadata: { name = "" }, spec }) =>
    isDeepStrictEqual(spec?.selector, { matchLabels: podLabels(name) })
      ? []
      : [
          `somebody has made the Deployment "${name}" anew with another selector, which cannot be changed: remove it with \`kubectl delete deployments ${name} -n ${namespace}\`, and run \`pulumi up --refresh\``,
        ],
  );
  if (others.length > 0) throw new Error(others.join("\n"));
}

async function checkVersion(cluster: Cluster): Promise<void> {
  const { major, minor, name } = await versionOf(cluster);
  const oldest = oldestVersion;
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return;
  throw new Error(
    `${await cluster.name()} is Kubernetes ${name}, and ${oldest.major}.${oldest.minor} or later is needed: upgrade it, or use another one`,
  );
}

/** What whoever asks may not do, a line each. */
async function forbidden(
  cluster: Cluster,
  { namespace, permissions, permissionsByHand }: ClusterClaimInputs,
  isThere: boolean,
): Promise<string[]> {
  const isByHand = (await session())?.role === "hand";
  return lacking(cluster, [
    ...rightsOf([...permissions, ...(isByHand ? permissionsByHand : [])], namespace),
    ...(isThere ? [] : [{ group: "", resource: "namespaces", verb: "create" }]),
  ]);
}

/** What of the names is somebody else's, a line each. */
async function foreign(
  cluster: Cluster,
  { namespace, objects: all }: ClusterClaimInputs,
  old: State | undefined,
): Promise<string[]> {
  const found = await Promise.all(
    all.map(async (objects) => {
      const { resource, kind, names } = objects;
      const { items } = await cluster.list<Labelled>(pathOf(objects, namespace));
      return items
        .filter(({ metadata }) => names.includes(metadata.name ?? ""))
        .filter(({ metadata }) => old === undefined || metadata.labels?.[labels.claim] !== old.claim)
        .map(
          ({ metadata: { name } }) =>
            `the ${kind} "${name}" exists in the namespace ${namespace} and is not of this stack: rename the service, or remove it with \`kubectl delete ${resource} ${name} -n ${namespace}\``,
        );
    }),
  );
  return found.flat();
}

/** What the nodes run; what was known before, where that may not be read. */
async function nodesOf(
  cluster: Cluster,
  known: string[],
): Promise<Pick<ClusterClaimOutputs, "platforms" | "host">> {
  const host = await cluster.host();
  try {
    const { items } = await cluster.list<Node>(pathOf(resources.nodes));
    const all = items.map(
      ({ status: { nodeInfo } }) => `${nodeInfo.operatingSystem}/${nodeInfo.architecture}`,
    );
    return { platforms: [...new Set(all)].sort(), host };
  } catch (error) {
    if (isClusterError(error, "Forbidden")) return { platforms: known, host };
    throw error;
  }
}
