// Brings a cluster up, takes it down, and says how it is.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, reason } from "../failure.mjs";
import { processStart, withLock } from "../lock.mjs";
import { cacheFolder } from "../paths.mjs";
import { addressesOf, serverOf } from "./addresses.mjs";
import { ailment, call } from "./api.mjs";
import { begin, end, makeGroups, newWire, plugIn } from "./cell.mjs";
import { addFakes } from "./fakes.mjs";
import { folderOf, groupOf, kubeconfigOf, names, record, recorded, runs } from "./folder.mjs";
import { makeIdentities } from "./identities.mjs";
import { layPrograms } from "./machine.mjs";
import { innerScript, inside, outerScript } from "./parts.mjs";
import { settings } from "./settings.mjs";

const kwokStages = new URL("kwok.yaml", import.meta.url);

const DEADLINE_SECONDS = 180;

/**
 * @typedef {object} Condition
 * @property {string} name
 * @property {"up" | "unwell" | "down"} state
 * @property {Record<string, string>} ailments by part, what is wrong with it
 * @property {{ ready: number, all: number }} nodes
 * @property {number} pods
 * @property {string} api
 * @property {string} kubeconfig
 * @property {string} since
 */

/** @param {string} name */
const lockOf = (name) => join(cacheFolder(), "locks", `cluster-${name}`);

/**
 * @param {object} options
 * @param {string} options.name
 * @param {number} options.fakes how many nodes to have that exist in the API only
 * @param {string} options.program the program of tools/go/cluster
 * @param {string} options.pause the image that holds a pod's namespaces
 * @param {number} options.registryPort
 * @param {import("../progress.mjs").Progress} options.progress
 * @returns {Promise<Condition>}
 */
export async function up({ name, fakes, program, pause, registryPort, progress }) {
  const folder = folderOf(name);
  const waiting = (/** @type {number} */ holder) =>
    progress.say(`Cluster ${name}: process ${holder} has it in hand; waiting for that`);
  return withLock(
    lockOf(name),
    async () => {
      const there = recorded(folder);
      if (there && runs(there)) {
        if (there.fakes === fakes) return settled(there);
        throw new Failure(
          `the cluster ${name} is up, with ${there.fakes} fake nodes`,
          `npm run cluster -- down${name === "default" ? "" : ` --name ${name}`}`,
        );
      }
      await remove(folder);
      return progress.step(`Cluster ${name}: starting it`, 20, () =>
        start({ name, folder, fakes, program, pause, registryPort }),
      );
    },
    waiting,
  );
}

/** @param {{ name: string, folder: string, fakes: number, program: string, pause: string, registryPort: number }} options */
async function start({ name, folder, fakes, program, pause, registryPort }) {
  const group = groupOf(folder);
  const number = await newWire(group);
  const addresses = addressesOf(number);
  const layout = { addresses, registryPort, fakes: fakes > 0 };
  try {
    for (const each of ["log", "lib"]) mkdirSync(join(folder, each), { recursive: true });
    await layPrograms(program, join(folder, "bin"));
    await makeIdentities(name, folder, addresses);
    const files = {
      ...settings({ node: addresses.node, group, pause, registryPort }),
      "kwok.yaml": readFileSync(kwokStages, "utf8"),
      "outer.sh": outerScript(layout, folder),
      "inner.sh": innerScript(layout),
    };
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    makeGroups(group);
    const pid = begin(folder, join(folder, "outer.sh"));
    const cluster = {
      name,
      folder,
      number,
      fakes,
      since: new Date().toISOString(),
      process: { pid, started: processStart(pid) ?? "" },
    };
    record(cluster);
    return await settled(cluster);
  } catch (error) {
    await end(recorded(folder)?.process, group);
    if (error instanceof Failure) throw error;
    throw new Failure(
      `the cluster ${name} did not start: ${reason(error)}`,
      `its logs: ${join(folder, "log")}`,
    );
  }
}

/**
 * Waits until every part is well, and brings what has to be there from the beginning. Another run may have begun it.
 * @param {import("./folder.mjs").Cluster} cluster
 */
async function settled(cluster) {
  const { name, folder, fakes } = cluster;
  await plugIn(cluster.process.pid, addressesOf(cluster.number).link);
  let populated = false;
  let now = await condition(name);
  for (const limit = Date.now() + DEADLINE_SECONDS * 1000; Date.now() < limit; await sleep(200)) {
    if (!runs(cluster)) throw new Error(`its first process ended: ${lastLine(folder, "cell")}`);
    now = await condition(name);
    if (!populated && !now.ailments["kube-apiserver"]) {
      if (now.nodes.all < fakes + 1) await addFakes(folder, fakes);
      populated = true;
    }
    if (now.state === "up" && (await hasServiceAccount(folder))) return now;
  }
  const lines = Object.entries(now.ailments).map(
    ([part, what]) => `${part}: ${what}; its log ends with: ${lastLine(folder, part)}`,
  );
  throw new Failure(
    [`the cluster ${name} is not well after ${DEADLINE_SECONDS} s`, ...lines].join("\n  "),
    `its logs: ${join(folder, "log")}`,
  );
}

/** @param {string} folder @param {string} part */
function lastLine(folder, part) {
  try {
    const lines = readFileSync(join(folder, "log", `${part}.log`), "utf8")
      .trim()
      .split("\n");
    return (lines.at(-1) ?? "").slice(0, 300);
  } catch {
    return "(nothing)";
  }
}

/**
 * Without it no pod can be made in the namespace.
 * @param {string} folder
 */
const hasServiceAccount = (folder) =>
  call(folder, "GET", "/api/v1/namespaces/default/serviceaccounts/default").then(
    () => true,
    () => false,
  );

/** @param {string} name */
export async function down(name) {
  const folder = folderOf(name);
  return withLock(lockOf(name), async () => {
    const there = names().includes(name);
    await remove(folder);
    return there;
  });
}

/** @param {string} folder */
async function remove(folder) {
  await end(recorded(folder)?.process, groupOf(folder));
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {string} name
 * @returns {Promise<Condition>}
 */
export async function condition(name) {
  const folder = folderOf(name);
  const cluster = recorded(folder);
  const addresses = addressesOf(cluster?.number ?? 0);
  const about = {
    name,
    api: cluster ? serverOf(addresses) : "",
    kubeconfig: kubeconfigOf(folder),
    since: cluster?.since ?? "",
  };
  if (!cluster || !runs(cluster))
    return { ...about, state: "down", ailments: {}, nodes: { ready: 0, all: 0 }, pods: 0 };
  const parts = inside({ addresses, registryPort: 0, fakes: cluster.fakes > 0 });
  const said = await Promise.all(
    parts.flatMap(({ name, health }) => (health ? [ailment(health).then((what) => [name, what])] : [])),
  );
  /** @type {Record<string, string>} */
  const ailments = Object.fromEntries(said.filter(([, what]) => what));
  const { nodes, pods } = ailments["kube-apiserver"]
    ? { nodes: { ready: 0, all: 0 }, pods: 0 }
    : await count(folder).catch((error) => {
        ailments["kube-apiserver"] = reason(error);
        return { nodes: { ready: 0, all: 0 }, pods: 0 };
      });
  if (!ailments["kube-apiserver"] && nodes.ready < cluster.fakes + 1)
    ailments["nodes"] = `${nodes.ready} of ${cluster.fakes + 1} are ready`;
  return { ...about, state: Object.keys(ailments).length ? "unwell" : "up", ailments, nodes, pods };
}

/** @param {string} folder */
async function count(folder) {
  const nodes = (await call(folder, "GET", "/api/v1/nodes")).items;
  const { items, metadata } = await call(folder, "GET", "/api/v1/pods?limit=1");
  /** @param {{ status: { conditions?: { type: string, status: string }[] } }} node */
  const isReady = ({ status }) =>
    (status.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
  return {
    nodes: { ready: nodes.filter(isReady).length, all: nodes.length },
    pods: items.length + (metadata.remainingItemCount ?? 0),
  };
}
