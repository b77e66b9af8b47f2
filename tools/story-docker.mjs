// The story on a Docker engine, `npm start`.
import { run } from "./command.mjs";
import { reason } from "./failure.mjs";
import { freePort, stacks } from "./story-folder.mjs";
import { destroy } from "./story-stack.mjs";

/** The label by which the environment's components mark what is theirs. */
const LABEL = "dev.tagalong.environment";

/** @type {import("./story-engine.mjs").StoryEngine} */
export const onDocker = {
  command: "npm start",
  folder: "start",
  ground: ["engine", "language", "docker", "engine-docker", "registry", "base", "edge"],
  env: () => ({}),
  ready: async () => {},
  configure: (document, { edge }) => document.setIn(["config", "tagalong:edge", "image"], edge),
  async port(wanted, tell) {
    const port = await freePort(wanted);
    if (port !== wanted)
      tell.happened(`port ${wanted} is taken on this machine: the shop gets ${port}`, "yellow");
    return port;
  },
  async running({ processes: { env } }, environment) {
    const format = '{{.Label "dev.tagalong.service"}} {{.Image}}';
    const asked = ["ps", "--no-trunc", "--filter", `label=${LABEL}=${environment}`, "--format", format];
    const pairs = (await lines(env, asked)).map((line) => line.split(" "));
    return Object.fromEntries(
      pairs.flatMap(([service, image = ""]) => (service ? [[service, image.split("@")[1]]] : [])),
    );
  },
  async down(means) {
    /** @type {string[]} */
    const problems = [];
    await Promise.all(stacks.map((stack) => destroy(means, stack)));
    for (const environment of means.place.environments) {
      await sweep(means.processes.env, environment).catch((error) => problems.push(reason(error)));
    }
    return problems;
  },
  stays: (registry) => `the Docker engine and the registry on ${registry} stay`,
  byHand: (env) => ({
    settings: env.DOCKER_HOST === process.env.DOCKER_HOST ? [] : [`export DOCKER_HOST=${env.DOCKER_HOST}`],
    end: [],
  }),
};

/**
 * What a broken or interrupted stack could not remove.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} environment
 */
async function sweep(env, environment) {
  const filter = ["--filter", `label=${LABEL}=${environment}`, "--quiet"];
  /** @type {[string[], string[]][]} */
  const kinds = [
    [
      ["ps", "--all"],
      ["rm", "--force", "--volumes"],
    ],
    [
      ["network", "ls"],
      ["network", "rm"],
    ],
    [
      ["volume", "ls"],
      ["volume", "rm", "--force"],
    ],
  ];
  for (const [list, remove] of kinds) {
    const found = await lines(env, [...list, ...filter]);
    if (found.length > 0) await run("docker", [...remove, ...found], { env, seconds: 60 });
  }
}

/**
 * Takes the tags of the story's images off the engine; what they are made of stays in the build's cache.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder the images' folder in the registry
 */
export async function forgetImages(env, folder) {
  const images = await lines(env, ["image", "ls", "--filter", `reference=${folder}/*`, "--quiet"]);
  if (images.length > 0) {
    const unique = [...new Set(images)];
    await run("docker", ["image", "rm", "--force", ...unique], { env, seconds: 60 }).catch(() => {});
  }
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} args
 */
const lines = async (env, args) =>
  (await run("docker", args, { env, seconds: 60 })).split("\n").filter(Boolean);
