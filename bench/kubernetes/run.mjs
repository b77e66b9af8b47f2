// `--case kubernetes`: rolls of ever more Deployments, ours and kubectl's, one after the other on the same Deployments.
import { mkdtempSync, rmSync } from "node:fs";
import { arch, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { built } from "../../tools/go-build.mjs";
import { prepare } from "../../tools/ground.mjs";
import { localRegistry } from "../../tools/local-registry.mjs";
import { distribution } from "../../tools/programs.mjs";
import { ports } from "../cases.mjs";
import { Images } from "../images.mjs";
import { openCluster } from "./cluster.mjs";
import * as kubectl from "./kubectl.mjs";
import { watchDeployments } from "./readiness.mjs";
import { row } from "./report.mjs";
import { namespace, replicas, repository, stack as tag } from "./sizes.mjs";
import * as tagalong from "./tagalong.mjs";

/** What the case stands on, besides a cluster. */
export const forKubernetes = ["engine", "language", "kubernetes", "cluster"];

/**
 * @typedef {object} Means what both sides are given
 * @property {string} folder of the run, removed at its end
 * @property {NodeJS.ProcessEnv} env
 * @property {string} registry address
 * @property {import("./cluster.mjs").Cluster} cluster
 * @property {AbortSignal} signal
 * @property {(close: () => Promise<void>) => void} onClose what to undo at the end, last first
 */

/**
 * @typedef {object} Roll
 * @property {number} ms push finished, or kubectl started → every pod of every Deployment runs the image and is ready
 * @property {number} from
 * @property {import("../statistics.mjs").Marks} marks
 * @property {Record<string, import("./peaks.mjs").Peak>} processes
 */

/** @typedef {{rolls: number, sizes: readonly number[]}} Wanted */

/**
 * @param {Wanted} wanted
 * @param {import("../../tools/progress.mjs").Progress} progress
 * @param {AbortSignal} signal
 * @param {(close: () => Promise<void>) => void} onClose
 * @returns {Promise<import("./report.mjs").Row[]>}
 */
export async function kubernetesCase({ rolls, sizes }, progress, signal, onClose) {
  const ground = await prepare(forKubernetes, { progress });
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  onClose(async () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const registry = await localRegistry({
    progress,
    build: () => built(distribution, progress),
    port: ports.registry,
    folder: join(folder, "registry"),
  });
  onClose(registry.stop);
  const cluster = await openCluster(progress, onClose);
  signal.throwIfAborted();
  const means = { folder, env: ground.env, registry: registry.address, cluster, signal, onClose };
  const images = imagesOfNothing(`http://${registry.address}`);
  const referenceOf = (/** @type {import("../images.mjs").Version} */ version) =>
    `${registry.address}/${repository}@${version.digest}`;
  let current = await images.add("0", [repository]);
  await images.tag([repository], tag, current);
  const ours = await tagalong.openTagalong(means);
  const readiness = watchDeployments(cluster.kubeconfig, signal);
  onClose(async () => readiness.close());

  /** @type {import("./report.mjs").Row[]} */
  const rows = [];
  for (const deployments of sizes) {
    const pods = `${deployments} Deployments with ${deployments * replicas} pods`;
    await progress.step(`kubernetes: bringing up ${pods}`, 10 + deployments / 2, () =>
      ours.grow(deployments),
    );
    await readiness.arrival(referenceOf(current), deployments);
    const load = Math.round((loadavg()[0] ?? 0) * 100) / 100;
    /** @param {string} side @param {number} number @param {Roll} roll */
    const say = (side, number, roll) =>
      progress.say(
        `  ${side} ${number}/${rolls}: ${Math.round(roll.ms)} ms ${JSON.stringify(roll.processes)}`,
      );

    /** @type {Roll[]} */
    const tagalongRolls = [];
    const followed = await ours.follow();
    // Roll 0 is not counted: a watcher that has just started confirms what it finds by an update, and is busy with it.
    for (let number = 0; number <= rolls; number++) {
      const version = await images.add(`${deployments}-${number}`, [repository]);
      const push = () => images.tag([repository], tag, version);
      const done = await followed.roll(push, version, (check) =>
        readiness.arrival(referenceOf(version), deployments, check),
      );
      current = version;
      if (number === 0) continue;
      tagalongRolls.push(done);
      say("tagalong", number, done);
    }
    await followed.stop();

    /** @type {Roll[]} */
    const kubectlRolls = [];
    for (let number = 1; number <= rolls; number++) {
      const version = await images.add(`${deployments}-kubectl-${number}`, [repository]);
      const image = referenceOf(version);
      const done = await kubectl.rollByKubectl(means, image, () => readiness.arrival(image, deployments));
      kubectlRolls.push(done);
      say("kubectl", number, done);
    }
    // The stack goes on from what its tag says.
    await cluster.ask(
      "--namespace",
      namespace,
      "set",
      "image",
      "deployments",
      "--all",
      `*=${referenceOf(current)}`,
    );
    rows.push(row(deployments, load, { tagalong: tagalongRolls, kubectl: kubectlRolls }));
  }
  return rows;
}

/** Images without a layer: kwok's nodes pull none. */
const imagesOfNothing = (/** @type {string} */ origin) =>
  new Images(
    origin,
    repository,
    {
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: { mediaType: "application/vnd.docker.container.image.v1+json", size: 0, digest: "" },
      layers: [],
    },
    {
      architecture: arch() === "x64" ? "amd64" : arch(),
      os: "linux",
      rootfs: { type: "layers", diff_ids: [] },
      config: { User: "1000", Env: ["VERSION=", "REVISION="], Labels: {} },
    },
  );
