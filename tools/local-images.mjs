// The images that everything else starts from, under the same names on every machine, in the local registry: Docker
// Hub's where it answers, else made on the spot, FROM scratch, out of what this machine has.
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { engineRequest } from "./docker-engine.mjs";
import { Failure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { cacheFolder } from "./paths.mjs";
import { buildContext, staticBusybox } from "./scratch-images.mjs";
import { DOCKER_HUB, outOfReach } from "./vendor.mjs";

/** @typedef {import("./scratch-images.mjs").Recipe} Recipe */

/**
 * @param {object} options
 * @param {() => Promise<Recipe> | Recipe} options.recipe asked only where Docker Hub is out of reach
 * @param {Pick<Recipe, "repository" | "tag" | "upstream">} options.image
 * @param {import("./docker-engine.mjs").DockerEngine} options.engine
 * @param {string} options.registry
 * @param {import("./progress.mjs").Progress} options.progress
 * @returns {Promise<{ name: string, from: string }>} the image's name in the local registry
 */
export async function localImage({ image, recipe, engine, registry, progress }) {
  const { repository, tag, upstream } = image;
  const name = `${registry}/${repository}`;
  const lock = join(cacheFolder(), "locks", `image-${registry}-${repository}`.replaceAll(/[/:]/g, "-"));
  return withLock(lock, async () => {
    const unreachable = await outOfReach(DOCKER_HUB);
    if (!unreachable) {
      // A tag of its own tells a copy of Docker Hub's image from one that was made here while it was out of reach.
      const from = `Docker Hub's ${upstream}`;
      if (await hasTag(registry, repository, `${tag}-hub`)) return { name: `${name}:${tag}`, from };
      await progress.step(`Image ${repository}: copying ${from}`, 20, async () => {
        await spoken(engine.host, `/images/create?fromImage=${upstream.replace(":", "&tag=")}`);
        for (const as of [`${tag}-hub`, tag]) await tagAndPush(engine.host, upstream, name, as);
      });
      return { name: `${name}:${tag}`, from };
    }
    const made = await recipe();
    const busybox = await staticBusybox(unreachable);
    const own = `${tag}-${recipeHash(made, busybox)}`;
    const from = "made on this machine";
    if (await hasTag(registry, repository, own)) {
      await moveTag(registry, repository, own, tag);
      return { name: `${name}:${tag}`, from };
    }
    progress.say(`Image ${repository}: ${unreachable}`);
    await progress.step(`Image ${repository}: making it on the spot`, 10, async () => {
      await buildContext(made, busybox, (context) =>
        spoken(engine.host, `/build?t=${encodeURIComponent(`${name}:${own}`)}&rm=1`, context),
      );
      for (const as of [own, tag]) await tagAndPush(engine.host, `${name}:${own}`, name, as);
    });
    return { name: `${name}:${tag}`, from };
  });
}

const accept =
  "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";

/**
 * Makes a tag carry what another carries, whoever has moved it meanwhile.
 * @param {string} registry
 * @param {string} repository
 * @param {string} from
 * @param {string} to
 */
async function moveTag(registry, repository, from, to) {
  const url = (/** @type {string} */ tag) => `http://${registry}/v2/${repository}/manifests/${tag}`;
  const signal = AbortSignal.timeout(10_000);
  const manifest = await fetch(url(from), { headers: { accept }, signal });
  const type = manifest.headers.get("content-type") ?? "";
  const body = await manifest.arrayBuffer();
  const moved = await fetch(url(to), { method: "PUT", headers: { "content-type": type }, body, signal });
  if (!moved.ok)
    throw new Failure(`the registry ${registry} refused the tag ${repository}:${to} (${moved.status})`);
}

/**
 * @param {string} registry
 * @param {string} repository
 * @param {string} tag
 */
export async function hasTag(registry, repository, tag) {
  const url = `http://${registry}/v2/${repository}/manifests/${tag}`;
  return (await fetch(url, { method: "HEAD", headers: { accept }, signal: AbortSignal.timeout(5000) })).ok;
}

/**
 * @param {Recipe} recipe
 * @param {string} busybox
 */
function recipeHash({ config, sources }, busybox) {
  const hash = createHash("sha256").update(config.join("\n"));
  for (const file of [...sources, busybox])
    hash.update(`${file} ${statSync(file).size} ${statSync(file).mtimeMs}\n`);
  return hash.digest("hex").slice(0, 12);
}

/**
 * @param {string} host
 * @param {string} source
 * @param {string} name
 * @param {string} tag
 */
async function tagAndPush(host, source, name, tag) {
  const { Id } = JSON.parse(await engineRequest(host, "GET", `/images/${source}/json`));
  await engineRequest(host, "POST", `/images/${Id}/tag?repo=${encodeURIComponent(name)}&tag=${tag}`);
  await spoken(host, `/images/${name}/push?tag=${tag}`);
}

/**
 * A request whose answer is a stream of messages, of which one may say that it failed after all.
 * @param {string} host
 * @param {string} path
 * @param {import("node:stream").Readable} [body]
 */
async function spoken(host, path, body) {
  const none = Buffer.from("{}").toString("base64");
  const headers = { "X-Registry-Auth": none, ...(body ? { "Content-Type": "application/x-tar" } : {}) };
  const said = await engineRequest(host, "POST", path, { headers, ...(body ? { body } : {}) });
  for (const line of said.split("\n")) {
    const failed = /"error":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
    if (failed) throw new Failure(`the Docker engine could not do ${path}: ${failed}`);
  }
}
