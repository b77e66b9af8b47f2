// Which images a commit changes, and what builds them. Nothing is remembered between runs: a pull request is compared
// with where it branched off, and the default branch with the last commit that the registry has an image of, so that a
// build which failed or was cancelled is made up for by the next.
import { ancestors, differs, git, tryGit } from "./git.mjs";
import { registryOf } from "./registry.mjs";
import { machinery, settings } from "./settings.mjs";
import { Stop } from "./words.mjs";

/** How far back an image is looked for; one that is older is built. */
const HISTORY = 50;

/** What changes an image whatever its paths say. @param {import("./settings.mjs").Image} image */
const always = ({ context, dockerfile }) => [
  machinery,
  ".github/workflows/image.yml",
  dockerfile,
  `${dockerfile}.dockerignore`,
  context === "." ? ".dockerignore" : `${context}/.dockerignore`,
];

/** Git's own spelling of "does not count". @param {string} pattern */
const pathspec = (pattern) => (pattern.startsWith("!") ? `:(exclude)${pattern.slice(1)}` : pattern);

/** @param {string} folder @param {string} base a commit @param {import("./settings.mjs").Image} image */
export const isChanged = (folder, base, image) =>
  differs(folder, base, image.paths.map(pathspec)) ||
  differs(
    folder,
    base,
    always(image).map((path) => `:(literal)${path}`),
  );

/**
 * The newest ancestor of which the registry has an image, and that image.
 * @param {import("./registry.mjs").Registry} registry @param {string} repository @param {readonly string[]} commits
 */
export async function lastBuilt(registry, repository, commits) {
  for (const commit of commits) {
    const digest = await registry.digest(repository, `sha-${commit}`);
    if (digest) return { commit, digest };
  }
  return undefined;
}

/** One build a platform, on the platform's own runner. @param {string} name @param {import("./settings.mjs").Image} image */
export const buildsOf = (name, { repository, context, dockerfile, platforms }) =>
  platforms.map(({ platform, runner }) => ({
    image: name,
    repository,
    context,
    dockerfile,
    platform,
    runner,
    // In an artifact's name a slash would be a folder. No image's name has a dot, so no slug begins like another's.
    slug: `${name}.${platform.replaceAll("/", "-")}`,
  }));

/** @param {import("./run.mjs").Run} run */
export async function changes({ env, folder, output, say }) {
  if (env.NOTHING === "true") {
    // A job that is skipped has no outputs, and a matrix of none is an error to some runners.
    say("Nothing is built here");
    output("images", "[]");
    output("builds", "[]");
    return;
  }
  const { images } = settings(folder);
  const revision = git(folder, ["rev-parse", "HEAD"]);
  const branchedOff = env.BASE ? git(folder, ["merge-base", env.BASE, "HEAD"]) : undefined;
  const commits = branchedOff ? [] : ancestors(folder, HISTORY);
  const registry = registryOf(env);
  /** @type {Record<string, string>} */
  const kept = {};
  const changed = [];
  for (const [name, image] of Object.entries(images)) {
    const last = branchedOff ? undefined : await lastBuilt(registry, image.repository, commits);
    const base = branchedOff ?? last?.commit;
    if (base && !isChanged(folder, base, image)) {
      say(`${name}: unchanged since ${base}${last ? `, ${last.digest} goes on` : ""}`);
      if (last) kept[name] = last.digest;
    } else {
      say(
        `${name}: ${base ? `changed since ${base}` : `no image of the last ${commits.length} commits`}, is built`,
      );
      changed.push(name);
    }
  }
  const builds = changed.flatMap((name) =>
    buildsOf(name, /** @type {import("./settings.mjs").Image} */ (images[name])),
  );
  if (builds.length > 256)
    throw new Stop(
      `${builds.length} builds are more than the 256 that one matrix may have`,
      "name fewer platforms, or split the images",
    );
  output("images", JSON.stringify(changed));
  output("builds", JSON.stringify(builds));
  output("kept", JSON.stringify(kept));
  output("revision", revision);
  output("version", describe(folder, revision));
  output("created", git(folder, ["show", "--no-patch", "--format=%cI", "HEAD"]));
}

/** What the image says it is: the last version, and how far from it. @param {string} folder @param {string} revision */
export function describe(folder, revision) {
  const { status, out } = tryGit(folder, ["describe", "--tags", "--match", "v[0-9]*.[0-9]*.[0-9]*", "HEAD"]);
  return status === 0 ? out.slice(1) : `0.0.0-g${revision.slice(0, 12)}`;
}
