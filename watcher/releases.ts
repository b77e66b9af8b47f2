// Releases compared, and told in the log.
import type { Release, ReleasedImage } from "../rollout/release";

/** Images and what a release has of them. */
export type Changed = [image: string, one: ReleasedImage][];

/** The same for the same digests. */
export const keyOf = (release: Release): string =>
  JSON.stringify(
    Object.keys(release)
      .sort()
      .map((image) => [image, release[image]?.digest]),
  );

/** Images that another release has another digest of. */
export const changes = (from: Release, to: Release): Changed =>
  Object.entries(to).filter(([image, { digest }]) => from[image]?.digest !== digest);

/** What of a release a machine that reads the log wants to know. */
export const factsOf = (release: Release) =>
  Object.fromEntries(
    Object.entries(release).map(([image, { digest, version, revision }]) => [
      image,
      { digest, version, revision },
    ]),
  );
