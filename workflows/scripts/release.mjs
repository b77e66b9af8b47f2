// What a tag must be to make a release: a version, annotated by whoever says so, of a commit of the default branch, whose
// images were built and followed before. Then its version's tags move onto these very images.
import { branchReference, fetchReferences, git, isAncestor, tryGit } from "./git.mjs";
import { moveTags } from "./lockstep.mjs";
import { registryOf } from "./registry.mjs";
import { settings } from "./settings.mjs";
import { needed, Stop } from "./words.mjs";

/** @param {string} tag */
export function versionOf(tag) {
  const match = /^v((0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*))(-[0-9A-Za-z][0-9A-Za-z.-]*)?$/.exec(tag);
  if (!match) {
    const why = tag.includes("+") ? "an image's tag has no +" : "a release's tag is a version";
    throw new Stop(
      `"${tag}" makes no release: ${why}`,
      "write v1.4.2, or v1.4.2-rc.1 for one that is not final",
    );
  }
  const [, core = "", major = "", minor = "", , suffix = ""] = match;
  return {
    version: core + suffix,
    minor: `${major}.${minor}`,
    core: core.split(".").map(Number),
    isFinal: suffix === "",
  };
}

/** @param {readonly number[]} a @param {readonly number[]} b */
export const compare = (a, b) =>
  a.map((part, index) => part - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;

/**
 * The image tags of a version. `1.4` and `latest` lead to the highest final version there is: a fix of an old line does
 * not take anybody back.
 * @param {string} tag @param {readonly string[]} others the repository's tags
 */
export function imageTags(tag, others) {
  const { version, minor, core, isFinal } = versionOf(tag);
  const finals = others
    .filter((other) => /^v\d+\.\d+\.\d+$/.test(other) && other !== tag)
    .map((other) => versionOf(other));
  const leads = finals.every((other) => compare(core, other.core) > 0);
  const leadsLine = finals.every((other) => other.minor !== minor || compare(core, other.core) > 0);
  return [version, ...(isFinal && leadsLine ? [minor] : []), ...(isFinal && leads ? ["latest"] : [])];
}

/** @param {string} folder @param {NodeJS.ProcessEnv} env @param {string} tag @param {string} branch */
export function checkTag(folder, env, tag, branch) {
  versionOf(tag);
  // A checkout turns an annotated tag into a lightweight one, so it is fetched again.
  fetchReferences(
    folder,
    [`+refs/tags/*:refs/tags/*`, `+refs/heads/${branch}:refs/remotes/origin/${branch}`],
    env,
  );
  if (git(folder, ["cat-file", "-t", `refs/tags/${tag}`]) !== "tag")
    throw new Stop(
      `the tag ${tag} is lightweight: it says neither who released nor what`,
      `git push --delete origin ${tag}; git tag --force --annotate ${tag}; git push origin ${tag}`,
    );
  const commit = git(folder, ["rev-parse", `refs/tags/${tag}^{commit}`]);
  const head = git(folder, ["rev-parse", "HEAD"]);
  if (commit !== head)
    throw new Stop(
      `${tag} has moved from ${head} to ${commit} since this run began`,
      "its own run releases it; a release's tag should never move",
    );
  if (!isAncestor(folder, commit, branchReference(folder, branch)))
    throw new Stop(
      `${tag} is on ${commit}, which is not on ${branch}`,
      `merge it into ${branch} first, and tag what is there`,
    );
  return commit;
}

/** @param {import("./registry.mjs").Registry} registry @param {import("./settings.mjs").Settings} settings @param {string} commit @param {string} version */
async function builtImages(registry, { images }, commit, version) {
  const found = [];
  const absent = [];
  for (const [image, { repository }] of Object.entries(images)) {
    const digest = await registry.digest(repository, `sha-${commit}`);
    const released = await registry.digest(repository, version);
    if (released && released !== digest)
      throw new Stop(
        `${repository}:${version} is ${released} already, and ${commit} is ${digest ?? "not built"}`,
        "a version never changes: release the next one",
      );
    if (digest) found.push({ image, repository, digest });
    else absent.push(image);
  }
  return { found, absent };
}

/**
 * Two steps of the same script: `STEP=check` before anything is built, `STEP=tag` when every image is there.
 * @param {import("./run.mjs").Run} run
 */
export async function release({ env, folder, output, say, summary }) {
  const own = settings(folder);
  const tag = needed(env, "TAG");
  const commit = checkTag(folder, env, tag, own.branch);
  const { version, isFinal } = versionOf(tag);
  const registry = registryOf(env);
  const { found, absent } = await builtImages(registry, own, commit, version);
  if (env.STEP === "tag") {
    if (absent.length > 0)
      throw new Stop(
        `${absent.join(", ")} has no image of ${commit}; no tag was moved`,
        "run all jobs again",
      );
    const tags = imageTags(tag, git(folder, ["tag", "--list", "v*"]).split("\n"));
    await moveTags(registry, found, tags, say);
    summary(
      `${tags.map((name) => `\`${name}\``).join(", ")} of ${found.map(({ image }) => image).join(", ")}`,
    );
    output("images", JSON.stringify(found));
    return;
  }
  say(
    `${tag}: annotated, on ${own.branch}; ${absent.length > 0 ? `${absent.join(", ")} to be built` : "all images are built"}`,
  );
  output("absent", JSON.stringify(absent));
  output("version", version);
  output("prerelease", String(!isFinal));
}

/** The tag's own words, without its signature. @param {string} folder @param {string} tag */
export function messageOf(folder, tag) {
  const { status, out } = tryGit(folder, [
    "for-each-ref",
    "--format=%(contents:subject)%0a%0a%(contents:body)",
    `refs/tags/${tag}`,
  ]);
  return status === 0 ? out.trim() : "";
}
