// The last step of a build: the tags of all images move together. Before it, nothing that anybody follows has changed.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fetchReferences, git, isAncestor, tryGit } from "./git.mjs";
import { moveTags } from "./lockstep.mjs";
import { registryOf } from "./registry.mjs";
import { settings } from "./settings.mjs";
import { imagesOf, readingIn } from "./size.mjs";
import { annotation, needed, Stop } from "./words.mjs";

/**
 * The digest of every image: what was built, or what goes on unchanged.
 * @param {import("./settings.mjs").Settings} settings
 * @param {Record<string, string>} kept
 * @param {string} built a folder with a file `index.<image>/digest` for each that was built
 */
export function targetsOf({ images }, kept, built) {
  return Object.entries(images).map(([image, { repository }]) => {
    const file = join(built, `index.${image}`, "digest");
    const digest = existsSync(file) ? readFileSync(file, "utf8").trim() : kept[image];
    if (!digest)
      throw new Stop(
        `${image} was neither built nor is there an earlier one; no tag was moved`,
        "run all jobs again",
      );
    return { image, repository, digest };
  });
}

/**
 * The commit that an image says it was built from.
 * @param {import("./registry.mjs").Registry} registry @param {string} repository @param {string} reference
 */
export async function revisionOf(registry, repository, reference) {
  const top = await registry.manifest(repository, reference);
  if (!top) return undefined;
  const read = readingIn(registry, repository);
  const [first] = imagesOf(top.document.manifests ?? []);
  const manifest = first ? await read.manifest(first.digest) : top.document;
  const config = await read.config(manifest.config?.digest ?? "");
  return config.config?.Labels?.["org.opencontainers.image.revision"];
}

/**
 * A commit has one image for ever: where another run gave it one meanwhile, that one counts.
 * @param {import("./registry.mjs").Registry} registry @param {readonly import("./lockstep.mjs").Target[]} targets @param {string} tag
 */
const settled = (registry, targets, tag) =>
  Promise.all(
    targets.map(async (target) => ({
      ...target,
      digest: (await registry.digest(target.repository, tag)) ?? target.digest,
    })),
  );

/** @param {import("./run.mjs").Run} run */
export async function move({ env, folder, output, say, summary }) {
  const own = settings(folder);
  const registry = registryOf(env);
  const revision = git(folder, ["rev-parse", "HEAD"]);
  const wanted = targetsOf(own, JSON.parse(needed(env, "KEPT")), needed(env, "BUILT"));
  const targets = await settled(registry, wanted, `sha-${revision}`);
  await moveTags(registry, targets, [`sha-${revision}`], say);
  const tags = env.MOVE === "true" ? ["latest", ...(own.tag ? [own.tag] : [])] : [];
  const newer =
    tags.length > 0
      ? await whoIsNewer(registry, targets, tags, { folder, env, revision, branch: own.branch })
      : undefined;
  if (newer) {
    // An old run that is run again must not take everybody back to what they left.
    const text = `${tags.join(", ")} stay where they are: ${newer}`;
    say(annotation("notice", text));
    summary(text);
    return;
  }
  if (tags.length > 0) await moveTags(registry, targets, tags, say);
  // An environment reports a roll for the commit that an image names; where none names this one, there is nothing to roll.
  const named = await Promise.all(
    targets.map(({ repository, digest }) => revisionOf(registry, repository, digest)),
  );
  output("rolls", String(tags.length > 0 && named.includes(revision)));
  summary(
    `${[`sha-${revision}`, ...tags].map((tag) => `\`${tag}\``).join(", ")} of ${targets.map(({ image }) => image).join(", ")}`,
  );
}

/**
 * @param {import("./registry.mjs").Registry} registry @param {readonly import("./lockstep.mjs").Target[]} targets @param {readonly string[]} tags
 * @param {{ folder: string, env: NodeJS.ProcessEnv, revision: string, branch: string }} at
 */
async function whoIsNewer(registry, targets, tags, { folder, env, revision, branch }) {
  let isFetched = false;
  for (const { image, repository } of targets) {
    for (const tag of tags) {
      const carried = await revisionOf(registry, repository, tag);
      if (!carried || !/^[0-9a-f]{40}$/.test(carried) || carried === revision) continue;
      // A newer commit is not in the history of this one's checkout.
      if (!isFetched && tryGit(folder, ["cat-file", "-e", `${carried}^{commit}`]).status !== 0)
        fetchReferences(folder, [`refs/heads/${branch}`], env);
      isFetched = true;
      if (isAncestor(folder, revision, carried))
        return `${image}:${tag} is of ${carried}, which came after ${revision}`;
    }
  }
  return undefined;
}
