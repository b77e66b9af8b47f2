#!/usr/bin/env node
// Builds images for this machine's architecture alone, of the files as they are now, with what image.yml would tell them of
// themselves. They stay on this machine's Docker engine: nothing is pushed, and no tag that anybody follows is touched.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describe } from "./changes.mjs";
import { git, sourceOf } from "./git.mjs";
import { machinery, settings } from "./settings.mjs";
import { reasonOf, Stop } from "./words.mjs";

const name = `${machinery}/docker-build.mjs`;
const usage = `Usage: ${name} [options] [image]...

Builds the named images (default: all) for this machine's architecture, and tags them <repository>:local.

  --tag TAG               this tag instead; may be repeated
  --build-arg NAME=VALUE  one more argument of the Dockerfiles; may be repeated
  --help                  this text
`;

/** @param {string[]} args */
function read(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        tag: { type: "string", multiple: true, default: ["local"] },
        "build-arg": { type: "string", multiple: true, default: [] },
        help: { type: "boolean", default: false },
      },
    });
    return { tags: values.tag, given: values["build-arg"], isHelp: values.help, names: positionals };
  } catch (error) {
    throw new Stop(reasonOf(error), `see ${name} --help`);
  }
}

/** @param {readonly string[]} args @param {string} folder */
function docker(args, folder) {
  const { status, error } = spawnSync("docker", args, { cwd: folder, stdio: ["ignore", 2, 2] });
  if (error)
    throw new Stop(
      `docker cannot be run: ${error.message}`,
      "install Docker: https://docs.docker.com/engine/install/",
    );
  return status === 0;
}

/** What the image says of itself. @param {string} folder */
function identity(folder) {
  const revision = git(folder, ["rev-parse", "HEAD"]);
  const isDirty = git(folder, ["status", "--porcelain"]) !== "";
  return {
    isDirty,
    VERSION: `${describe(folder, revision)}${isDirty ? "-dirty" : ""}`,
    REVISION: revision,
    CREATED: git(folder, ["show", "--no-patch", "--format=%cI", "HEAD"]),
    SOURCE: sourceOf(folder),
  };
}

/** @param {string[]} args @param {string} folder the repository */
function main(args, folder) {
  const { tags, given, isHelp, names } = read(args);
  if (isHelp) return void process.stdout.write(usage);
  const { images } = settings(folder);
  const unknown = names.find((one) => !Object.hasOwn(images, one));
  if (unknown !== undefined)
    throw new Stop(`there is no image "${unknown}"`, `the images are ${Object.keys(images).join(", ")}`);
  const { isDirty, ...told } = identity(folder);
  if (isDirty)
    process.stderr.write(`warning: there are changes that are not committed: this is ${told.VERSION}\n`);
  const known = Object.entries(told).filter(([, value]) => value !== undefined);
  for (const [image, { repository, context, dockerfile }] of Object.entries(images)) {
    if (names.length > 0 && !names.includes(image)) continue;
    const references = tags.map((tag) => `${repository}:${tag}`);
    const isBuilt = docker(
      [
        ...["build", "--file", dockerfile],
        ...references.flatMap((reference) => ["--tag", reference]),
        ...known.flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
        ...known.flatMap(([key, value]) => [
          "--label",
          `org.opencontainers.image.${key.toLowerCase()}=${value}`,
        ]),
        ...given.flatMap((argument) => ["--build-arg", argument]),
        context,
      ],
      folder,
    );
    if (!isBuilt) throw new Stop(`${image} was not built`, "docker's last lines are above");
    process.stdout.write(`${references.join("\n")}\n`);
  }
}

try {
  main(process.argv.slice(2), join(fileURLToPath(import.meta.url), "../../.."));
} catch (error) {
  process.stderr.write(`error: ${error instanceof Stop ? error.message : reasonOf(error)}\n`);
  process.exitCode = 1;
}
