// image.yml: from a commit of the default branch to tags that have moved. Each platform is built on a runner of its own
// kind and pushed by digest; nothing that anybody follows changes before the last job, which moves all tags together.
import type { WorkflowsConfig } from "../config";
import { buildArguments } from "./check";
import type { Login, Settings } from "./settings";
import { checkout, loginSteps, notice, RUNNER, registryEnv, script } from "./steps";
import { expression, type Job, type Permissions, type Workflow } from "./syntax";

/** What a caller must grant: of a called workflow no job gets more than that. */
export const imagePermissions = ({ attest }: WorkflowsConfig): Permissions => ({
  actions: "read",
  contents: "read",
  packages: "write",
  ...(attest && { attestations: "write", "id-token": "write" }),
});

/** Names of the secrets that a caller passes on. */
export const imageSecrets = (login: Login | undefined): string[] => (login?.secret ? [login.secret] : []);

export function imageWorkflow(
  config: WorkflowsConfig,
  settings: Settings,
  login: Login | undefined,
): Workflow {
  const passed = imageSecrets(login);
  // A called workflow knows no secret that it does not declare; its caller tells of failures itself.
  const declared = {
    ...Object.fromEntries(passed.map((name) => [name, { required: true }])),
    ...(config.notify !== undefined && { [config.notify]: { required: false } }),
  };
  const follower = config.wait === undefined ? undefined : settings.environments[0];
  const jobs: Record<string, Job> = {
    changes: changes(login),
    access: access(login),
    build: build(login),
    merge: merge(config, login),
    move: move(login),
    ...(follower !== undefined && { deployed: deployed(follower, config.wait ?? 0) }),
  };
  return {
    name: "Image",
    on: {
      push: { branches: [config.branch] },
      workflow_call: {
        inputs: {
          release: {
            description: "Build for a release: without caches, and without moving what environments follow.",
            type: "boolean",
            default: false,
          },
        },
        ...(Object.keys(declared).length > 0 && { secrets: declared }),
      },
    },
    // A build that has begun is finished: what it pushed would otherwise be found by nobody.
    concurrency: { group: `image-${expression("github.ref")}`, "cancel-in-progress": false },
    jobs: {
      ...jobs,
      notice: notice(Object.keys(jobs), config.notify, expression("failure() && !inputs.release")),
    },
  };
}

const OUTPUTS = ["images", "builds", "kept", "revision", "version", "created"] as const;

function changes(login: Login | undefined): Job {
  return {
    "//": "Which images differ from the last that the registry has of this history.",
    permissions: { contents: "read", packages: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 10,
    outputs: Object.fromEntries(OUTPUTS.map((name) => [name, expression(`steps.changes.outputs.${name}`)])),
    steps: [
      checkout("all"),
      script("Which images changed", "changes", { id: "changes", env: registryEnv(login) }),
    ],
  };
}

function access(login: Login | undefined): Job {
  return {
    "//": "Opens and cancels an upload to each package: after the build is too late to learn that it may not be pushed.",
    permissions: { contents: "read", packages: "write" },
    "runs-on": RUNNER,
    "timeout-minutes": 5,
    steps: [checkout(), script("May the images be pushed", "access", { env: registryEnv(login) })],
  };
}

const anyBuilt = "needs.changes.outputs.builds != '[]'";

function build(login: Login | undefined): Job {
  const cache = (text: string) =>
    expression(`!inputs.release && format('type=gha,${text}scope={0}', matrix.slug) || ''`);
  return {
    name: expression("matrix.slug"),
    needs: ["changes", "access"],
    if: anyBuilt,
    permissions: { contents: "read", packages: "write" },
    "runs-on": expression("matrix.runner"),
    "timeout-minutes": 60,
    strategy: {
      "fail-fast": true,
      matrix: { include: expression("fromJSON(needs.changes.outputs.builds || '[]')") },
    },
    steps: [
      checkout(),
      ...loginSteps(login),
      { uses: "docker/setup-buildx-action" },
      {
        name: "Build and push by digest",
        id: "build",
        uses: "docker/build-push-action",
        with: {
          context: expression("matrix.context"),
          file: expression("matrix.dockerfile"),
          platforms: expression("matrix.platform"),
          "build-args": buildArguments("needs.changes.outputs"),
          labels: labels,
          outputs: `type=image,name=${expression("matrix.repository")},push-by-digest=true,name-canonical=true,push=true`,
          provenance: "mode=max",
          sbom: true,
          "cache-from": cache(""),
          "cache-to": cache("mode=max,"),
        },
      },
      {
        name: "Note the digest",
        run: 'mkdir -p "$RUNNER_TEMP/digest"\nprintf \'%s\\n\' "$DIGEST" >"$RUNNER_TEMP/digest/digest"\n',
        env: { DIGEST: expression("steps.build.outputs.digest") },
      },
      {
        uses: "actions/upload-artifact",
        with: {
          name: `digest.${expression("matrix.slug")}`,
          path: `${expression("runner.temp")}/digest`,
          "if-no-files-found": "error",
          overwrite: true,
          "retention-days": 1,
        },
      },
    ],
  };
}

/** The link to the repository, by which GHCR knows whose package it is, and what the images say of themselves. */
const labels = [
  `org.opencontainers.image.source=${expression("github.server_url")}/${expression("github.repository")}`,
  `org.opencontainers.image.revision=${expression("needs.changes.outputs.revision")}`,
  `org.opencontainers.image.version=${expression("needs.changes.outputs.version")}`,
  `org.opencontainers.image.created=${expression("needs.changes.outputs.created")}`,
  "",
].join("\n");

function merge({ attest }: WorkflowsConfig, login: Login | undefined): Job {
  return {
    "//": "One index of all platforms, held to the image's budget; still without a tag.",
    name: `merge ${expression("matrix.image")}`,
    needs: ["changes", "build"],
    permissions: {
      contents: "read",
      packages: "write",
      ...(attest && { attestations: "write", "id-token": "write" }),
    },
    "runs-on": RUNNER,
    "timeout-minutes": 15,
    strategy: { matrix: { image: expression("fromJSON(needs.changes.outputs.images || '[]')") } },
    steps: [
      checkout("all"),
      {
        uses: "actions/download-artifact",
        with: {
          pattern: `digest.${expression("matrix.image")}.*`,
          path: `${expression("runner.temp")}/digests`,
        },
      },
      script("Merge the platforms", "merge", {
        id: "merge",
        env: {
          IMAGE: expression("matrix.image"),
          DIGESTS: `${expression("runner.temp")}/digests`,
          REVISION: expression("needs.changes.outputs.revision"),
          VERSION: expression("needs.changes.outputs.version"),
          ...registryEnv(login),
        },
      }),
      ...(attest
        ? [
            ...loginSteps(login),
            {
              name: "Attest where it comes from",
              uses: "actions/attest-build-provenance" as const,
              with: {
                "subject-name": expression("steps.merge.outputs.repository"),
                "subject-digest": expression("steps.merge.outputs.digest"),
                "push-to-registry": true,
              },
            },
          ]
        : []),
      {
        name: "Note the digest",
        run: 'mkdir -p "$RUNNER_TEMP/index"\nprintf \'%s\\n\' "$DIGEST" >"$RUNNER_TEMP/index/digest"\n',
        env: { DIGEST: expression("steps.merge.outputs.digest") },
      },
      {
        uses: "actions/upload-artifact",
        with: {
          name: `index.${expression("matrix.image")}`,
          path: `${expression("runner.temp")}/index`,
          "if-no-files-found": "error",
          overwrite: true,
          "retention-days": 1,
        },
      },
    ],
  };
}

function move(login: Login | undefined): Job {
  return {
    "//": "The tags of all images, in one step, whichever were built. From here on the watcher takes over.",
    needs: ["changes", "access", "build", "merge"],
    if: expression("!failure() && !cancelled()"),
    permissions: { contents: "read", packages: "write" },
    "runs-on": RUNNER,
    "timeout-minutes": 10,
    outputs: { rolls: expression("steps.move.outputs.rolls") },
    steps: [
      checkout("all"),
      {
        if: anyBuilt,
        uses: "actions/download-artifact",
        with: { pattern: "index.*", path: `${expression("runner.temp")}/built` },
      },
      script("Move the tags", "move", {
        id: "move",
        env: {
          BUILT: `${expression("runner.temp")}/built`,
          KEPT: expression("needs.changes.outputs.kept"),
          MOVE: expression("inputs.release && 'false' || 'true'"),
          GITHUB_TOKEN: expression("github.token"),
          ...registryEnv(login),
        },
      }),
    ],
  };
}

function deployed(environment: string, milliseconds: number): Job {
  const seconds = Math.ceil(milliseconds / 1000);
  return {
    "//": `Waits for the watcher of ${environment} to report what became of it.`,
    needs: ["changes", "move"],
    if: expression("!failure() && !cancelled() && needs.move.outputs.rolls == 'true'"),
    permissions: { contents: "read", deployments: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": Math.ceil(seconds / 60) + 5,
    steps: [
      checkout(),
      script(`Wait for ${environment}`, "deployed", {
        env: {
          ENVIRONMENT: environment,
          REVISION: expression("needs.changes.outputs.revision"),
          SECONDS_TO_WAIT: String(seconds),
          GITHUB_TOKEN: expression("github.token"),
        },
      }),
    ],
  };
}
