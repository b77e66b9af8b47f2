// The program of every stack: config in, components, outputs. `pulumi up` runs it, and so does the watcher.
import * as pulumi from "@pulumi/pulumi";
import { checklist } from "./access/checklist";
import { registryCredentials, surveyed } from "./access/open";
import { preflight } from "./access/preflight";
import { Environment } from "./components/environment";
import { isRepositoryIn, ownResources } from "./components/repository/adoption";
import { RepositoryStack } from "./components/repository/stack";
import {
  type EnvironmentConfig,
  environmentsIn,
  type RepositoryConfig,
  readConfig,
  readProjectFiles,
} from "./config";
import { offer } from "./provider/session";
import { credentialLookup, RegistryClient } from "./registry";
import type { Release } from "./rollout/release";
import { decideByHand, decidedBefore } from "./watcher/byHand";
import { plainCredentials, plainText } from "./watcher/credentials";
import { told } from "./watcher/told";
import { settingsFor, wantedWorkflows } from "./workflows";

interface Run {
  /** What a watcher has decided that the environment is to run; by hand it is what the config names, or the tag carries. */
  release?: Release;
  /** The project's folder; by default the working directory. */
  directory?: string;
}

function program(run: Run = {}): Promise<Record<string, unknown>> {
  const { directory = process.cwd(), release } = run;
  const config = readConfig(directory);
  if (config.kind === "repository") return repositoryStack(config, directory);
  return environmentStack(config, directory, release);
}

async function repositoryStack(
  config: RepositoryConfig,
  directory: string,
): Promise<Record<string, unknown>> {
  const settings = settingsFor(config);
  const environments = environmentsIn(directory);
  const token = await plainText(settings.token);
  const { survey, access, isWorkflow } = await surveyed(config, token, process.env, wantedWorkflows(config));
  const known = await ownResources();
  const { owner, name } = settings;
  const { url, rows, pullRequest } = new RepositoryStack("repository", {
    ...{ settings, environments, survey, access, known },
    skipped: preflight(settings, survey, isRepositoryIn(known)),
    rows: checklist(settings, survey, { environments, isWorkflow }),
    session: offer({
      credentials: await registryCredentials(access, process.env),
      ...{ role: "hand", github: { repository: { owner, name }, access }, files: survey.workflows?.facts },
    }),
  });
  return { url, access: rows, ...(pullRequest && { pullRequest }) };
}

async function environmentStack(
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

export = (run?: Run) =>
  Promise.resolve(run)
    .then(program)
    .catch((error: unknown) => {
      throw told(error);
    });
