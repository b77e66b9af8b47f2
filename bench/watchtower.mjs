// The peer: containers as `docker run -d -p … --restart unless-stopped --stop-timeout 10` makes them, and Watchtower
// over them as a plain process. It touches the bench's containers only.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { intervalSeconds, ports, tag } from "./cases.mjs";
import { benchLabel, docker, follow, pull } from "./engine.mjs";
import { start } from "./processes.mjs";

const scope = "tagalong-bench";

/** What is known of a roll, in order. */
export const marks = ["seen", "firstStopped", "lastStopped", "firstCreated", "lastStarted", "serving"];

/**
 * @param {import("./rolls.mjs").Means} means
 * @param {readonly string[]} repositories
 * @returns {Promise<import("./rolls.mjs").Side>}
 */
export async function openWatchtower(means, repositories) {
  const { front, signal, onClose, env } = means;
  const urls = repositories.map((_, index) => `http://127.0.0.1:${ports.peer + index}/`);
  for (const [index, repository] of repositories.entries()) {
    const image = `127.0.0.1:${ports.front}/${repository}:${tag}`;
    await pull(image);
    const container = await docker.createContainer({
      name: repository.replace("/", "-"),
      Image: image,
      Labels: { [benchLabel]: "peer", "com.centurylinklabs.watchtower.scope": scope },
      ExposedPorts: { "8080/tcp": {} },
      StopTimeout: 10,
      HostConfig: {
        PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: String(ports.peer + index) }] },
        RestartPolicy: { Name: "unless-stopped" },
      },
    });
    await container.start();
    signal.throwIfAborted();
  }
  const engine = await follow(`${benchLabel}=peer`);
  onClose(async () => engine.close());
  const folder = join(means.folder, "watchtower");
  mkdirSync(folder, { recursive: true });
  const watcher = await start(
    env["TAGALONG_WATCHTOWER"] ?? "watchtower",
    [
      "--interval",
      String(intervalSeconds),
      "--scope",
      scope,
      "--no-startup-message",
      "--log-format",
      "LogFmt",
    ],
    {
      cwd: folder,
      env: {
        ...env,
        DOCKER_CONFIG: folder,
        DOCKER_API_VERSION: (await docker.version()).ApiVersion,
        // It speaks HTTPS only, and asks for the challenge and the token with the certificate checked.
        SSL_CERT_FILE: means.certificate,
      },
    },
  );
  const stop = async () => {
    await watcher.stop(30_000);
    engine.close();
  };
  onClose(stop);
  await front.nextLook(800, signal);
  await front.nextLook(800, signal);

  return {
    name: "peer",
    repositories,
    urls,
    marks,
    pid: watcher.pid,
    check: () => {
      if (!watcher.alive()) throw new Error(`Watchtower ended; its last lines:\n${watcher.tail()}`);
    },
    settled: () => sleep(500, undefined, { signal }),
    stop,
    marksOf: ({ pushedAt, servingAt }) => {
      const times = (/** @type {string} */ action) =>
        engine.events
          .filter((event) => event.at >= pushedAt && event.action === action)
          .map((event) => event.at);
      return {
        seen: front.firstLook(pushedAt),
        firstStopped: times("kill")[0],
        lastStopped: times("die").at(-1),
        firstCreated: times("create")[0],
        lastStarted: times("start").at(-1),
        serving: servingAt,
      };
    },
  };
}
