/** Rows of the workflow files: what `pulumi up` writes, what waits for a merge, and what it leaves as it is. Pure. */
import { factsText } from "../github";
import type { Row } from "./checklist";
import type { Settings } from "./features";
import type { WorkflowSurvey } from "./workflows";

export function workflowRows(settings: Settings, { wanted, facts }: WorkflowSurvey): Row[] {
  const what = "workflows";
  const page = `https://github.com/${settings.owner}/${settings.name}`;
  if (facts === undefined || facts.isEmpty) {
    const detail =
      "there is no commit to write them on: push one, then run pulumi up again; or render them yourself with tagalong workflows --out";
    return [{ what, state: "click", detail, page }];
  }
  const { plan, branch, open, isWaiting } = facts;
  const count = Object.keys(plan.changes).length;
  const at = (path: string) => `${page}/blob/${branch}/${path}`;
  return [
    count === 0
      ? { what, state: "ok", detail: `${wanted.files.length} files on ${branch}` }
      : isWaiting && open
        ? { what, state: "click", detail: factsText(facts), page: open.url }
        : { what, state: "up", detail: factsText(facts) },
    ...(open !== undefined && count === 0
      ? [
          {
            what: `${what}: pull request`,
            state: "click" as const,
            detail: `#${open.number} has nothing that ${branch} is to have: close it`,
            page: open.url,
          },
        ]
      : []),
    ...(open?.edited ?? [])
      .filter((path) => plan.left[path] === undefined)
      .map((path): Row => {
        const detail = `was edited by hand in #${open?.number}, and stays so there: undo it, or add the path to tagalong:workflows.overwrite`;
        return { what: path, state: "click", detail, ...(open && { page: open.url }) };
      }),
    ...(wanted.branch === branch
      ? []
      : [
          {
            what: `${what}: branch`,
            state: "click" as const,
            detail: `they run for ${wanted.branch}, and the default branch is ${branch}: set tagalong:workflows.branch to ${branch}`,
          },
        ]),
    ...Object.entries(plan.left).map(
      ([path, why]): Row => ({ what: path, state: "click", detail: reasons[why], page: at(path) }),
    ),
  ];
}

const wayOut = "or add the path to tagalong:workflows.overwrite";
const reasons = {
  edited: `was edited by hand since it was rendered, and is left as it is: bring the edit into the config and undo it here, ${wayOut}`,
  leftover: `was edited by hand, and is not rendered any more: remove it, ${wayOut}`,
  foreign: `is somebody else's, where a file of Tagalong's belongs, and is left as it is: move or remove it, ${wayOut}`,
  blocked: "is no file, or lies below one that is no folder: move that away",
} as const;
