// The ground: everything that a bare machine needs before the program can run, and what makes each of it ready.
//
// `prepare(names)` makes ready what is named and nothing else; what is there already costs no more than a look.
import { delimiter, dirname } from "node:path";
import { executable, onPath } from "./command.mjs";
import { dockerEngine, findDockerEngine } from "./docker-engine.mjs";
import { Failure, reason } from "./failure.mjs";
import { built, builtPath } from "./go-build.mjs";
import { linters, lintersFound } from "./linters.mjs";
import { hasTag, localImage } from "./local-images.mjs";
import { localRegistry, registryAnswers, registryPort } from "./local-registry.mjs";
import { installed } from "./own-registry.mjs";
import * as programs from "./programs.mjs";
import { progress as onStderr } from "./progress.mjs";
import * as pulumi from "./pulumi.mjs";
import { baseRecipe, edgeRecipe, pauseRecipe } from "./scratch-images.mjs";

/** @typedef {import("./progress.mjs").Progress} Progress */
/** @typedef {{ version: string, from: string }} Seen */

/**
 * @typedef {object} Ground what is ready; only what was asked for, and what that needs, is set
 * @property {NodeJS.ProcessEnv} env for every process that stands on this ground
 * @property {string} [engine] path of `pulumi`
 * @property {import("./docker-engine.mjs").DockerEngine} [docker]
 * @property {import("./local-registry.mjs").LocalRegistry} [registry]
 * @property {string} [base] image with Node.js and a shell
 * @property {string} [edge] image with Caddy and a shell
 * @property {string} [pause] image that holds a pod's namespaces
 * @property {string} [cluster] path of what a Kubernetes cluster is made of
 * @property {string} [watchtower] path of the peer that bench/ measures against
 */

/**
 * @typedef {object} Thing
 * @property {string} title
 * @property {string} purpose
 * @property {readonly string[]} [needs] names of the things that come before it
 * @property {() => Promise<Seen | undefined>} look
 * @property {(ground: Ground, progress: Progress) => Promise<void>} make
 */

/** @param {Ground} ground */
function onLocalDocker({ docker, registry }) {
  if (!docker || !registry) throw new Error("an image needs the Docker engine and the registry first");
  if (docker.local) return { engine: docker, registry: registry.address };
  throw new Failure(
    `the local registry is on this machine's loopback, where the Docker engine at ${docker.host} cannot reach it`,
    "use an engine of this machine for this (unset DOCKER_HOST)",
  );
}

/**
 * @param {import("./go-build.mjs").Program} program
 * @param {string} purpose
 * @returns {Thing}
 */
const provider = (program, purpose) => ({
  title: `${program.title}`,
  purpose,
  look: () => pulumi.find(program),
  make: async (_, progress) => void (await pulumi.ready(program, progress)),
});

/**
 * @param {"base" | "edge" | "pause"} name
 * @param {string} title
 * @param {string} purpose
 * @param {Pick<import("./scratch-images.mjs").Recipe, "repository" | "tag" | "upstream">} image
 * @param {(progress: Progress) => Promise<import("./scratch-images.mjs").Recipe>} recipe
 * @returns {Thing}
 */
const image = (name, title, purpose, image, recipe) => ({
  title,
  purpose,
  needs: ["engine-docker", "registry"],
  look: async () => {
    const port = registryPort();
    const there =
      (await registryAnswers(port)) && (await hasTag(`127.0.0.1:${port}`, image.repository, image.tag));
    return there ? { version: image.tag, from: `127.0.0.1:${port}/${image.repository}` } : undefined;
  },
  make: async (ground, progress) => {
    const made = await localImage({
      ...onLocalDocker(ground),
      image,
      progress,
      recipe: () => recipe(progress),
    });
    ground[name] = made.name;
    ground.env[`TAGALONG_${name.toUpperCase()}_IMAGE`] = made.name;
  },
});

/** @param {import("./go-build.mjs").Program} program */
const builtFromModules = (program) =>
  executable(builtPath(program)) ? { version: program.version, from: "built from Go modules" } : undefined;

/**
 * As it is pinned; where that cannot be built, whichever is on PATH.
 * @param {import("./go-build.mjs").Program} program
 * @returns {(progress: Progress) => Promise<string>}
 */
const builtOrOnPath = (program) => async (progress) => {
  try {
    return await built(program, progress);
  } catch (error) {
    const other = onPath(program.binary);
    if (!other || !(error instanceof Failure)) throw error;
    progress.say(`${program.title}: ${other}, which is on PATH, since ${reason(error)}`);
    return other;
  }
};

/**
 * What only some tests need and not every machine can have: without it they are skipped, and say why.
 * @param {string} variable
 * @param {(progress: Progress) => Promise<string>} get
 * @returns {Thing["make"]}
 */
const optional = (variable, get) => async (ground, progress) => {
  try {
    ground.env[variable] = await get(progress);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    progress.say(`some tests will be skipped: ${reason(error)}`);
  }
};

/** @type {Record<string, Thing>} */
export const things = {
  engine: {
    title: programs.engine.title,
    purpose: "every stack",
    look: () => pulumi.find(programs.engine),
    make: async (ground, progress) => {
      const { path } = await pulumi.ready(programs.engine, progress);
      ground.engine = path;
      ground.env.PATH = [dirname(path), ground.env.PATH].join(delimiter);
    },
  },
  language: {
    title: programs.language.title,
    purpose: "every stack",
    needs: ["engine"],
    look: () => pulumi.find(programs.language),
    make: async (ground, progress) => {
      const { path } = await pulumi.ready(programs.language, progress);
      ground.env.PATH = [ground.env.PATH, dirname(path)].join(delimiter);
    },
  },
  docker: provider(programs.docker, "environments on a Docker engine"),
  github: provider(programs.github, "the repository stack"),
  kubernetes: provider(programs.kubernetes, "environments on Kubernetes"),
  "engine-docker": {
    title: "Docker engine",
    purpose: "environments on a Docker engine",
    look: async () => (await findDockerEngine()).engine,
    make: async (ground, progress) => {
      ground.docker = await dockerEngine(progress);
      // The provider knows the default socket only.
      if (ground.docker.host !== "unix:///var/run/docker.sock") ground.env.DOCKER_HOST = ground.docker.host;
    },
  },
  registry: {
    title: "Local registry",
    purpose: "npm start and the tests, to push to",
    look: async () => {
      const port = registryPort();
      return (await registryAnswers(port))
        ? { version: "", from: `answers on 127.0.0.1:${port}` }
        : undefined;
    },
    make: async (ground, progress) => {
      const build = () => built(programs.distribution, progress);
      ground.registry = await localRegistry({ progress, build });
      ground.env.TAGALONG_REGISTRY = ground.registry.address;
    },
  },
  "registry-program": {
    title: programs.distribution.title,
    purpose: "the tests, for registries of their own",
    look: async () => {
      const from = onPath("docker-registry") ?? onPath("registry") ?? builtPath(programs.distribution);
      return executable(from) ? { version: "", from } : undefined;
    },
    make: async (ground, progress) => {
      const program = (await installed())?.program ?? (await built(programs.distribution, progress));
      ground.env.TAGALONG_REGISTRY_PROGRAM = program;
    },
  },
  base: image("base", "Base image", "the example's images", baseRecipe(), async () => baseRecipe()),
  edge: image("edge", "Edge image", "the reverse proxy of an environment", edgeRecipe(""), async (progress) =>
    edgeRecipe(await built(programs.caddy, progress)),
  ),
  linters: {
    title: "Linters",
    purpose: "the tests of the workflows",
    look: async () => {
      const from = lintersFound();
      return from ? { version: "tools/linters.txt", from } : undefined;
    },
    make: optional("TAGALONG_LINTERS", linters),
  },
  actionlint: {
    title: programs.actionlint.title,
    purpose: "the tests of the workflows",
    look: async () => builtFromModules(programs.actionlint),
    make: optional("TAGALONG_ACTIONLINT", builtOrOnPath(programs.actionlint)),
  },
  act: {
    title: programs.act.title,
    purpose: "the tests of the workflows, to run them here",
    look: async () => builtFromModules(programs.act),
    make: optional("TAGALONG_ACT", builtOrOnPath(programs.act)),
  },
  pause: image("pause", "Pause image", "the pods of npm run cluster", pauseRecipe(), async () =>
    pauseRecipe(),
  ),
  cluster: {
    title: programs.cluster.title,
    purpose: "npm run cluster",
    look: async () => {
      const { version } = programs.cluster;
      return executable(builtPath(programs.cluster)) ? { version, from: "built from Go modules" } : undefined;
    },
    make: async (ground, progress) => {
      ground.cluster = await built(programs.cluster, progress);
    },
  },
  watchtower: {
    title: programs.watchtower.title,
    purpose: "npm run bench, as the peer",
    look: async () => builtFromModules(programs.watchtower),
    make: async (ground, progress) => {
      ground.watchtower = await built(programs.watchtower, progress);
      ground.env.TAGALONG_WATCHTOWER = ground.watchtower;
    },
  },
};

export const forStart = ["engine", "language", "docker", "engine-docker", "registry", "base", "edge"];

/**
 * The named things and what they need, each after what it needs.
 * @param {readonly string[]} names
 * @param {Set<string>} [order]
 * @returns {Set<string>}
 */
export function inOrder(names, order = new Set()) {
  for (const name of names) {
    const thing = things[name];
    if (!thing)
      throw new Failure(`there is no "${name}" in the ground`, `it has: ${Object.keys(things).join(", ")}`);
    inOrder(thing.needs ?? [], order);
    order.add(name);
  }
  return order;
}

/**
 * @param {readonly string[]} names
 * @param {{ progress?: Progress }} [options]
 * @returns {Promise<Ground>}
 */
export async function prepare(names, { progress = onStderr() } = {}) {
  /** @type {Ground} */
  const ground = { env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" } };
  for (const name of inOrder(names)) await things[name]?.make(ground, progress);
  return ground;
}
