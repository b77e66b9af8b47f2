// The watcher's image: gathers what the Dockerfile copies (the built program, Pulumi's engine, the provider of what the
// environments run on) and builds it for this machine's architecture.
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "./command.mjs";
import { Failure } from "./failure.mjs";
import { prepare } from "./ground.mjs";
import { root } from "./paths.mjs";
import { docker, engine, kubernetes } from "./programs.mjs";
import { placeOf, ready } from "./pulumi.mjs";

const usage = `npm run image [-- --engine NAME] [-- --tag NAME] [-- --push] [-- --base IMAGE]

  --engine NAME  what the environments run on: docker or kubernetes (default: docker)
  --tag NAME     the image's name (default: tagalong/watcher in the local registry, latest or latest-kubernetes)
  --push         push it
  --base IMAGE   an image with Node.js (default: the local registry's tagalong/base)`;

/** Each with its tag in the local registry. An image has one provider: that of Kubernetes alone is 150 MB. */
const engines = {
  docker: { provider: docker, tag: "latest" },
  kubernetes: { provider: kubernetes, tag: "latest-kubernetes" },
};

/** What of the project the image holds, each with its path in the image. */
const parts = ["dist/cli.cjs", "dist/provider.cjs", "cli/tagalong.mjs", "provider/plugin", "package.json"];

/**
 * @param {string[]} args
 * @param {import("./progress.mjs").Progress} progress
 * @returns {Promise<number>}
 */
export async function watcherImage(args, progress) {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: "string", default: "docker" },
      tag: { type: "string" },
      push: { type: "boolean", default: false },
      base: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (process.platform !== "linux") {
    throw new Failure(
      "the image holds this machine's own engine and provider, and they must be Linux's",
      "run this on Linux, for instance in CI",
    );
  }
  const variant = Object.entries(engines).find(([name]) => name === values.engine)?.[1];
  if (!variant)
    throw new Failure(`--engine is "${values.engine}"`, `it is one of: ${Object.keys(engines).join(", ")}`);
  const ground = await prepare(["engine-docker", ...(values.base ? [] : ["base"])], { progress });
  const name = values.tag ?? `${ground.registry?.address}/tagalong/watcher:${variant.tag}`;
  const context = join(root, "dist", `image-${values.engine}`);
  rmSync(context, { recursive: true, force: true });
  for (const part of parts) copy(join(root, part), join(context, "tagalong", part));
  const homes = { pulumi: engine, [join("providers", values.engine)]: variant.provider };
  for (const [home, program] of Object.entries(homes)) {
    const { path } = await ready(program, progress);
    copy(path, join(placeOf(program, join(context, home)), program.binary));
  }
  copy(join(root, "Dockerfile"), join(context, "Dockerfile"));

  const base = values.base ?? ground.base ?? "";
  const settings = [`BASE=${base}`, `ENGINE=${values.engine}`].flatMap((each) => ["--build-arg", each]);
  const build = ["build", ...settings, "--tag", name, context];
  await progress.step(`Image ${name}`, 20, () => run("docker", build, { env: ground.env }));
  if (values.push || !values.tag) {
    await progress.step(`Pushing ${name}`, 10, () =>
      run("docker", ["push", "--quiet", name], { env: ground.env }),
    );
  }
  rmSync(context, { recursive: true, force: true });
  process.stdout.write(`${name}\n`);
  return 0;
}

/**
 * @param {string} from
 * @param {string} to
 */
function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}
