// Which digest each image of an environment should run: asked of the registry, decided by rollout/. What the watcher
// and a `pulumi up` by hand share, so that both come to the same answer.

import type { EnvironmentConfig } from "../config";
import { describe, ReleaseError } from "../ledger";
import { atTag, formatReference, type Reference, type RegistryClient, RegistryError } from "../registry";
import { type Agreement, agree, type TaggedImage } from "../rollout/lockstep";
import type { Release, ReleasedImage } from "../rollout/release";

/** The references that an environment follows, by the name of the image; only images that a service runs. */
export function followed(config: EnvironmentConfig): Record<string, Reference> {
  const used = new Set(Object.values(config.services).map((service) => service.image));
  return Object.fromEntries(
    Object.entries(config.images)
      .filter(([name]) => used.has(name))
      .map(([name, { repository }]) => [name, atTag(repository, config.tag)]),
  );
}

/** Whether the images belong together, asking the registry for their tags `sha-<commit>` only where labels differ. */
export async function agreement(
  client: RegistryClient,
  references: Readonly<Record<string, Reference>>,
  release: Release,
): Promise<Agreement> {
  let lookedUp: Record<string, Record<string, string>> = {};
  for (;;) {
    const images = Object.entries(release).map(
      ([image, { digest, revision }]): TaggedImage => ({
        image,
        digest,
        ...(revision ? { revision } : {}),
        digestsByCommit: lookedUp[image] ?? {},
      }),
    );
    const decision = agree(images);
    if (decision.kind !== "undecided") return decision;
    const found = await Promise.all(
      Object.entries(references).map(async ([image, reference]) => {
        const digests = await Promise.all(
          decision.commits.map(async (commit) => {
            const resolved = await client.resolve(atTag(reference, `sha-${commit}`));
            return [commit, resolved.kind === "found" ? resolved.digest : ""];
          }),
        );
        return [image, Object.fromEntries(digests)];
      }),
    );
    lookedUp = Object.fromEntries(found);
  }
}

/**
 * What the environment's tag carries now, on every image.
 * @throws ReleaseError where that is not sure (`cause`: for want of an answer), or where lockstep is configured and
 *   the images are apart
 */
export async function decideRelease(config: EnvironmentConfig, client: RegistryClient): Promise<Release> {
  const references = followed(config);
  const problems: string[] = [];
  let cause: unknown;
  const images = await Promise.all(
    Object.entries(references).map(
      async ([name, reference]): Promise<[string, ReleasedImage] | undefined> => {
        const observation = await client.observe(reference);
        if (observation.kind === "unknown") {
          const { reason, detail } = observation;
          if (reason !== "absent") cause ??= new RegistryError(reason, detail);
          problems.push(`tagalong:images.${name}: ${formatReference(reference)}: ${observation.detail}`);
          return undefined;
        }
        try {
          return [name, await describe(client, reference, observation.digest)];
        } catch (error) {
          cause ??= error;
          problems.push(`tagalong:images.${name}: ${error instanceof Error ? error.message : String(error)}`);
          return undefined;
        }
      },
    ),
  );
  if (problems.length > 0) throw new ReleaseError(problems.join("\n"), { cause });
  const release = Object.fromEntries(images.filter((image) => image !== undefined));
  if (config.rollout.lockstep) {
    const decision = await agreement(client, references, release);
    if (decision.kind === "apart") {
      throw new ReleaseError(
        `the images of "${config.tag}" do not belong together: ${decision.reason}; wait until all are pushed, or set tagalong:rollout.lockstep to false`,
      );
    }
  }
  return release;
}
