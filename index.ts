// The program of every stack: config in, components, outputs. `pulumi up` runs it, and so does the watcher.
import { readConfig } from "./config";
import type { Release } from "./rollout/release";
import { environmentStack } from "./stacks/environment";
import { repositoryStack } from "./stacks/repository";
import { told } from "./watcher/told";

interface Run {
  /** What a watcher has decided that the environment is to run; by hand it is what the config names, or the tag carries. */
  release?: Release;
  /** The project's folder; by default the working directory. */
  directory?: string;
}

function program({ directory = process.cwd(), release }: Run = {}): Promise<Record<string, unknown>> {
  const config = readConfig(directory);
  return config.kind === "repository"
    ? repositoryStack(config, directory)
    : environmentStack(config, directory, release);
}

export = (run?: Run) =>
  Promise.resolve(run)
    .then(program)
    .catch((error: unknown) => {
      throw told(error);
    });
