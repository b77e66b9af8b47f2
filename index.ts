// The program of every stack: config in, components, outputs. `pulumi up` runs it, and so does the watcher.
import { checklist } from "./access/checklist";
import { registryCredentials, surveyed } from "./access/open";
import { preflight } from "./access/preflight";
import { Environment } from "./components/environment";
import { ownResources } from "./components/repository/adoption";
import { RepositoryStack } from "./components/repository/stack";
import {
  type EnvironmentConfig,
  environmentsIn,
  type RepositoryConfig,
  readConfig,
  readProjectFiles,
} from "./config";
import { offerCredentials } from "./provider/session";
import { credentialLookup, RegistryClient } from "./registry";
import type { Release } from "./rollout/release";
import { plainCredentials, plainText } from "./watcher/credentials";
import { decideRelease } from "./watcher/decide";
import { told } from "./watcher/told";

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
  const { url, rows } = new RepositoryStack("repository", {
    ...{ settings, environments, survey, access },
    skipped: preflight(settings, survey),
    rows: checklist(settings, survey, { environments, isWorkflow }),
    known: await ownResources(),
    session: offerCredentials(await registryCredentials(access, process.env)),
  });
  return { url, access: rows };
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

export = (run?: Run) =>
  program(run).catch((error: unknown) => {
    throw told(error);
  });
