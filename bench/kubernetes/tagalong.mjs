// Our side: one stack that grows from case to case, brought up by `pulumi up` and followed by `tagalong watch`.
import { join } from "node:path";
import { projectEnv, pulumiIn, writeProject } from "../project.mjs";
import { isOf, startWatcher } from "../watcher.mjs";
import { peaksOf } from "./peaks.mjs";
import {
  intervalSeconds,
  longestMs,
  namespace,
  project,
  replicas,
  repository,
  serviceName,
  stack,
} from "./sizes.mjs";

/** What is known of a roll, in order. */
export const marks = ["moved", "rolling", "firstPatched", "lastPatched", "ready", "live", "verdict"];

/**
 * @param {import("./run.mjs").Means} means
 * @returns {Promise<{grow: (deployments: number) => Promise<void>, follow: () => Promise<Followed>}>}
 */
export async function openTagalong({ folder: above, env: ground, registry, cluster, signal, onClose }) {
  const folder = join(above, "stack");
  // What the watcher gives Pulumi, for bringing up as well, which is not measured.
  const forMany = { KUBE_FEATURE_WatchListClient: "true", PULUMI_SKIP_CHECKPOINTS: "true" };
  const env = projectEnv(folder, { ...ground, ...forMany, KUBECONFIG: cluster.kubeconfig });
  const pulumi = pulumiIn(folder, env, longestMs / 1_000);
  let isThere = false;
  return {
    async grow(deployments) {
      writeProject(folder, {
        ...of(deployments),
        images: { app: { repository: `${registry}/${repository}` } },
      });
      if (!isThere) await pulumi("stack", "init", stack);
      isThere = true;
      await pulumi("up", "--stack", stack, "--yes", "--skip-preview");
      signal.throwIfAborted();
    },
    async follow() {
      const watcher = await startWatcher({ stack, folder, env, signal });
      onClose(watcher.stop);
      await watcher.heard(({ event }) => event === "watching");
      return new Followed(watcher);
    },
  };
}

/** The environment of so many services, all of one image. */
const of = (/** @type {number} */ deployments) => ({
  name: project,
  stack,
  config: {
    "tagalong:engine": "kubernetes",
    "tagalong:kubernetes": { namespace },
    "tagalong:services": Object.fromEntries(
      Array.from({ length: deployments }, (_, index) => [
        serviceName(index + 1),
        { image: "app", port: 8080, replicas, user: "1000", health: { path: "/healthz" } },
      ]),
    ),
    "tagalong:rollout": {
      interval: `${intervalSeconds}s`,
      deadline: `${longestMs / 1_000}s`,
      soak: "1s",
    },
  },
});

/** A stack with its watcher. */
export class Followed {
  /** @param {import("../watcher.mjs").Watcher} watcher */
  constructor(watcher) {
    this.watcher = watcher;
  }

  /**
   * @param {() => Promise<void>} push
   * @param {import("../images.mjs").Version} version
   * @param {(check: () => void) => Promise<import("./readiness.mjs").Arrival>} arrival
   * @returns {Promise<import("./run.mjs").Roll>}
   */
  async roll(push, { version }, arrival) {
    const peaks = peaksOf(this.watcher.pid);
    try {
      await push();
      const from = Date.now();
      const { ready, firstPatched, lastPatched } = await arrival(this.watcher.check);
      const verdict = await this.watcher.heard(
        (line) => line.event === "healthy" && isOf(line, version),
        longestMs / 1_000,
      );
      const at = (/** @type {string} */ event) =>
        this.watcher.told().find((line) => line.event === event && line.time >= from)?.time;
      const times = { firstPatched, lastPatched, ready, live: at("live"), verdict: verdict.time };
      return {
        ms: ready - from,
        from,
        marks: { moved: at("moved"), rolling: at("rolling"), ...times },
        processes: peaks.end(),
      };
    } finally {
      peaks.end();
    }
  }

  stop() {
    return this.watcher.stop();
  }
}
