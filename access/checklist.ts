/**
 * The checklist: everything that must be right for images to get from the repository to the registry, one row a thing,
 * each with who puts it right. Pure; the program's outputs and `tagalong access` show the same rows.
 */
import type { Feature } from "../github";
import { lackingFeatures, lackText, type Settings } from "./features";
import { packageRows } from "./packageRows";
import { problemsBefore } from "./preflight";
import { environmentRow, settingsRows } from "./settingsRows";
import type { Survey } from "./survey";
import { workflowRows } from "./workflowRows";

export interface Row {
  /** What it is about: `rulesets`, `package server: link`. */
  what: string;
  /**
   * - `ok`: as it should be
   * - `up`: `pulumi up` of the repository's stack puts it right
   * - `click`: a person must, on the page
   * - `unknown`: nobody can tell from here; `detail` says why
   */
  state: "ok" | "up" | "click" | "unknown";
  detail: string;
  page?: string;
}

export interface Circumstances {
  /** The environments' stacks. */
  environments: readonly string[];
  /** Whether the token at hand is that of a workflow's job in the repository. */
  isWorkflow: boolean;
}

export function checklist(settings: Settings, survey: Survey, circumstances: Circumstances): Row[] {
  const { owner, name } = settings;
  const page = `https://github.com/${owner}/${name}`;
  const { repository } = survey.facts;
  if (circumstances.isWorkflow && repository !== undefined && repository.permissions?.admin !== true) {
    const detail = `${owner}/${name} is there; its settings are for an administrator's token to look at`;
    return [
      { what: "repository", state: "ok", detail, page },
      ...packageRows(settings, survey, circumstances),
    ];
  }
  const [problem, ...more] = problemsBefore(settings, survey);
  if (problem !== undefined) {
    const detail = [problem, ...more].join("; ");
    return [
      { what: "repository", state: "click", detail, page: `${page}/settings` },
      ...packageRows(settings, survey, circumstances),
    ];
  }
  const lacking = new Map(Object.entries(lackingFeatures(settings, survey.facts)) as [Feature, string][]);
  const isThere = repository !== undefined;
  const rows: Row[] = [
    isThere
      ? { what: "repository", state: "ok", detail: `${owner}/${name} is there`, page }
      : {
          what: "repository",
          state: "up",
          detail: `${owner}/${name} is not there, or hidden from the token: it is made`,
          page,
        },
    ...settingsRows(settings, survey, lacking),
    ...(lacking.has("environments")
      ? []
      : circumstances.environments.map((one) => environmentRow(one, settings, survey, lacking))),
    ...[...lacking].map(([feature, why]): Row => {
      const detail = settings.ifMissing === "skip" ? `left out: ${why}` : lackText(feature, why);
      return { what: feature, state: settings.ifMissing === "skip" ? "unknown" : "click", detail };
    }),
  ];
  return [
    ...rows,
    ...(survey.workflows ? workflowRows(settings, survey.workflows) : []),
    ...packageRows(settings, survey, circumstances),
  ];
}
