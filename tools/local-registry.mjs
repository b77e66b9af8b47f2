// A registry for local use: the one that answers on the port already, or one of our own, on the loopback only.

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onPath, run } from "./command.mjs";
import { isDebian, unpacked } from "./debian.mjs";
import { Failure, reason } from "./failure.mjs";
import { processStart, withLock } from "./lock.mjs";
import { cacheFolder } from "./paths.mjs";

/**
 * @typedef {object} LocalRegistry
 * @property {string} address host and port, as an image's name begins
 * @property {string} from how it was found
 * @property {boolean} startedByUs
 * @property {() => Promise<void>} stop ends it if this program started it, now or in an earlier run
 */

export function registryPort(env = process.env) {
  const text = env.TAGALONG_REGISTRY_PORT ?? "5000";
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Failure(`TAGALONG_REGISTRY_PORT is "${text}", which is no port`, "set a number from 1 to 65535");
}

/** @param {number} port */
const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => socket.destroy() && resolve(true)).once("error", () => resolve(false));
  });

/**
 * Whether a distribution registry answers on the port.
 * @param {number} port
 * @returns {Promise<boolean>} false if nothing listens there; anything else that listens is a failure
 */
export async function registryAnswers(port) {
  if (!(await listens(port))) return false;
  let said;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v2/`, { signal: AbortSignal.timeout(5000) });
    const body = (await response.text()).trim();
    if (response.status === 200 && (response.headers.has("docker-distribution-api-version") || body === "{}"))
      return true;
    said = `it answered ${response.status} to GET /v2/`;
  } catch (error) {
    said = reason(error);
  }
  throw new Failure(
    `port ${port}, wanted for the local registry, is taken by something that is no registry: ${said}`,
    `end that program, or choose another port: TAGALONG_REGISTRY_PORT=${port + 1}`,
  );
}

/**
 * @param {object} options
 * @param {import("./progress.mjs").Progress} options.progress
 * @param {() => Promise<string>} options.build builds the registry where no package has it
 * @param {number} [options.port]
 * @param {string} [options.folder] holds its data, its log and its process number
 * @returns {Promise<LocalRegistry>}
 */
export async function localRegistry({
  progress,
  build,
  port = registryPort(),
  folder = defaultFolder(port),
}) {
  const address = `127.0.0.1:${port}`;
  const stop = () => stopRegistry(folder, port);
  return withLock(`${folder}.lock`, async () => {
    if (await registryAnswers(port)) {
      const ours = owner(folder) !== undefined;
      return {
        address,
        startedByUs: ours,
        from: ours ? "started by an earlier run" : `answers on port ${port}`,
        stop,
      };
    }
    const from = await progress.step(`Local registry: starting it on ${address}`, 5, () =>
      start(folder, port, build),
    );
    return { address, startedByUs: true, from, stop };
  });
}

/** @param {number} port */
const defaultFolder = (port) => join(cacheFolder(), "registry", String(port));

/**
 * The registry's program and how it was found.
 * @param {() => Promise<string>} build
 * @returns {Promise<{ program: string, from: string }>}
 */
async function locate(build) {
  const installed = onPath("docker-registry") ?? onPath("registry");
  if (installed) return { program: installed, from: installed };
  try {
    const program = isDebian() && (await unpacked("docker-registry", "usr/bin/docker-registry"));
    if (program) return { program, from: "Debian's docker-registry" };
  } catch {
    // Neither root nor fresh package lists: the build needs neither.
  }
  return { program: await build(), from: "built from Go modules" };
}

/**
 * @param {string} folder
 * @param {number} port
 * @param {() => Promise<string>} build
 */
async function start(folder, port, build) {
  mkdirSync(folder, { recursive: true });
  const container = await startContainer(port);
  if (container) return container;
  const { program, from } = await locate(build);
  const config = join(folder, "config.yml");
  const log = join(folder, "log");
  writeFileSync(
    config,
    [
      "version: 0.1",
      "log: {level: warn}",
      "storage:",
      `  filesystem: {rootdirectory: ${JSON.stringify(join(folder, "data"))}}`,
      "  delete: {enabled: true}",
      `http: {addr: "127.0.0.1:${port}"}`,
      "",
    ].join("\n"),
  );
  const out = openSync(log, "a");
  const child = spawn(program, ["serve", config], {
    detached: true,
    stdio: ["ignore", out, out],
    cwd: folder,
  });
  closeSync(out);
  child.unref();
  const pid = child.pid ?? 0;
  writeFileSync(join(folder, "process.json"), JSON.stringify({ pid, started: processStart(pid) }));
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    if (await registryAnswers(port)) return from;
    if (!processStart(pid)) break;
  }
  throw new Failure(`the local registry (${program}) does not answer on port ${port}`, `its log: ${log}`);
}

/**
 * Docker Desktop's engine reaches a registry on its own loopback only, so there the registry is a container.
 * @param {number} port
 */
async function startContainer(port) {
  if (process.platform === "linux") return undefined;
  const publish = `127.0.0.1:${port}:5000`;
  const args = ["run", "-d", "--rm", "--name", containerName(port), "-p", publish];
  await run("docker", [...args, "-e", "REGISTRY_STORAGE_DELETE_ENABLED=true", "registry:2"], {
    seconds: 300,
  });
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(100)) {
    if (await registryAnswers(port).catch(() => false)) return `container ${containerName(port)}`;
  }
  throw new Failure(
    `the local registry does not answer on port ${port}`,
    `docker logs ${containerName(port)}`,
  );
}

/** @param {number} port */
const containerName = (port) => `tagalong-registry-${port}`;

/**
 * The process of a registry that this program started and that still runs.
 * @param {string} folder
 * @returns {number | undefined}
 */
function owner(folder) {
  try {
    const { pid, started } = JSON.parse(readFileSync(join(folder, "process.json"), "utf8"));
    return started && processStart(pid) === started ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} folder
 * @param {number} port
 */
async function stopRegistry(folder, port) {
  if (process.platform !== "linux") {
    await run("docker", ["rm", "-f", containerName(port)], { seconds: 60 }).catch(() => "");
    return;
  }
  const pid = owner(folder);
  if (pid === undefined) return;
  process.kill(pid, "SIGTERM");
  for (const end = Date.now() + 10_000; Date.now() < end && processStart(pid); ) await sleep(50);
  rmSync(join(folder, "process.json"), { force: true });
}
