// Promotion: the environment's tag, led to the release that the config names before anything rolls. Neither it nor the
// provider is a child of a component: CI targets the tag alone, and a parent that is not there yet would have to come too.
import * as pulumi from "@pulumi/pulumi";
import { EnvironmentTag, type Provider, type TaggedImage } from "../provider/resources";
import { platformProblem } from "../rollout/platform";
import type { Release } from "../rollout/release";

export interface PromotionArgs {
  /** As the config names it; "" where the environment follows its tag. */
  release: string;
  /** By image; empty where no release is named. */
  images: Record<string, TaggedImage>;
}

/**
 * Moves the tags once the engine has answered and turned out fit, where there is one to ask: an `up` that cannot work
 * leaves them alone. In an update that targets the tag alone nobody asks, and the last answer counts, if there is one.
 * @param platforms what the engine runs, as `os/architecture`; unknown or undefined where nobody can say
 */
export function promote(
  name: string,
  { release, images }: PromotionArgs,
  running: Release,
  platforms: pulumi.Output<string[] | undefined>,
  provider: Provider,
): EnvironmentTag {
  // A promise instead of the output: the tag must not depend on what its update does not target.
  const fit = settled(platforms).then((known) => {
    const problems = Object.values(running).flatMap(
      ({ reference, platforms }) => platformProblem(reference, platforms, known ?? []) ?? [],
    );
    if (release !== "" && problems.length > 0) throw new pulumi.RunError(problems.join("\n"));
  });
  return new EnvironmentTag(
    name,
    { release: fit.then(() => release), images: fit.then(() => images) },
    { provider },
  );
}

/** The value, once it is there; undefined where this update does not find it out. The SDK has that, but not in its types. */
async function settled<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const inner = output as pulumi.Output<T> & { promise?: () => Promise<T>; isKnown?: Promise<boolean> };
  if (!inner.promise || !inner.isKnown) {
    throw new Error(
      "This version of @pulumi/pulumi does not say which outputs are known; use the pinned version",
    );
  }
  const value = await inner.promise();
  return (await inner.isKnown) ? value : undefined;
}
