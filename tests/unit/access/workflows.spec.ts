import assert from "node:assert/strict";
import { checklist } from "../../../access/checklist";
import { preflight } from "../../../access/preflight";
import type { WorkflowSurvey } from "../../../access/workflows";
import { settings, survey } from "./given";

const check = ".github/workflows/check.yml";
const script = ".github/tagalong/run.mjs";
type Facts = NonNullable<WorkflowSurvey["facts"]>;

const files = [check, script].map((path) => ({ path, text: "", mode: "100644" as const }));
const given = (
  facts: Partial<Facts> | undefined,
  wanted: Partial<WorkflowSurvey["wanted"]> = {},
): WorkflowSurvey => ({
  wanted: { files, overwrite: [], branch: "main", ...wanted },
  ...(facts && {
    facts: {
      ...{
        branch: "main",
        isEmpty: false,
        plan: { changes: {}, left: {} },
        byPullRequest: false,
        isWaiting: false,
      },
      ...facts,
    },
  }),
});
const open = { url: "https://github.com/acme/shop/pull/7", number: 7, edited: [] };
const plan: Facts["plan"] = { changes: { [check]: "new" }, left: {} };

/** Rows of the workflows, as `state what: detail (page)`. */
const rows = (workflows: WorkflowSurvey): string[] =>
  checklist(settings(), { ...survey(), workflows }, { environments: ["dev"], isWorkflow: false })
    .filter(({ what }) => /^workflows|^\.github/.test(what) && what !== "workflow permissions")
    .map(({ what, state, detail, page }) => `${state} ${what}: ${detail}${page ? ` (${page})` : ""}`);

describe("The checklist of the workflows", () => {
  const overwrite = "or add the path to tagalong:workflows.overwrite";
  const cases: [string, WorkflowSurvey, string[]][] = [
    ["files that are all there", given({}), ["ok workflows: 2 files on main"]],
    ["files to be written", given({ plan }), [`up workflows: in one commit to main: 1 new (${check})`]],
    [
      "files to be proposed",
      given({ plan, byPullRequest: true }),
      [`up workflows: in a pull request to main, whose rules ask for one: 1 new (${check})`],
    ],
    [
      "files that are proposed otherwise",
      given({ plan, byPullRequest: true, open }),
      [`up workflows: in pull request #7, updated in place: 1 new (${check})`],
    ],
    [
      "files that wait for somebody to merge them",
      given({ plan, byPullRequest: true, isWaiting: true, open }),
      [`click workflows: 1 file waits for the merge of #7 (${open.url})`],
    ],
    [
      "a file that was edited where it waits",
      given({ plan, byPullRequest: true, isWaiting: true, open: { ...open, edited: [check] } }),
      [
        `click workflows: 1 file waits for the merge of #7 (${open.url})`,
        `click ${check}: was edited by hand in #7, and stays so there: undo it, ${overwrite} (${open.url})`,
      ],
    ],
    [
      "a pull request that nobody needs any more",
      given({ open }),
      [
        "ok workflows: 2 files on main",
        `click workflows: pull request: #7 has nothing that main is to have: close it (${open.url})`,
      ],
    ],
    [
      "a file that was edited, and one of somebody else's",
      given({ plan: { changes: {}, left: { [check]: "foreign", [script]: "edited" } } }),
      [
        "ok workflows: 2 files on main",
        `click ${check}: is somebody else's, where a file of Tagalong's belongs, and is left as it is: move or remove it, ${overwrite} (https://github.com/acme/shop/blob/main/${check})`,
        `click ${script}: was edited by hand since it was rendered, and is left as it is: bring the edit into the config and undo it here, ${overwrite} (https://github.com/acme/shop/blob/main/${script})`,
      ],
    ],
    [
      "workflows for another branch than the default one",
      given({ branch: "trunk" }),
      [
        "ok workflows: 2 files on trunk",
        "click workflows: branch: they run for main, and the default branch is trunk: set tagalong:workflows.branch to trunk",
      ],
    ],
    [
      "a repository without a commit",
      given({ isEmpty: true, plan }),
      [
        "click workflows: there is no commit to write them on: push one, then run pulumi up again; or render them yourself with tagalong workflows --out (https://github.com/acme/shop)",
      ],
    ],
  ];
  for (const [what, workflows, lines] of cases)
    it(`tells of ${what}`, () => assert.deepEqual(rows(workflows), lines));

  it("has nothing of them where they are not written", () => {
    const all = checklist(settings(), survey(), { environments: [], isWorkflow: false });
    assert.deepEqual(
      all.filter(({ what }) => what.startsWith("workflows")),
      [],
    );
  });
});

describe("Before the workflows are written", () => {
  const said = (workflows: WorkflowSurvey, scopes?: string[]): string => {
    const { facts } = survey();
    try {
      preflight(settings(), { ...survey(), workflows, facts: { ...facts, ...(scopes && { scopes }) } });
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const scope =
    "nothing was changed: the token lacks the scope workflow, without which GitHub lets nobody write workflows; add it on https://github.com/settings/tokens, or remove tagalong:workflows";
  const cases: [string, WorkflowSurvey, string[] | undefined, string][] = [
    ["a classic token without its scope is told", given({ plan }), ["repo"], scope],
    ["a classic token with it is well", given({ plan }), ["repo", "workflow"], ""],
    ["nothing is asked of it where there is nothing to write", given({}), ["repo"], ""],
    [
      "nor where no workflow is among them",
      given({ plan: { changes: { [script]: "new" }, left: {} } }),
      ["repo"],
      "",
    ],
    ["nor where there is no commit", given({ plan, isEmpty: true }), ["repo"], ""],
    [
      "what GitHub refuses is told",
      given({ plan, problem: "no permission" }),
      undefined,
      "nothing was changed: no permission",
    ],
    [
      "a file to overwrite that nobody writes is told",
      given({}, { overwrite: [check, ".github/dependabot.yml"] }),
      undefined,
      "nothing was changed: .github/dependabot.yml is no file that is written; correct tagalong:workflows.overwrite[1]",
    ],
    [
      "one that was written once is none such",
      given({}, { overwrite: [".github/workflows/promote.yml"] }),
      undefined,
      "",
    ],
  ];
  for (const [what, workflows, scopes, message] of cases)
    it(what, () => assert.equal(said(workflows, scopes), message));
});
