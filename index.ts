// The program of every stack: config in, components, outputs. `pulumi up` runs it, and so does the watcher.
import * as pulumi from "@pulumi/pulumi";
import { Environment } from "./components/environment";
import type { Release } from "./components/release";
import { type EnvironmentConfig, readConfig } from "./config";
import { offerCredentials } from "./provider/session";
import { RegistryClient, credentialLookup } from "./registry";
import { decideRelease } from "./watcher/decide";

/** @param decided what the environment is to run; by default what its tag carries now */
async function program(decided?: Release): Promise<Record<string, unknown>> {
  const config = readConfig();
  if (config.kind === "repository") {
    throw new pulumi.RunError("the repository's stack is not built yet: run an environment's, such as dev");
  }
  const credentials = await plainCredentials(config);
  const client = new RegistryClient({ credentials: credentialLookup(credentials) });
  try {
    const release = decided ?? (await decideRelease(config, client));
    const { session } = offerCredentials(credentials);
    const environment = new Environment(config.stack, { config, release, session });
    return { release, urls: environment.urls, switchedAt: environment.switchedAt };
  } catch (error) {
    throw error instanceof Error ? new pulumi.RunError(error.message) : error;
  } finally {
    await client.close();
  }
}

/** The config's passwords in plain text, for this process alone. */
async function plainCredentials({ registries }: EnvironmentConfig) {
  const entries = Object.entries(registries).map(
    ([host, { username, password }]) =>
      new Promise<[string, { username: string; password: string }]>((resolve) => {
        password.apply((plain) => resolve([host, { username, password: plain }]));
      }),
  );
  return Object.fromEntries(await Promise.all(entries));
}

export = program;
