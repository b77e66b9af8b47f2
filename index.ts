// The program of every stack: config in, components, outputs. `pulumi up` runs it, and so does the watcher.
import * as pulumi from "@pulumi/pulumi";
import { checklist } from "./access/checklist";
import { surveyed } from "./access/open";
import { PreflightError, preflight } from "./access/preflight";
import { Environment } from "./components/environment";
import { ownResources } from "./components/repository/adoption";
import { Repository } from "./components/repository/repository";
import { tell } from "./components/repository/told";
import {
  type EnvironmentConfig,
  environmentsIn,
  type RepositoryConfig,
  readConfig,
  readProjectFiles,
} from "./config";
import { GitHubError } from "./github";
import { ReleaseError } from "./ledger";
import { offerCredentials } from "./provider/session";
import { CredentialError, credentialLookup, RegistryClient, RegistryError } from "./registry";
import type { Release } from "./rollout/release";
import { plainCredentials, plainText } from "./watcher/credentials";
import { decideRelease } from "./watcher/decide";

interface Run {
  /** What the environment is to run; by default what its tag carries now. */
  release?: Release;
  /** The project's folder; by default the working directory. */
  directory?: string;
}

async function program(run: Run = {}): Promise<Record<string, unknown>> {
  const config = readConfig(run.directory);
  return config.kind === "repository" ? repositoryStack(config, run) : environmentStack(config, run);
}

async function repositoryStack(config: RepositoryConfig, run: Run): Promise<Record<string, unknown>> {
  const { repository: settings } = config;
  const environments = environmentsIn(run.directory ?? process.cwd());
  const { survey, access, isWorkflow } = await surveyed(config, await plainText(settings.token), process.env);
  const skipped = preflight(settings, survey);
  const { url } = new Repository("repository", {
    ...{ settings, environments, skipped, ...survey, ...access },
    known: await ownResources(),
  });
  return { url, access: tell(checklist(settings, survey, { environments, isWorkflow })) };
}

async function environmentStack(config: EnvironmentConfig, run: Run): Promise<Record<string, unknown>> {
  const credentials = await plainCredentials(config.registries);
  const client = new RegistryClient({ credentials: credentialLookup(credentials) });
  try {
    const release = run.release ?? (await decideRelease(config, client));
    const session = offerCredentials(credentials);
    const { urls, switchedAt, claim } = new Environment(config.stack, {
      config,
      release,
      files: readProjectFiles(config.stack, run.directory),
      session,
    });
    return { release, urls, switchedAt, claim };
  } finally {
    await client.close();
  }
}

/**
 * Without the frames of Pulumi's own code. Node 20 takes half a minute and a gigabyte to print a stack with a path like
 * theirs, `node_modules/@scope/file.ts`, and the SDK prints every error's, even where it shows the message alone.
 */
function shortened(error: unknown): unknown {
  // What a person can put right is told in a sentence; anything else is a mistake of ours, with its stack.
  const isForPerson = [ReleaseError, RegistryError, CredentialError, GitHubError, PreflightError].some(
    (kind) => error instanceof kind,
  );
  if (isForPerson) return new pulumi.RunError((error as Error).message);
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
