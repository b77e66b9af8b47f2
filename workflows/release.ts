// release.yml: from an annotated tag to a release. What was built and tested gets the version's tags; nothing is built
// again that is there.
import type { WorkflowsConfig } from "../config";
import { imagePermissions, imageSecrets } from "./image";
import type { Login } from "./settings";
import { checkout, commands, FOLDER, node, notice, RUNNER, registryEnv, script } from "./steps";
import { expression, type Job, type Workflow } from "./syntax";

const tag = expression("github.ref_name");

export function releaseWorkflow(config: WorkflowsConfig, login: Login | undefined): Workflow {
  const passed = imageSecrets(login);
  const jobs: Record<string, Job> = {
    check: check(login),
    build: {
      "//": "Only where an image of this commit is missing.",
      needs: ["check"],
      if: "needs.check.outputs.absent != '[]'",
      permissions: { ...imagePermissions(config), ...(config.wait !== undefined && { deployments: "read" }) },
      uses: "./.github/workflows/image.yml",
      with: { release: true },
      ...(passed.length > 0 && {
        secrets: Object.fromEntries(passed.map((name) => [name, expression(`secrets.${name}`)])),
      }),
    },
    tag: tagJob(login),
    changelog: changelog(),
    publish: publish(config),
    ...(config.documentation !== undefined && {
      documentation: documentation(config, config.documentation),
    }),
  };
  return {
    name: "Release",
    on: { push: { tags: ["v*"] } },
    // One after the other: the highest version decides what `latest` is.
    concurrency: { group: "release", "cancel-in-progress": false },
    jobs: { ...jobs, notice: notice(Object.keys(jobs), config.notify) },
  };
}

function check(login: Login | undefined): Job {
  return {
    "//": "Annotated, a version, and on the default branch; or there is no release.",
    permissions: { contents: "read", packages: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 10,
    outputs: { absent: expression("steps.check.outputs.absent") },
    steps: [
      checkout("all"),
      script("May this be released", "release", {
        id: "check",
        env: { STEP: "check", TAG: tag, GITHUB_TOKEN: expression("github.token"), ...registryEnv(login) },
      }),
    ],
  };
}

function tagJob(login: Login | undefined): Job {
  return {
    "//": "The version's tags, on all images or none.",
    needs: ["check", "build"],
    if: expression("!failure() && !cancelled()"),
    permissions: { contents: "read", packages: "write" },
    "runs-on": RUNNER,
    "timeout-minutes": 10,
    outputs: { images: expression("steps.tag.outputs.images") },
    steps: [
      checkout("all"),
      script("Tag the images", "release", {
        id: "tag",
        env: { STEP: "tag", TAG: tag, GITHUB_TOKEN: expression("github.token"), ...registryEnv(login) },
      }),
    ],
  };
}

function changelog(): Job {
  return {
    "//": "Apart from the job that may write releases: nobody else's program runs there.",
    needs: ["check"],
    permissions: { contents: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 10,
    steps: [
      checkout("all"),
      {
        uses: "orhun/git-cliff-action",
        with: { version: "v2.14.2", config: `${FOLDER}/cliff.toml`, args: "--current --strip all" },
        env: { OUTPUT: "changelog/CHANGELOG.md" },
      },
      {
        uses: "actions/upload-artifact",
        with: { name: "changelog", path: "changelog", overwrite: true, "retention-days": 1 },
      },
    ],
  };
}

function publish({ attest }: WorkflowsConfig): Job {
  return {
    "//": "Drafted, completed, then published.",
    needs: ["tag", "changelog"],
    if: expression("!failure() && !cancelled()"),
    permissions: { contents: "write" },
    "runs-on": RUNNER,
    "timeout-minutes": 10,
    steps: [
      checkout("all"),
      {
        uses: "actions/download-artifact",
        with: { name: "changelog", path: `${expression("runner.temp")}/changelog` },
      },
      script("Publish the release", "publish", {
        env: {
          TAG: tag,
          IMAGES: expression("needs.tag.outputs.images"),
          CHANGELOG: `${expression("runner.temp")}/changelog/CHANGELOG.md`,
          ATTESTED: String(attest),
          GITHUB_TOKEN: expression("github.token"),
        },
      }),
    ],
  };
}

function documentation(
  { check }: WorkflowsConfig,
  { run, folder }: NonNullable<WorkflowsConfig["documentation"]>,
): Job {
  return {
    needs: ["publish"],
    if: expression("!failure() && !cancelled()"),
    permissions: { contents: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 30,
    steps: [
      checkout(),
      ...node(check.node),
      ...commands(run),
      ...(folder === undefined
        ? []
        : [
            {
              uses: "actions/upload-artifact" as const,
              with: { name: "documentation", path: folder, "if-no-files-found": "error", overwrite: true },
            },
          ]),
    ],
  };
}
