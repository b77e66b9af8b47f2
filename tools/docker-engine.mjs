// A Docker engine that answers: the one that the user has, or on a bare Debian or Ubuntu machine one that this starts.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onPath, run } from "./command.mjs";
import { aptInstall, isDebian, isRoot } from "./debian.mjs";
import { Failure, reason } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { cacheFolder } from "./paths.mjs";

/**
 * @typedef {object} DockerEngine
 * @property {string} host as DOCKER_HOST would name it
 * @property {string} version
 * @property {string} from how it was found
 * @property {boolean} local whether the engine shares this machine's loopback
 */

const DEFAULT_SOCKET = "/var/run/docker.sock";

/** @param {string} host */
const isSocket = (host) => host.startsWith("unix://");

/** The engine that the command line's current context names. */
function contextHost() {
  try {
    const config = JSON.parse(readFileSync(join(homedir(), ".docker", "config.json"), "utf8"));
    const id = createHash("sha256").update(config.currentContext).digest("hex");
    const meta = readFileSync(join(homedir(), ".docker", "contexts", "meta", id, "meta.json"), "utf8");
    return JSON.parse(meta).Endpoints.docker.Host;
  } catch {
    return undefined;
  }
}

/** @returns {{ host: string, from: string }[]} */
function candidates(env = process.env) {
  if (env.DOCKER_HOST) return [{ host: env.DOCKER_HOST, from: "DOCKER_HOST" }];
  const context = contextHost();
  const sockets = [
    DEFAULT_SOCKET,
    env.XDG_RUNTIME_DIR && join(env.XDG_RUNTIME_DIR, "docker.sock"),
    join(homedir(), ".docker", "run", "docker.sock"),
    join(homedir(), ".colima", "default", "docker.sock"),
  ];
  return [
    ...(context ? [{ host: context, from: "the docker command's context" }] : []),
    ...sockets
      .filter((path) => path && existsSync(path))
      .map((path) => ({ host: `unix://${path}`, from: `${path}` })),
  ];
}

/**
 * One request to an engine on a socket or on plain TCP.
 * @param {string} host
 * @param {string} method
 * @param {string} path
 * @param {{ body?: import("node:stream").Readable, headers?: Record<string, string>, timeout?: number }} [options]
 * @returns {Promise<string>}
 */
export function engineRequest(host, method, path, { body, headers, timeout } = {}) {
  const where = isSocket(host)
    ? { socketPath: host.slice("unix://".length) }
    : { hostname: new URL(host).hostname, port: new URL(host).port || "2375" };
  return new Promise((resolve, reject) => {
    const call = request({ ...where, method, path, headers: headers ?? {} }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        if ((response.statusCode ?? 500) < 400) return resolve(text);
        reject(
          new Error(`the Docker engine answered ${response.statusCode} to ${method} ${path}: ${text.trim()}`),
        );
      });
    });
    if (timeout) call.setTimeout(timeout, () => call.destroy(new Error(`no answer in ${timeout} ms`)));
    call.on("error", reject);
    if (body) body.on("error", reject).pipe(call);
    else call.end();
  });
}

/**
 * @param {string} host
 * @returns {Promise<string>} the engine's version
 */
async function version(host) {
  const plain =
    isSocket(host) ||
    ((host.startsWith("tcp://") || host.startsWith("http://")) && !process.env.DOCKER_TLS_VERIFY);
  if (plain) return JSON.parse(await engineRequest(host, "GET", "/version", { timeout: 5000 })).Version;
  const env = { ...process.env, DOCKER_HOST: host };
  const said = await run("docker", ["version", "--format", "{{.Server.Version}}"], { env, seconds: 20 });
  return said.trim();
}

/**
 * The engine that answers now; nothing is changed.
 * @returns {Promise<{ engine?: DockerEngine, problems: string[] }>}
 */
export async function findDockerEngine() {
  const problems = [];
  for (const { host, from } of candidates()) {
    try {
      const local = isSocket(host) || /^(tcp|http):\/\/(127\.|localhost|\[::1\])/.test(host);
      return { engine: { host, version: await version(host), from, local }, problems };
    } catch (error) {
      problems.push(`${host} (${from}): ${reason(error)}`);
    }
  }
  return { problems };
}

/** What a person does where this may not or cannot start an engine. */
export function dockerFix(problems = /** @type {string[]} */ ([])) {
  if (process.env.DOCKER_HOST) return "DOCKER_HOST names it: check the address, or unset the variable";
  if (problems.some((problem) => problem.includes("EACCES"))) {
    return 'your user may not speak to it: sudo usermod -aG docker "$USER", then log in again';
  }
  if (process.platform === "darwin")
    return "start Docker Desktop (open -a Docker), or get it: https://docs.docker.com/get-docker/";
  if (onPath("dockerd")) return "start it: sudo systemctl start docker";
  return isDebian()
    ? "install it: sudo apt-get install docker.io"
    : "install it: https://docs.docker.com/engine/install/";
}

/**
 * @param {import("./progress.mjs").Progress} progress
 * @returns {Promise<DockerEngine>}
 */
export async function dockerEngine(progress) {
  const { engine, problems } = await findDockerEngine();
  if (engine) return engine;
  const maySet = process.platform === "linux" && isRoot() && !process.env.DOCKER_HOST;
  if (!maySet || (!onPath("dockerd") && !isDebian())) {
    throw new Failure(["no Docker engine answers", ...problems].join("\n  "), dockerFix(problems));
  }
  /** @param {number} holder */
  const waiting = (holder) =>
    progress.say(`Docker engine: process ${holder} is starting it; waiting for that`);
  const lock = join(cacheFolder(), "locks", "docker-engine");
  return withLock(
    lock,
    async () => {
      const meanwhile = (await findDockerEngine()).engine;
      if (meanwhile) return meanwhile;
      if (!onPath("dockerd")) {
        await progress.step("Docker engine: installing Debian's docker.io", 60, () =>
          aptInstall("docker.io"),
        );
      }
      const engine = await progress.step("Docker engine: starting it", 5, start);
      progress.say(`Docker engine: ${engine.from}`);
      return engine;
    },
    waiting,
  );
}

/** @returns {Promise<DockerEngine>} */
async function start() {
  const log = join(cacheFolder(), "dockerd.log");
  let hint = `its log: ${log}`;
  if (existsSync("/run/systemd/system")) {
    hint = "its log: journalctl -u docker";
    await run("systemctl", ["start", "docker"], { seconds: 60 });
  } else {
    mkdirSync(dirname(log), { recursive: true });
    const out = openSync(log, "a");
    spawn(onPath("dockerd") ?? "/usr/sbin/dockerd", { detached: true, stdio: ["ignore", out, out] }).unref();
    closeSync(out);
  }
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(200)) {
    const { engine } = await findDockerEngine();
    if (engine) return { ...engine, from: `started here, ${hint}` };
  }
  throw new Failure("the Docker engine was started but does not answer after 60 s", hint);
}
