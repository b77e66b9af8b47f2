// The repository's stack: what GitHub has, beside what the config wants of it.
import { checklist } from "../access/checklist";
import { registryCredentials, surveyed } from "../access/open";
import { preflight } from "../access/preflight";
import { isRepositoryIn, ownResources } from "../components/repository/adoption";
import { RepositoryStack } from "../components/repository/stack";
import { environmentsIn, type RepositoryConfig } from "../config";
import { offer } from "../provider/session";
import { plainText } from "../watcher/credentials";
import { settingsFor, wantedWorkflows } from "../workflows";

/**
 * @param directory the project's folder
 * @returns the stack's outputs
 */
export async function repositoryStack(
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
