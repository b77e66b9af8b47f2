// The images that everything else starts from, under the same names on every machine, in the local registry: Docker
// Hub's where it answers, else made on the spot, FROM scratch, out of what this machine has.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onPath, run } from "./command.mjs";
import { isDebian, unpacked } from "./debian.mjs";
import { engineRequest } from "./docker-engine.mjs";
import { Failure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { cacheFolder } from "./paths.mjs";
import { DOCKER_HUB, outOfReach } from "./vendor.mjs";

/**
 * @typedef {object} Recipe
 * @property {string} repository
 * @property {string} tag
 * @property {string} upstream the image of Docker Hub that it stands for
 * @property {readonly string[]} config the Dockerfile's lines after the files
 * @property {readonly string[]} sources files whose change makes it another image
 * @property {(folder: string) => Promise<void> | void} fill lays the files beside those that every image has
 */

const CERTIFICATES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
];

/** @returns {Recipe} Node.js as this machine runs it, and a shell */
export function baseRecipe() {
  return {
    repository: "tagalong/base",
    tag: "node20",
    upstream: "node:20-alpine",
    config: ["COPY --chown=1000:1000 empty /home/node", 'CMD ["node"]'],
    sources: [process.execPath],
    fill: async (folder) => {
      add(process.execPath, folder, "/usr/local/bin/node");
      for (const library of await libraries(process.execPath)) add(library, folder, library);
    },
  };
}

/**
 * @param {string} caddy the program, statically linked
 * @returns {Recipe} the reverse proxy, and a shell
 */
export function edgeRecipe(caddy) {
  return {
    repository: "tagalong/edge",
    tag: "2.11.9",
    upstream: "caddy:2.11-alpine",
    config: [
      "ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data",
      "WORKDIR /srv",
      "EXPOSE 80 443 2019",
      'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]',
    ],
    sources: [caddy],
    fill: (folder) => {
      add(caddy, folder, "/usr/bin/caddy");
      for (const empty of ["etc/caddy", "config", "data", "srv"])
        mkdirSync(join(folder, empty), { recursive: true });
    },
  };
}

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
    if (await hasTag(registry, repository, own)) return { name: `${name}:${tag}`, from };
    await progress.step(`Image ${repository}: making it on the spot, ${unreachable}`, 10, async () => {
      await build(engine.host, made, busybox, `${name}:${own}`);
      for (const as of [own, tag]) await tagAndPush(engine.host, `${name}:${own}`, name, as);
    });
    return { name: `${name}:${tag}`, from };
  });
}

/**
 * @param {string} registry
 * @param {string} repository
 * @param {string} tag
 */
export async function hasTag(registry, repository, tag) {
  const accept =
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
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

/** @param {string} unreachable */
async function staticBusybox(unreachable) {
  const found = onPath("busybox");
  if (found && !(await libraries(found)).length) return found;
  if (isDebian()) return unpacked("busybox-static", "bin/busybox");
  throw new Failure(
    `${unreachable}, and to make an image without it this machine needs a static busybox`,
    "install the package busybox-static (Debian, Ubuntu) or busybox (Alpine, Fedora), or connect to the internet",
  );
}

/**
 * The shared libraries of a program and its loader.
 * @param {string} program
 * @returns {Promise<string[]>}
 */
async function libraries(program) {
  const said = await run("ldd", [program]).catch(() => "");
  return [...said.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
}

/**
 * @param {string} source
 * @param {string} folder
 * @param {string} path
 */
function add(source, folder, path) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  copyFileSync(source, join(folder, path));
}

/**
 * @param {string} host
 * @param {Recipe} recipe
 * @param {string} busybox
 * @param {string} name
 */
async function build(host, recipe, busybox, name) {
  const context = mkdtempSync(join(tmpdir(), "tagalong-image-"));
  try {
    const files = join(context, "files");
    for (const folder of ["empty", "files/etc", "files/tmp", "files/root"])
      mkdirSync(join(context, folder), { recursive: true });
    chmodSync(join(files, "tmp"), 0o1777);
    add(busybox, files, "/bin/busybox");
    chmodSync(join(files, "bin/busybox"), 0o755);
    for (const applet of (await run(busybox, ["--list"])).trim().split("\n")) {
      if (applet !== "busybox") symlinkSync("busybox", join(files, "bin", applet));
    }
    const users = ["root:x:0:0:root:/root:/bin/sh", "node:x:1000:1000:node:/home/node:/bin/sh", ""];
    writeFileSync(join(files, "etc/passwd"), users.join("\n"));
    writeFileSync(join(files, "etc/group"), "root:x:0:\nnode:x:1000:\n");
    writeFileSync(join(files, "etc/nsswitch.conf"), "hosts: files dns\n");
    const certificates = CERTIFICATES.find((file) => existsSync(file));
    if (certificates) add(certificates, files, "/etc/ssl/certs/ca-certificates.crt");
    await recipe.fill(files);
    const path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    writeFileSync(
      join(context, "Dockerfile"),
      ["FROM scratch", path, "COPY files /", ...recipe.config, ""].join("\n"),
    );
    const tar = spawn("tar", ["-C", context, "-cf", "-", "."], { stdio: ["ignore", "pipe", "inherit"] });
    await spoken(host, `/build?t=${encodeURIComponent(name)}&rm=1`, tar.stdout);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
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
