// The story on Kubernetes, `npm run start:kubernetes`: on a cluster of its own, which goes with it.
import { call } from "./cluster/api.mjs";
import { forCluster, prepareCluster } from "./cluster/command.mjs";
import { folderOf, kubeconfigOf } from "./cluster/folder.mjs";
import { down } from "./cluster/lifecycle.mjs";
import { reason } from "./failure.mjs";
import { progress } from "./progress.mjs";

/** From the port that a stack's file has for a machine to one of a node: 8080 becomes 30080. */
const TO_NODE_PORTS = 22_000;

/** @param {import("./story-folder.mjs").Place} place */
const clusterOf = ({ name }) => name;

/** @type {import("./story-engine.mjs").StoryEngine} */
export const onKubernetes = {
  command: "npm run start:kubernetes",
  folder: "start-kubernetes",
  ground: ["engine", "language", "kubernetes", "base", ...forCluster],
  env: (place) => ({ KUBECONFIG: kubeconfigOf(folderOf(clusterOf(place))) }),
  async ready({ place, tell }) {
    const { name, api } = await prepareCluster({ name: clusterOf(place), fakes: 0 }, progress());
    tell.happened(`the cluster ${name} is up: ${api}`);
  },
  configure(document) {
    document.setIn(["config", "tagalong:engine"], "kubernetes");
    document.deleteIn(["config", "tagalong:edge"]);
  },
  port: async (wanted) => wanted + TO_NODE_PORTS,
  async running({ place }, environment) {
    const namespace = environment.replace("/", "-");
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const { items } = await call(folderOf(clusterOf(place)), "GET", path);
    /** @type {{ metadata: { deletionTimestamp?: string }, spec: { containers: { name: string, image: string }[] } }[]} */
    const pods = items;
    const serving = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return Object.fromEntries(
      serving.flatMap(({ spec }) => spec.containers.map(({ name, image }) => [name, image.split("@")[1]])),
    );
  },
  // Nothing of an environment outlives its cluster.
  down: async ({ place }) => {
    try {
      await down(clusterOf(place));
      return [];
    } catch (error) {
      return [reason(error)];
    }
  },
  stays: (registry) =>
    `the cluster is gone; the Docker engine, which built the images, and the registry on ${registry} stay`,
  byHand: (_env, place) => ({
    settings: [`export KUBECONFIG=${kubeconfigOf(folderOf(clusterOf(place)))}`],
    end: [`npm run cluster -- down --name ${clusterOf(place)}`],
  }),
};
