// check.yml: everything that a pull request must pass. It always runs, and its jobs are filtered instead: a required check
// that never reports would block for ever.
import type { WorkflowsConfig } from "../config";
import type { Login, Settings } from "./settings";
import { checkout, commands, FOLDER, loginSteps, node, notice, RUNNER, registryEnv, script } from "./steps";
import { expression, type Job, type Step, type Workflow } from "./syntax";

const QUALITY = "quality";
const CHECKS = [QUALITY, "unit", "integration"] as const;

export function checkWorkflow(
  config: WorkflowsConfig,
  settings: Settings,
  login: Login | undefined,
): Workflow {
  const checks = checkJobs(config, settings);
  const builds: Record<string, Job> = { changes: changes(), build: build(Object.keys(checks), login) };
  const all = [...Object.keys(checks), ...Object.keys(builds)];
  return {
    name: "Check",
    on: { pull_request: {}, merge_group: {}, push: { branches: [config.branch] } },
    concurrency: {
      group: `check-${expression("github.event.pull_request.number || github.sha")}`,
      "cancel-in-progress": expression("github.event_name == 'pull_request'"),
    },
    jobs: { ...checks, ...builds, gate: gate(all), notice: notice(["gate"], config.notify) },
  };
}

/** The cheapest first. A pull request ends at the first that fails; the default branch shows all that do. */
function checkJobs({ check }: WorkflowsConfig, { images }: Settings): Record<string, Job> {
  const files = [...new Set(Object.values(images).map(({ dockerfile }) => dockerfile))];
  const linted: Step[] = check.hadolint
    ? [
        {
          name: "Dockerfiles",
          run: `${FOLDER}/hadolint.sh ${files.map(quoted).join(" ")}`,
        },
      ]
    : [];
  const jobs: Record<string, Job> = {};
  for (const name of CHECKS) {
    const own = [...(name === QUALITY ? linted : []), ...commands([...setupOf(check, name), ...check[name]])];
    if (own.length === 0) continue;
    const before = Object.keys(jobs);
    const wells = before.map((other) => `needs.${other}.result == 'success'`).join(" && ");
    jobs[name] = {
      ...(before.length > 0 && {
        needs: before,
        if: expression(`!cancelled() && (github.event_name == 'push' || (${wells}))`),
      }),
      permissions: { contents: "read" },
      "runs-on": RUNNER,
      "timeout-minutes": Math.ceil(check.timeout / 60_000),
      steps: [checkout(), ...(check[name].length > 0 ? node(check.node) : []), ...own],
    };
  }
  return jobs;
}

/** A job without commands of its own needs nothing set up. */
const setupOf = (check: WorkflowsConfig["check"], name: (typeof CHECKS)[number]): readonly string[] =>
  check[name].length > 0 ? check.setup : [];

/** One word of a shell's line. What it may hold was checked with the config. */
const quoted = (word: string): string => (/^[\w./@+-]+$/.test(word) ? word : `'${word}'`);

function changes(): Job {
  return {
    "//": "Which images this changes; none on the default branch, where image.yml builds them anyway.",
    permissions: { contents: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 5,
    outputs: {
      builds: expression("steps.changes.outputs.builds"),
      revision: expression("steps.changes.outputs.revision"),
      version: expression("steps.changes.outputs.version"),
      created: expression("steps.changes.outputs.created"),
    },
    steps: [
      checkout("all"),
      script("Which images changed", "changes", {
        id: "changes",
        env: {
          BASE: expression("github.event.pull_request.base.sha || github.event.merge_group.base_sha"),
          NOTHING: expression("github.event_name == 'push'"),
        },
      }),
    ],
  };
}

function build(checks: readonly string[], login: Login | undefined): Job {
  const wells = checks.map((name) => ` && needs.${name}.result == 'success'`).join("");
  // Pulling a base from the images' own registry may take a login, which pull requests from forks do not have.
  const isOwn = "github.event.pull_request.head.repo.fork != true";
  return {
    "//": "Would the images build, on every platform, and stay within their budgets? Nothing is pushed.",
    name: expression("matrix.slug"),
    needs: ["changes", ...checks],
    if: expression(
      `!cancelled() && needs.changes.result == 'success' && needs.changes.outputs.builds != '[]'${wells}`,
    ),
    permissions: { contents: "read", packages: "read" },
    "runs-on": expression("matrix.runner"),
    "timeout-minutes": 60,
    strategy: {
      "fail-fast": true,
      matrix: { include: expression("fromJSON(needs.changes.outputs.builds || '[]')") },
    },
    steps: [
      checkout(),
      ...loginSteps(login).map((step) => ({ if: isOwn, ...step })),
      { uses: "docker/setup-buildx-action" },
      {
        name: "Build",
        uses: "docker/build-push-action",
        with: {
          context: expression("matrix.context"),
          file: expression("matrix.dockerfile"),
          platforms: expression("matrix.platform"),
          "build-args": buildArguments("needs.changes.outputs"),
          outputs: `type=oci,tar=false,dest=${expression("runner.temp")}/layout`,
          provenance: false,
          "cache-from": `type=gha,scope=${expression("matrix.slug")}`,
        },
      },
      script("Is it small enough", "check", {
        env: {
          IMAGE: expression("matrix.image"),
          LAYOUT: `${expression("runner.temp")}/layout`,
          ...registryEnv(login),
        },
      }),
    ],
  };
}

/** What the images are told of themselves; a Dockerfile takes what it declares, and the labels are set in any case. */
export const buildArguments = (outputs: string): string =>
  [
    `VERSION=${expression(`${outputs}.version`)}`,
    `REVISION=${expression(`${outputs}.revision`)}`,
    `CREATED=${expression(`${outputs}.created`)}`,
    `SOURCE=${expression("github.server_url")}/${expression("github.repository")}`,
    "",
  ].join("\n");

function gate(needs: readonly string[]): Job {
  return {
    "//": "The one check that the default branch requires. What was skipped had nothing to do.",
    needs,
    if: "always()",
    permissions: { contents: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 5,
    steps: [checkout(), script("All is well", "gate", { env: { NEEDS: expression("toJSON(needs)") } })],
  };
}
