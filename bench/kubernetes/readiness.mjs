// When each Deployment was given an image and when all of its pods ran it, as the API's own watch tells it. Both sides
// are measured by this alone, and neither by what it says of itself.
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig, Watch } from "@kubernetes/client-node";
import { now } from "../../tools/traffic.mjs";
import { longestMs, namespace, replicas } from "./sizes.mjs";

/**
 * @typedef {object} Sight what is known of one Deployment and one image
 * @property {number} patchedAt
 * @property {number} [readyAt]
 */

/** @typedef {{firstPatched: number, lastPatched: number, ready: number}} Arrival times since the epoch */
/** @typedef {{arrival: (image: string, deployments: number, check?: () => void) => Promise<Arrival>, close: () => void}} Readiness */

/**
 * @typedef {object} Deployment
 * @property {{name: string, generation: number, resourceVersion: string}} metadata
 * @property {{template: {spec: {containers: {image: string}[]}}}} spec
 * @property {Partial<Record<"observedGeneration" | "replicas" | "updatedReplicas" | "readyReplicas" | "availableReplicas", number>>} [status]
 */

/** @param {Deployment} deployment */
export function isReady({ metadata, status = {} }) {
  const counts = [status.replicas, status.updatedReplicas, status.readyReplicas, status.availableReplicas];
  return status.observedGeneration === metadata.generation && counts.every((count) => count === replicas);
}

/**
 * @param {string} kubeconfig
 * @param {AbortSignal} signal
 * @returns {Readiness}
 */
export function watchDeployments(kubeconfig, signal) {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const watch = new Watch(config);
  /** @type {Map<string, Map<string, Sight>>} image → Deployment → what is known */
  const seen = new Map();
  /** @param {Deployment} deployment */
  function see(deployment) {
    const image = deployment.spec.template.spec.containers[0]?.image ?? "";
    const sights = seen.get(image) ?? new Map();
    seen.set(image, sights);
    const sight = sights.get(deployment.metadata.name) ?? { patchedAt: now() };
    sights.set(deployment.metadata.name, sight);
    if (isReady(deployment)) sight.readyAt ??= now();
  }
  let position = "";
  let closed = false;
  /** @type {AbortController | undefined} */
  let running;
  const follow = async () => {
    while (!closed) {
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
      await new Promise((resolve) => {
        const hear = (/** @type {string} */ type, /** @type {Deployment} */ object) => {
          if (type === "ERROR") position = "";
          else position = object.metadata.resourceVersion;
          if (type === "ADDED" || type === "MODIFIED") see(object);
        };
        const from = position ? { resourceVersion: position } : {};
        watch.watch(path, from, hear, resolve).then((request) => {
          running = request;
          if (closed) request.abort();
        }, resolve);
      });
      await sleep(50);
    }
  };
  const following = follow();
  following.catch(() => {});
  return {
    close() {
      closed = true;
      running?.abort();
    },
    async arrival(image, deployments, check = () => {}) {
      for (const end = now() + longestMs; ; await sleep(20, undefined, { signal })) {
        const sights = [...(seen.get(image)?.values() ?? [])];
        const ready = sights.flatMap(({ readyAt }) => readyAt ?? []);
        if (ready.length === deployments) {
          const patched = sights.map(({ patchedAt }) => patchedAt);
          return {
            firstPatched: Math.min(...patched),
            lastPatched: Math.max(...patched),
            ready: Math.max(...ready),
          };
        }
        check();
        if (now() > end)
          throw new Error(
            `${deployments - ready.length} of ${deployments} Deployments do not run ${image} after ${longestMs / 1000} s`,
          );
      }
    },
  };
}
