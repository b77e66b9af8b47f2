// What the stack's state says of its environment.
import type { GateInputs } from "../provider/gate";
import type { Authorisation } from "../rollout/authorised";
import type { Release } from "../rollout/release";

export interface State {
  /** Operations that were begun, and nobody noted how they ended. */
  pending: unknown[];
  resources: {
    type: string;
    id?: string;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
  }[];
}

export interface Recorded {
  /** What the last update that got as far as the switch brought it to; empty before the first. */
  release: Release;
  /** What the last gate waited for. */
  gate: GateInputs | undefined;
  /** What a `pulumi up` by hand has led the tag to; undefined where nobody has put that down yet. */
  authorisation: Authorisation | undefined;
}

export function recordedIn({ resources }: State): Recorded {
  const of = (type: string) => resources.find((resource) => resource.type === type);
  return {
    // The resource knows it also where the update did not come to its end after the switch.
    release: (of("tagalong:index:Soak")?.outputs?.["runs"] ??
      of("pulumi:pulumi:Stack")?.outputs?.["release"] ??
      {}) as Release,
    gate: of("tagalong:index:Gate")?.inputs as GateInputs | undefined,
    authorisation: authorisationIn(of("tagalong:index:EnvironmentTag")?.inputs),
  };
}

/** The release that was named, and what its images are to carry. */
function authorisationIn(inputs: Record<string, unknown> | undefined): Authorisation | undefined {
  if (!inputs) return undefined;
  const images = (inputs["images"] ?? {}) as Record<string, { digest?: string }>;
  const digests = Object.entries(images).map(([image, { digest = "" }]) => [image, digest]);
  return { release: String(inputs["release"] ?? ""), digests: Object.fromEntries(digests) };
}
