// preview.yml: what merging a pull request would do to the environments, in one comment that is kept up to date.
import type { WorkflowsConfig } from "../config";
import { inProject, projectEnv, projectSteps } from "./promote";
import type { Login, Settings } from "./settings";
import { checkout, RUNNER, script, stacks } from "./steps";
import { expression, type Job, type Workflow } from "./syntax";

/** Neither pull requests from forks nor Dependabot's get secrets, and a preview runs the program that they changed. */
const TRUSTED =
  "github.event.pull_request.head.repo.full_name == github.repository && github.event.pull_request.user.login != 'dependabot[bot]'";

export function previewWorkflow(
  config: WorkflowsConfig,
  settings: Settings,
  login: Login | undefined,
): Workflow {
  const { project } = settings;
  return {
    name: "Preview",
    on: {
      pull_request: {
        branches: [config.branch],
        paths: project === "." ? ["**", "!**.md"] : [inProject(project, "**"), "!**.md"],
      },
    },
    concurrency: {
      group: `preview-${expression("github.event.pull_request.number")}`,
      "cancel-in-progress": true,
    },
    jobs: {
      stacks: {
        if: TRUSTED,
        ...stacks({ BASE: expression("github.event.pull_request.base.sha"), SINCE_BRANCHED: "true" }),
      },
      preview: preview(config, settings, login),
      comment: comment(),
      untrusted: untrusted(),
    },
  };
}

function preview(config: WorkflowsConfig, { project }: Settings, login: Login | undefined): Job {
  const page = `${expression("runner.temp")}/page/preview.md`;
  return {
    "//": "Reads the registry and the state, and changes neither.",
    name: expression("matrix.environment"),
    needs: ["stacks"],
    if: "needs.stacks.outputs.environments != '[]'",
    permissions: { contents: "read", packages: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 20,
    strategy: {
      "fail-fast": false,
      matrix: { environment: expression("fromJSON(needs.stacks.outputs.environments || '[]')") },
    },
    steps: [
      ...projectSteps(project, login),
      script("Preview", "preview", {
        env: { ENVIRONMENT: expression("matrix.environment"), PAGE: page, ...projectEnv(config) },
      }),
      {
        // A preview that failed is what the comment is for.
        if: "!cancelled()",
        uses: "actions/upload-artifact",
        with: {
          name: `preview.${expression("matrix.environment")}`,
          path: page,
          overwrite: true,
          "retention-days": 1,
        },
      },
    ],
  };
}

function comment(): Job {
  return {
    "//": "Apart from the job that runs the pull request's program: that one may write nothing.",
    needs: ["stacks", "preview"],
    if: expression("!cancelled() && needs.stacks.result == 'success'"),
    permissions: { contents: "read", "pull-requests": "write" },
    "runs-on": RUNNER,
    "timeout-minutes": 5,
    steps: [
      {
        ...checkout(),
        "//": "The scripts of the branch that is merged into: what a pull request changes gets no token that writes.",
        with: { ...checkout().with, ref: expression("github.event.pull_request.base.sha") },
      },
      {
        if: "needs.stacks.outputs.environments != '[]'",
        uses: "actions/download-artifact",
        with: { pattern: "preview.*", path: `${expression("runner.temp")}/pages` },
      },
      script("Comment", "comment", {
        env: {
          PULL_REQUEST: expression("github.event.pull_request.number"),
          PAGES: `${expression("runner.temp")}/pages`,
          ENVIRONMENTS: expression("needs.stacks.outputs.environments"),
          GITHUB_TOKEN: expression("github.token"),
        },
      }),
    ],
  };
}

function untrusted(): Job {
  return {
    if: `!(${TRUSTED})`,
    permissions: {},
    "runs-on": RUNNER,
    "timeout-minutes": 5,
    steps: [
      {
        name: "Say why there is no preview",
        run: "printf '%s\\n' 'No preview: pull requests from forks and of Dependabot get no secrets. Whoever has looked at the change pushes its commits to a branch of this repository.' | tee -a \"$GITHUB_STEP_SUMMARY\"",
      },
    ],
  };
}
