// The program of every stack: config in, components, outputs. `pulumi up` runs it, and so does the watcher.
import * as pulumi from "@pulumi/pulumi";
import { Environment } from "./components/environment";
import { readConfig, readProjectFiles } from "./config";
import { ReleaseError } from "./ledger";
import { offer } from "./provider/session";
import { CredentialError, credentialLookup, RegistryClient, RegistryError } from "./registry";
import type { Release } from "./rollout/release";
import { decideByHand, decidedBefore } from "./watcher/byHand";
import { plainCredentials } from "./watcher/credentials";

interface Run {
  /** What a watcher has decided that the environment is to run; by hand it is what the config names, or the tag carries. */
  release?: Release;
  /** The project's folder; by default the working directory. */
  directory?: string;
}

async function program(run: Run = {}): Promise<Record<string, unknown>> {
  const { release, directory = process.cwd() } = run;
  const config = readConfig(directory);
  if (config.kind === "repository") {
    throw new pulumi.RunError("the repository's stack is not built yet: run an environment's, such as dev");
  }
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
  } catch (error) {
    // What a person can put right is told in a sentence; anything else is a mistake of ours, with its stack.
    const isForPerson = [ReleaseError, RegistryError, CredentialError].some((kind) => error instanceof kind);
    throw isForPerson ? new pulumi.RunError((error as Error).message) : error;
  } finally {
    await client.close();
  }
}

/**
 * Without the frames of Pulumi's own code. Node 20 takes half a minute and a gigabyte to print a stack with a path like
 * theirs, `node_modules/@scope/file.ts`, and the SDK prints every error's, even where it shows the message alone.
 */
function shortened(error: unknown): unknown {
  if (error instanceof Error && error.stack !== undefined) {
    const lines = error.stack.split("\n");
    error.stack = lines.filter((line) => !line.includes("/node_modules/@pulumi/")).join("\n");
  }
  return error;
}

export = (run?: Run) =>
  program(run).catch((error: unknown) => {
    throw shortened(error);
  });
