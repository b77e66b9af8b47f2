// Tags of all images move together or not at all: every image is looked at before any tag moves, what each tag carried is
// known, and where one cannot be moved those before it are moved back.
import { reasonOf, Stop } from "./words.mjs";

/** @typedef {{ image: string, repository: string, digest: string }} Target */

/**
 * @param {import("./registry.mjs").Registry} registry
 * @param {readonly Target[]} targets one an image
 * @param {readonly string[]} tags
 * @param {(text: string) => void} say
 */
export async function moveTags(registry, targets, tags, say) {
  const moves = [];
  for (const target of targets) {
    const manifest = await registry.pushed(target.repository, target.digest);
    for (const tag of tags) {
      const before = await registry.digest(target.repository, tag);
      if (before !== target.digest) moves.push({ ...target, tag, manifest, before });
    }
  }
  const done = [];
  try {
    for (const move of moves) {
      // Counted before it is known to have worked: an answer may be lost on its way.
      done.push(move);
      await registry.put(move.repository, move.tag, move.manifest);
      const carried = await registry.digest(move.repository, move.tag);
      if (carried !== move.digest)
        throw new Stop(
          `${move.repository}:${move.tag} carries ${carried ?? "nothing"} right after it was moved to ${move.digest}`,
        );
      say(`${move.repository}:${move.tag}: ${move.before ?? "new"} → ${move.digest}`);
    }
  } catch (error) {
    const left = await moveBack(registry, done);
    const rest =
      left.length > 0 ? `; still moved: ${left.join(", ")}` : "; every tag carries what it did before";
    throw new Stop(`${reasonOf(error)}${rest}`, "run the job again");
  }
  if (moves.length === 0) say(`${tags.join(", ")}: carried it already`);
}

/** @param {import("./registry.mjs").Registry} registry @param {readonly { repository: string, tag: string, digest: string, before: string | undefined }[]} moves */
async function moveBack(registry, moves) {
  const left = [];
  for (const { repository, tag, digest, before } of moves.toReversed()) {
    try {
      if ((await registry.digest(repository, tag)) !== digest) continue;
      // Registries remove no tag alone, so one that is new stays; it leads to an image that is whole.
      if (before === undefined) left.push(`${repository}:${tag} (new)`);
      else await registry.put(repository, tag, await registry.pushed(repository, before));
    } catch {
      left.push(`${repository}:${tag}`);
    }
  }
  return left;
}
