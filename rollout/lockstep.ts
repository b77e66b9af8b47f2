// Lockstep: whether the images of an environment belong together. A pure decision over what the registry said.

/** One image as the environment tag carries it now. */
export interface TaggedImage {
  image: string;
  digest: string;
  /** The commit it was built from, where its labels say so. */
  revision?: string;
  /** Commit → the digest that this image's tag `sha-<commit>` carries; only commits that were looked up. */
  digestsByCommit: Readonly<Record<string, string>>;
}

export type Agreement =
  | { kind: "agreed"; commit?: string }
  /** Commits that each image would have to be looked up under before it can be said. */
  | { kind: "undecided"; commits: string[] }
  | { kind: "apart"; reason: string };

const short = (commit: string): string => commit.slice(0, 12);

/**
 * Images agree when their labels name one commit, or when one commit's tag carries all of their digests: a build that
 * changed one image of a monorepo tags the others, unchanged and still labelled with an older commit, along with it.
 * An image without a label takes no side.
 */
export function agree(images: readonly TaggedImage[]): Agreement {
  const labelled = images.filter(
    (image): image is TaggedImage & { revision: string } => image.revision !== undefined,
  );
  const commits = [...new Set(labelled.map((image) => image.revision))];
  if (commits.length <= 1)
    return commits[0] === undefined ? { kind: "agreed" } : { kind: "agreed", commit: commits[0] };

  const missing = commits.filter((commit) =>
    labelled.some((image) => image.revision !== commit && !(commit in image.digestsByCommit)),
  );
  const common = commits.find((commit) =>
    labelled.every((image) => image.revision === commit || image.digestsByCommit[commit] === image.digest),
  );
  if (common !== undefined) return { kind: "agreed", commit: common };
  if (missing.length > 0) return { kind: "undecided", commits: missing };
  const sides = labelled.map((image) => `${image.image} is at commit ${short(image.revision)}`);
  return { kind: "apart", reason: sides.join(", ") };
}
