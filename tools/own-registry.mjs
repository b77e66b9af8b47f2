// Starts and ends a registry of our own: a process where this machine has the program, else Docker Hub's container,
// else a process of a program built from Go modules.

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onPath, run } from "./command.mjs";
import { isDebian, unpacked } from "./debian.mjs";
import { Failure } from "./failure.mjs";
import { processStart } from "./lock.mjs";
import { DOCKER_HUB, outOfReach } from "./vendor.mjs";

/** @typedef {(port: number) => Promise<boolean>} Answers whether a registry answers on the port */

/** @param {number} port */
const containerName = (port) => `tagalong-registry-${port}`;

/**
 * The registry as a program that this machine has, or that Debian's package holds.
 * @returns {Promise<{ program: string, from: string } | undefined>}
 */
export async function installed() {
  const program = onPath("docker-registry") ?? onPath("registry");
  if (program) return { program, from: program };
  if (!isDebian()) return undefined;
  const unpack = unpacked("docker-registry", "usr/bin/docker-registry");
  // Without root and fresh package lists there may be nothing to unpack; the other ways need neither.
  return unpack.then((program) => ({ program, from: "Debian's docker-registry" })).catch(() => undefined);
}

/**
 * @param {object} options
 * @param {string} options.folder holds its data, its log and its process number
 * @param {number} options.port
 * @param {() => Promise<string>} options.build
 * @param {Answers} options.answers
 * @returns {Promise<string>} how it was found
 */
export async function start({ folder, port, build, answers }) {
  mkdirSync(folder, { recursive: true });
  // Docker Desktop's engine reaches a registry on its own loopback only, so there it must be a container.
  const found = process.platform === "linux" ? await installed() : undefined;
  if (!found && !(await outOfReach(DOCKER_HUB))) return startContainer(port, answers);
  const { program, from } = found ?? { program: await build(), from: "built from Go modules" };
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
  child.on("error", () => {});
  child.unref();
  const pid = child.pid ?? 0;
  writeFileSync(join(folder, "process.json"), JSON.stringify({ pid, started: processStart(pid) }));
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    if (await answers(port)) return from;
    if (!processStart(pid)) break;
  }
  throw new Failure(`the local registry (${program}) does not answer on port ${port}`, `its log: ${log}`);
}

/**
 * @param {number} port
 * @param {Answers} answers
 */
async function startContainer(port, answers) {
  const name = containerName(port);
  const args = ["run", "-d", "--rm", "--name", name, "-p", `127.0.0.1:${port}:5000`];
  await run("docker", [...args, "-e", "REGISTRY_STORAGE_DELETE_ENABLED=true", "registry:2"], {
    seconds: 300,
  });
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(100)) {
    // The engine listens on the port before the registry in the container does.
    if (await answers(port).catch(() => false)) return `container ${name}`;
  }
  throw new Failure(`the local registry does not answer on port ${port}`, `its log: docker logs ${name}`);
}

/**
 * The process of a registry that this program started and that still runs.
 * @param {string} folder
 * @returns {number | undefined}
 */
export function ownProcess(folder) {
  try {
    const { pid, started } = JSON.parse(readFileSync(join(folder, "process.json"), "utf8"));
    return started && processStart(pid) === started ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** @param {number} port */
export const ownContainer = async (port) =>
  onPath("docker") !== undefined &&
  (await run("docker", ["ps", "-q", "-f", `name=^${containerName(port)}$`], { seconds: 20 }).catch(
    () => "",
  )) !== "";

/**
 * @param {string} folder
 * @param {number} port
 */
export async function stop(folder, port) {
  const pid = ownProcess(folder);
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    for (const end = Date.now() + 10_000; Date.now() < end && processStart(pid); ) await sleep(50);
    rmSync(join(folder, "process.json"), { force: true });
  } else if (await ownContainer(port)) {
    await run("docker", ["rm", "-f", containerName(port)], { seconds: 60 });
  }
}
