// An environment's stack: what it is to run, and the environment that runs it.
import * as pulumi from "@pulumi/pulumi";
import { Environment } from "../components/environment";
import { type EnvironmentConfig, readProjectFiles } from "../config";
import { offer } from "../provider/session";
import { credentialLookup, RegistryClient } from "../registry";
import type { Release } from "../rollout/release";
import { decideByHand, decidedBefore } from "../watcher/byHand";
import { plainCredentials } from "../watcher/credentials";

/**
 * @param directory the project's folder
 * @param release what a watcher has decided; by hand it is what the config names, or the tag carries
 * @returns the stack's outputs
 */
export async function environmentStack(
  config: EnvironmentConfig,
  directory: string,
  release: Release | undefined,
): Promise<Record<string, unknown>> {
  const credentials = await plainCredentials(config.registries);
  const client = new RegistryClient({ credentials: credentialLookup(credentials) });
  try {
    const isPreview = pulumi.runtime.isDryRun();
    const { roll, ...decided } = release
      ? decidedBefore(release)
      : await decideByHand(config, client, { directory, isPreview, say: pulumi.log });
    const session = offer({ credentials, ...(roll ? { role: "hand", roll } : { role: "watcher" }) });
    const files = readProjectFiles(config.stack, directory);
    const environment = new Environment(config.stack, { config, files, session, ...decided });
    const { urls, switchedAt, claim } = environment;
    return { release: environment.release, urls, switchedAt, claim };
  } finally {
    await client.close();
  }
}
