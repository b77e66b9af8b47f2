// What the components of every engine are given, and what they give.
import type * as pulumi from "@pulumi/pulumi";
import type { EnvironmentConfig } from "../config";
import type { Release } from "../rollout/release";
import type { ProjectFiles } from "./projectFiles";

export interface EngineArgs {
  config: EnvironmentConfig;
  release: Release;
  files: ProjectFiles;
  /** Called with what the engine runs, as soon as that is known: what rolls waits for what this gives back. */
  promote: (platforms: pulumi.Output<string[] | undefined>) => pulumi.Resource;
  /** Records of the rejections that the release has on it already, and is tried in spite of. */
  tried: readonly string[];
}
