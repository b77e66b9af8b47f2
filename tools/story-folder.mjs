// The folder that a story is played in: copies of the stack's files and of the example as a Git repository, so that
// nothing of the project itself changes, and the stack's state and passphrase.
import { createHash, randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { isMap, parseDocument } from "yaml";
import { run } from "./command.mjs";
import { Failure } from "./failure.mjs";
import { root } from "./paths.mjs";

/** The environment that follows its tag. */
export const stack = "dev";
/** The one that runs what its stack's file names. */
export const promoted = "test";
export const stacks = [stack, promoted];
/** The stack of what exists once, and the repository on GitHub that it takes over. */
export const shared = "repository";
export const repository = { owner: "acme", name: "shop" };

/** It names a path that is not there in another folder. */
const EDITOR_HINT = /^# yaml-language-server:.*\n/m;
/** Keys of another passphrase than this stack's. */
const ENCRYPTION = ["secretsprovider", "encryptedkey", "encryptionsalt"];

/**
 * @typedef {object} Place
 * @property {string} folder
 * @property {string} shop folder of the copied example, a Git repository
 * @property {string} project folder of the copied Pulumi files in it, so that a preview finds the commits
 * @property {string} name of the Pulumi project, and of the images' folder in the registry; another in each clone, so
 *   that two clones on one machine do not disturb each other
 * @property {readonly string[]} environments the labels that all its things on the Docker engine carry
 * @property {string} githubToken a file
 * @property {Record<"PULUMI_BACKEND_URL" | "PULUMI_CONFIG_PASSPHRASE_FILE", string>} settings
 */

/**
 * @param {string} folder
 * @returns {Place}
 */
export function place(folder) {
  const name = `tagalong-start-${createHash("sha256").update(folder).digest("hex").slice(0, 6)}`;
  return {
    folder,
    shop: join(folder, "shop"),
    project: join(folder, "shop", "environments"),
    name,
    environments: stacks.map((one) => `${name}/${one}`),
    githubToken: join(folder, "github-token"),
    settings: {
      // Without the side files of attributes: a run that is killed would leave one empty, and the state unreadable.
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE_FILE: join(folder, "passphrase"),
    },
  };
}

/**
 * The environment of all processes of the story: nothing of the user's own stacks and repositories leaks into it.
 * @param {NodeJS.ProcessEnv} env
 * @param {Place} place
 * @returns {NodeJS.ProcessEnv}
 */
export function storyEnv(env, { settings }) {
  const foreign = /^(GIT_|GITHUB_|GH_|SHOP_|PULUMI_(?!HOME$|SKIP_UPDATE_CHECK$))/;
  return {
    ...Object.fromEntries(Object.entries(env).filter(([key]) => !foreign.test(key))),
    ...settings,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
  };
}

/** @param {Place} place what of an earlier story must not meet the next one */
export function clear({ folder, shop, githubToken }) {
  for (const path of [shop, join(folder, "state"), join(folder, "passphrase"), githubToken]) {
    rmSync(path, { recursive: true, force: true });
  }
}

/**
 * @param {Place} place
 * @param {object} here
 * @param {string} here.registry
 * @param {(document: import("yaml").Document) => void} here.configure makes a stack's file one for the story's engine
 * @param {(wanted: number) => Promise<number>} here.port
 * @param {boolean} here.withGitHub
 */
export async function fill(place, { registry, configure, port, withGitHub }) {
  mkdirSync(join(place.folder, "state"), { recursive: true, mode: 0o700 });
  mkdirSync(place.project, { recursive: true });
  const passphrase = randomBytes(24).toString("base64url");
  writeFileSync(place.settings.PULUMI_CONFIG_PASSPHRASE_FILE, passphrase, { mode: 0o600 });
  const text = (/** @type {string} */ file) => readFileSync(join(root, file), "utf8");
  const project = projectFile(text("Pulumi.yaml"), { root, name: place.name, registry });
  writeFileSync(join(place.project, "Pulumi.yaml"), project);
  // The program that runs is this project's own; Pulumi runs it in the folder where it finds it.
  for (const file of ["program.cjs", "package.json", "node_modules"])
    symlinkSync(join(root, file), join(place.project, file));
  for (const file of stacks.map((one) => `Pulumi.${one}.yaml`)) {
    const ports = await freePorts(text(file), port);
    writeFileSync(join(place.project, file), stackFile(text(file), { configure, ports }));
  }
  if (withGitHub) {
    const file = `Pulumi.${shared}.yaml`;
    writeFileSync(join(place.project, file), repositoryFile(text(file)));
  }
}

/**
 * Pulumi.yaml for another folder: the provider stays where it is, the images are in this registry.
 * @param {string} text
 * @param {{ root: string, name: string, registry: string }} there
 */
export function projectFile(text, { root, name, registry }) {
  const document = parseDocument(text);
  document.set("name", name);
  for (const provider of items(document.getIn(["plugins", "providers"]))) {
    provider.set("path", join(root, String(provider.get("path"))));
  }
  const images = document.getIn(["config", "tagalong:images", "value"]);
  for (const image of keys(images)) {
    document.setIn(
      ["config", "tagalong:images", "value", image, "repository"],
      `${registry}/${name}/${image}`,
    );
  }
  return document.toString();
}

/**
 * A stack's file for this machine: for the story's engine, and at ports that are free there.
 * @param {string} text
 * @param {{ configure: (document: import("yaml").Document) => void, ports: Readonly<Record<string, number>> }} here ports
 *   by service
 */
export function stackFile(text, { configure, ports }) {
  const document = parseDocument(text.replace(EDITOR_HINT, ""));
  for (const key of ENCRYPTION) document.delete(key);
  configure(document);
  for (const [service, port] of Object.entries(ports)) {
    document.setIn(["config", "tagalong:services", service, "publish"], port);
  }
  return document.toString();
}

/**
 * The file of the repository's stack, for the story's repository instead of anybody's own.
 * @param {string} text
 */
export function repositoryFile(text) {
  const document = parseDocument(text.replace(EDITOR_HINT, ""));
  for (const key of ENCRYPTION) document.delete(key);
  document.setIn(["config", "tagalong:repository"], {
    ...repository,
    description: "A shop of two services",
    topics: ["shop"],
    labels: { bug: { color: "d73a4a", description: "Something is broken" } },
    environments: { [promoted]: { reviewers: ["ada"], wait: "5m" } },
  });
  return document.toString();
}

/**
 * @param {string} text of a stack's file
 * @param {(wanted: number) => Promise<number>} port
 */
async function freePorts(text, port) {
  const services = parseDocument(text).getIn(["config", "tagalong:services"]);
  /** @type {Record<string, number>} */
  const ports = {};
  for (const service of keys(services)) {
    const wanted = isMap(services) ? services.getIn([service, "publish"]) : undefined;
    if (typeof wanted === "number") ports[service] = await port(wanted);
  }
  return ports;
}

/** @param {unknown} map */
const keys = (map) => (isMap(map) ? map.items.map(({ key }) => String(key)) : []);

/** @param {unknown} list */
const items = (list) =>
  typeof list === "object" && list !== null && "items" in list && Array.isArray(list.items)
    ? list.items.filter(isMap)
    : [];

/**
 * The first free port of this machine's loopback, from the wanted one on.
 * @param {number} wanted
 */
export async function freePort(wanted) {
  const last = Math.min(wanted + 50, 65_535);
  for (let port = wanted; port <= last; port++) if (await isFree(port)) return port;
  throw new Failure(
    `no port from ${wanted} to ${last} is free on 127.0.0.1`,
    "end one of the programs that hold them",
  );
}

/**
 * Nobody listens there, and nobody answers: an engine may lead a port to a container without listening itself.
 * @param {number} port
 */
const isFree = async (port) =>
  (await new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  })) &&
  (await new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => socket.destroy() && resolve(false)).once("error", () => resolve(true));
  }));

/**
 * The next commit of the copied example; the first one copies it.
 * @param {Place} place
 * @param {{ version: string, message: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<string>} the commit
 */
export async function commit({ shop }, { version, message, env }) {
  const who = ["-c", "user.name=Tagalong", "-c", "user.email=start@tagalong.invalid"];
  const call = (/** @type {string[]} */ ...args) => run("git", ["-C", shop, ...who, ...args], { env });
  if (!existsSync(join(shop, ".git"))) {
    cpSync(join(root, "examples", "shop"), shop, { recursive: true });
    await call("init", "--quiet");
  }
  writeFileSync(join(shop, "CHANGES.md"), `${version}: ${message}\n`, { flag: "a" });
  await call("add", "--all");
  await call("-c", "commit.gpgsign=false", "commit", "--quiet", "--message", `${version}: ${message}`);
  return (await call("rev-parse", "HEAD")).trim();
}
