/**
 * What there is to know of the workflow files before they are written: what the default branch has of them, what a pull
 * request has that is open, and whether the token may write them.
 */
import {
  type Client,
  type FilesFacts,
  type GitHubFacts,
  inspectFiles,
  isOwnPlace,
  type RenderedFile,
} from "../github";
import type { Settings } from "./features";

/** What is to be in the repository. */
export interface WantedWorkflows {
  files: readonly RenderedFile[];
  /** Paths of files that need not be as we wrote them. */
  overwrite: readonly string[];
  /** The branch that the workflows themselves take for the default one. */
  branch: string;
}

export interface WorkflowSurvey {
  wanted: WantedWorkflows;
  /** Undefined where there is no repository to ask, or none that may be asked. */
  facts?: FilesFacts;
}

/** The default branch, as it is to be. */
export const defaultBranchOf = ({ defaultBranch }: Settings, { repository }: GitHubFacts): string =>
  defaultBranch ?? repository?.default_branch ?? "main";

/** @throws GitHubError */
export async function surveyWorkflows(
  settings: Settings,
  wanted: WantedWorkflows,
  facts: GitHubFacts,
  client: Client,
): Promise<WorkflowSurvey> {
  const { repository, scopes } = facts;
  if (repository === undefined || repository.archived || repository.permissions?.admin === false)
    return { wanted };
  const branch = defaultBranchOf(settings, facts);
  // A classic token tells what it may do; of another it is found out by trying.
  const proves = scopes === undefined;
  return { wanted, facts: await inspectFiles(client, { ...wanted, branch }, proves) };
}

/** What is in the way of writing them. Pure. */
export function workflowProblems(
  { wanted, facts }: WorkflowSurvey,
  scopes: readonly string[] | undefined,
): string[] {
  const rendered = new Set(wanted.files.map(({ path }) => path));
  const unknown = wanted.overwrite.flatMap((path, index) =>
    rendered.has(path) || isOwnPlace(path)
      ? []
      : [`${path} is no file that is written; correct tagalong:workflows.overwrite[${index}]`],
  );
  const changes = Object.keys(facts?.plan.changes ?? {});
  const lacksScope =
    scopes !== undefined &&
    !scopes.includes("workflow") &&
    changes.some((path) => path.startsWith(".github/workflows/"));
  return [
    ...unknown,
    ...(facts?.isEmpty || !lacksScope
      ? []
      : [
          "the token lacks the scope workflow, without which GitHub lets nobody write workflows; add it on https://github.com/settings/tokens, or remove tagalong:workflows",
        ]),
    ...(facts?.problem === undefined ? [] : [facts.problem]),
  ];
}
