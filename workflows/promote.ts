// promote.yml: a merged edit of a stack's file moves that environment's tag, once whoever guards its GitHub environment
// has said yes. It has the registry and the state; its own watcher rolls the environment.
import type { WorkflowsConfig } from "../config";
import type { Login, Settings } from "./settings";
import { checkout, loginSteps, node, notice, RUNNER, stacks } from "./steps";
import { expression, type Job, type Step, type Workflow } from "./syntax";

/** Node.js of the Tagalong project itself, which has no say in the managed repository's. */
const NODE = "24";

export function promoteWorkflow(
  config: WorkflowsConfig,
  settings: Settings,
  login: Login | undefined,
): Workflow {
  const { environments, project } = settings;
  const jobs: Record<string, Job> = {
    stacks: {
      "//": "Nobody is asked to approve an environment that did not change.",
      ...stacks({ BASE: expression("github.event.before") }),
    },
  };
  environments.forEach((environment, index) => {
    jobs[`promote-${index + 1}`] = promote(environment, index, settings, config, login);
  });
  return {
    name: "Promote",
    on: {
      push: {
        branches: [config.branch],
        paths: environments.map((name) => `${inProject(project, `Pulumi.${name}.yaml`)}`),
      },
    },
    // An approval may take days: what waits for one must not be passed over for what comes later in another environment.
    concurrency: { group: `promote-${expression("github.sha")}`, "cancel-in-progress": false },
    jobs: { ...jobs, notice: notice(Object.keys(jobs), config.notify) },
  };
}

/** A path of the project, from the repository's root. */
export const inProject = (project: string, path: string): string =>
  project === "." ? path : `${project}/${path}`;

function promote(
  environment: string,
  index: number,
  { project }: Settings,
  config: WorkflowsConfig,
  login: Login | undefined,
): Job {
  const before = index === 0 ? [] : [`promote-${index}`];
  return {
    name: environment,
    needs: ["stacks", ...before],
    if: expression(
      `!failure() && !cancelled() && contains(fromJSON(needs.stacks.outputs.environments), '${environment}')`,
    ),
    environment,
    permissions: { contents: "read", packages: "write" },
    "runs-on": RUNNER,
    "timeout-minutes": 30,
    concurrency: { group: `promote-to-${environment}`, "cancel-in-progress": false },
    steps: [
      ...projectSteps(project, login),
      {
        name: `Move the tag of ${environment}`,
        run: "npx --no-install pulumi up --stack \"$STACK\" --yes --skip-preview --non-interactive --target '**EnvironmentTag**'",
        "working-directory": project,
        env: { STACK: environment, ...projectEnv(config) },
      },
    ],
  };
}

/** The project, as its own lock file has it. */
export const projectSteps = (project: string, login: Login | undefined): Step[] => [
  checkout("all"),
  ...node(NODE),
  ...loginSteps(login),
  { name: "Install the project", run: "npm ci", "working-directory": project },
];

/** How the project reaches its state and decrypts its config. */
export const projectEnv = ({ secrets, variables }: WorkflowsConfig): Record<string, string> => ({
  ...Object.fromEntries(variables.map((name) => [name, expression(`vars.${name}`)])),
  ...Object.fromEntries(secrets.map((name) => [name, expression(`secrets.${name}`)])),
  GITHUB_TOKEN: expression("github.token"),
});
