/**
 * The way to GitHub and to the registries for the repository's stack: which token, and what it is used for. The token
 * goes to GitHub's API, and to GitHub's registry where Docker has no other for it.
 */
import type { RepositoryConfig } from "../config";
import { type Access, accessIn, Client, tokenAccess } from "../github";
import {
  type CredentialLookup,
  credentialLookup,
  type ExplicitCredentials,
  RegistryClient,
} from "../registry";
import { PreflightError } from "./preflight";
import { type Survey, survey } from "./survey";
import type { WantedWorkflows } from "./workflows";

const githubRegistry = "ghcr.io";

export interface Surveyed {
  survey: Survey;
  access: Access;
  /** Whether the token is that of a workflow's job in the repository. */
  isWorkflow: boolean;
}

/**
 * Asks everything that must be known before.
 * @param token of the config; without one, the environment's
 * @param workflows what is to be in the repository, where the stack writes it
 * @throws PreflightError where there is no token; GitHubError where GitHub does not answer
 */
export async function surveyed(
  config: Pick<RepositoryConfig, "repository" | "images">,
  token: string | undefined,
  env: NodeJS.ProcessEnv,
  workflows?: WantedWorkflows,
): Promise<Surveyed> {
  const access = accessOf(token, env);
  const { owner, name } = config.repository;
  const registry = new RegistryClient({ credentials: credentialsWith(access, env) });
  try {
    const found = await survey(config, new Client({ owner, name }, access), registry, workflows);
    // A workflow's own token is nobody's.
    const isWorkflow = found.facts.login === undefined && isWorkflowOf(`${owner}/${name}`, env);
    return { survey: found, access, isWorkflow };
  } finally {
    await registry.close();
  }
}

function accessOf(token: string | undefined, env: NodeJS.ProcessEnv): Access {
  const found = token === undefined ? accessIn(env) : tokenAccess(token, "tagalong:repository.token", env);
  if (found !== undefined) return found;
  throw new PreflightError([
    "there is no token for GitHub: put one of an administrator into GITHUB_TOKEN (a classic one with the scopes repo, workflow, read:org and write:packages), or into the config with pulumi config set --stack repository --secret --path tagalong:repository.token",
  ]);
}

/** What a first push takes beside Docker's own credentials: the token, to GitHub's registry, where Docker has no other. */
export async function registryCredentials(
  { token }: Access,
  env: NodeJS.ProcessEnv,
): Promise<ExplicitCredentials> {
  const known = await credentialLookup({}, env)(githubRegistry);
  return known ? {} : { [githubRegistry]: { username: "tagalong", password: token } };
}

/** Docker's own credentials; to GitHub's registry, else, the token. */
export function credentialsWith({ token, variable }: Access, env: NodeJS.ProcessEnv): CredentialLookup {
  const docker = credentialLookup({}, env);
  return async (host) =>
    (await docker(host)) ??
    (host === githubRegistry
      ? { kind: "password", username: "tagalong", password: token, source: variable }
      : undefined);
}

function isWorkflowOf(repository: string, env: NodeJS.ProcessEnv): boolean {
  return (
    env["GITHUB_ACTIONS"] === "true" && env["GITHUB_REPOSITORY"]?.toLowerCase() === repository.toLowerCase()
  );
}
