// The watcher's image: gathers what the Dockerfile copies (the built program, the engine, the Docker provider) and
// builds it for this machine's architecture.
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "./command.mjs";
import { Failure } from "./failure.mjs";
import { prepare } from "./ground.mjs";
import { root } from "./paths.mjs";
import { docker, engine } from "./programs.mjs";
import { placeOf, ready } from "./pulumi.mjs";

const usage = `npm run image [-- --tag NAME] [-- --push] [-- --base IMAGE]

  --tag NAME    the image's name (default: tagalong/watcher in the local registry)
  --push        push it
  --base IMAGE  an image with Node.js (default: the local registry's tagalong/base)`;

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
  const ground = await prepare(["engine-docker", ...(values.base ? [] : ["base"])], { progress });
  const name = values.tag ?? `${ground.registry?.address}/tagalong/watcher:latest`;
  const context = join(root, "dist", "image");
  rmSync(context, { recursive: true, force: true });
  for (const part of parts) copy(join(root, part), join(context, "tagalong", part));
  for (const program of [engine, docker]) {
    const { path } = await ready(program, progress);
    copy(path, join(placeOf(program, join(context, "pulumi")), program.binary));
  }
  copy(join(root, "Dockerfile"), join(context, "Dockerfile"));

  const base = values.base ?? ground.base ?? "";
  const build = ["build", "--build-arg", `BASE=${base}`, "--tag", name, context];
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
