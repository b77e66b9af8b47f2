// Where a run takes place: a temporary folder, a registry of its own with the counting front before it, and the app in
// it. Everything is undone at the end, in reverse order, however the run ends.
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../tools/command.mjs";
import { Failure, reason } from "../tools/failure.mjs";
import { built } from "../tools/go-build.mjs";
import { forStart, prepare } from "../tools/ground.mjs";
import { localRegistry } from "../tools/local-registry.mjs";
import { root } from "../tools/paths.mjs";
import { distribution } from "../tools/programs.mjs";
import { ports } from "./cases.mjs";
import { sweep } from "./engine.mjs";
import { startFront } from "./front.mjs";
import { Images } from "./images.mjs";
import { environment } from "./tagalong.mjs";

const mine = {
  environment,
  imagePrefixes: [`127.0.0.1:${ports.front}/bench/`, `127.0.0.1:${ports.registry}/bench/`],
};

/**
 * @typedef {object} Place
 * @property {import("./rolls.mjs").Means} means
 * @property {Images} images
 * @property {() => Promise<void>} clear takes containers and images of the last case off the engine
 */

/**
 * @template T
 * @param {import("../tools/progress.mjs").Progress} progress
 * @param {AbortSignal} signal
 * @param {(place: Place) => Promise<T>} work
 * @returns {Promise<T>}
 */
export const inPlace = (progress, signal, work) =>
  undoing(progress, async (onClose) => work(await arrange(progress, signal, onClose)));

/**
 * Does something, then undoes what it has asked to have undone, last first, however it ends.
 * @template T
 * @param {import("../tools/progress.mjs").Progress} progress
 * @param {(onClose: (close: () => Promise<void>) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function undoing(progress, work) {
  /** @type {(() => Promise<void>)[]} */
  const closers = [];
  try {
    return await work((close) => void closers.push(close));
  } finally {
    for (const close of closers.reverse()) {
      await close().catch((error) => progress.say(`clearing up: ${reason(error)}`));
    }
  }
}

/**
 * @param {import("../tools/progress.mjs").Progress} progress
 * @param {AbortSignal} signal
 * @param {(close: () => Promise<void>) => void} onClose
 * @returns {Promise<Place>}
 */
async function arrange(progress, signal, onClose) {
  for (const port of [ports.front, ports.registry]) {
    if (await listens(port))
      throw new Failure(`port ${port} is taken`, "wait until the other run of the bench has ended");
  }
  const ground = await prepare([...forStart, "watchtower"], { progress });
  signal.throwIfAborted();
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  onClose(async () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", certificate, ...subject]);

  const build = () => built(distribution, progress);
  const registry = await localRegistry({
    progress,
    build,
    port: ports.registry,
    folder: join(folder, "registry"),
  });
  onClose(registry.stop);
  const front = await startFront({ port: ports.front, upstream: ports.registry, key, certificate });
  onClose(front.close);
  const clear = () => sweep(mine);
  await clear();
  onClose(clear);

  const script = join(root, "examples", "shop", "docker-build.sh");
  const base = ground.base ? ["--base", ground.base] : [];
  const to = ["--registry", `${registry.address}/bench`, "--push", "--json"];
  const version = ["--version", "0.0.1", "--commit", "0".repeat(40)];
  const said = await run(script, ["server", ...to, ...version, ...base], { env: ground.env, seconds: 300 });
  const { digest } = JSON.parse(said).images.server;
  const images = await Images.of(`http://${registry.address}`, "bench/server", digest);
  const edge = await ownEdge(ground, registry.address);
  signal.throwIfAborted();
  return { means: { folder, env: ground.env, edge, certificate, front, signal, onClose }, images, clear };
}

/**
 * The edge's image in the bench's registry, so that nobody else on the engine can take it away meanwhile.
 * @param {import("../tools/ground.mjs").Ground} ground
 * @param {string} address
 * @returns {Promise<string>} its name, by way of the front
 */
async function ownEdge({ edge = "", env }, address) {
  const docker = (/** @type {string[]} */ ...args) => run("docker", args, { env, seconds: 120 });
  await docker("pull", "--quiet", edge);
  await docker("tag", edge, `${address}/bench/edge:edge`);
  await docker("push", "--quiet", `${address}/bench/edge:edge`);
  return `127.0.0.1:${ports.front}/bench/edge:edge`;
}

/** @param {number} port */
const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => socket.destroy() && resolve(true)).once("error", () => resolve(false));
  });
