/**
 * The schema of `tagalong:workflows`: what the managed repository's CI builds, checks and releases. It stands in
 * Pulumi.repository.yaml; every key has a default, so that a repository with one folder an image needs none.
 */
import { z } from "zod";
import { closed, duration, flag, judged, listOf, mapOf, memory, note, unless } from "./fields";
import { ENVIRONMENT, LABEL, tagProblem } from "./values";
import {
  branchProblem,
  commandProblem,
  overwriteProblem,
  pathProblem,
  platformProblem,
} from "./workflowValues";

/** A path within the repository. */
const path = (what: string, example: string) =>
  judged(pathProblem, unless(what, `write one relative to the repository's root, for example ${example}`));

const platform = judged(platformProblem, unless("a platform", "write one such as linux/amd64"));
const platforms = listOf(platform, "platforms", "write platforms such as linux/amd64").refine(
  (list) => list.length > 0,
  { error: "is empty — name at least one platform, or remove the key" },
);

const pattern = judged(
  (text) => pathProblem(text.replace(/^!/, "")),
  unless("a path", 'write a folder, a file or a pattern with *, "!" before what does not count'),
);

const command = judged(commandProblem, unless("a command", "write one line of shell, for example npm test"));
const commands = (description: string, example: string) =>
  note(listOf(command, "commands", `write lines of shell, for example - ${example}`).prefault([]), {
    description,
    example: [example],
  });

const noSecret = unless("a secret's name", "write capital letters, digits and _, for example CHAT_WEBHOOK");
const actionsName = z.string({ error: noSecret }).regex(/^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/, { error: noSecret });

const built = closed("how an image is built", {
  context: note(path("a folder", "server").prefault("."), {
    description: "Folder that the build sees, from the repository's root.",
    example: "server",
  }),
  dockerfile: note(path("a file", "server/Dockerfile").optional(), {
    description: "Its Dockerfile, from the repository's root.",
    otherwise: "`<image>/Dockerfile`",
    example: "server/Dockerfile",
  }),
  paths: note(
    listOf(pattern, "paths", "write folders, files and patterns, for example - server").optional(),
    {
      description:
        "What the image is made of: a change of anything else does not build it. Git's path patterns; `!` before what does not count.",
      otherwise:
        "the context without other images' folders, `docs`, `.github`, Markdown, stack files and this project's folder",
      example: ["server", "shared"],
    },
  ),
  platforms: note(platforms.optional(), {
    description: "Platforms of this image.",
    otherwise: "`workflows.platforms`",
    example: ["linux/amd64"],
  }),
  budget: note(memory("an image's size", 1).optional(), {
    description:
      "Compressed size that no platform of it may exceed; a larger one fails the build, with the layer that grew.",
    otherwise: "no limit",
    example: "120M",
  }),
});

const check = closed("the checks", {
  node: note(
    z
      .string({ error: unless("a version of Node.js", 'write one in quotes, for example "24"') })
      .regex(/^\d+(?:\.\d+){0,2}$/, {
        error: unless("a version of Node.js", 'write one in quotes, for example "24"'),
      })
      .optional(),
    {
      description: "Version of Node.js that the commands get.",
      otherwise: "whichever the runner has",
      example: "24",
    },
  ),
  setup: commands("Commands that come first in each job.", "npm ci"),
  quality: commands("Commands of the job `quality`: formatting, lint, types.", "npm run lint"),
  unit: commands("Commands of the job `unit`.", "npm test"),
  integration: commands("Commands of the job `integration`.", "npm run test:integration"),
  hadolint: note(flag().prefault(true), {
    description: "Check the Dockerfiles by hadolint in the job `quality`.",
    example: false,
  }),
  timeout: note(duration("1m", "6h").prefault("20m"), {
    description: "Time that a job may take.",
    example: "40m",
  }),
});

const login = closed("the registry's login", {
  username: note(actionsName, {
    description: "Name of the repository's Actions variable that holds the user.",
    example: "REGISTRY_USER",
  }),
  password: note(actionsName, {
    description: "Name of the repository's Actions secret that holds the password.",
    example: "REGISTRY_PASSWORD",
  }),
});

const documentation = closed("the documentation", {
  run: note(
    listOf(command, "commands", "write lines of shell, for example - npm run docs").refine(
      (list) => list.length > 0,
      {
        error: "is empty — write at least one command, or remove workflows.documentation",
      },
    ),
    { description: "Commands that build it, after a release.", example: ["npm ci", "npm run docs"] },
  ),
  folder: note(path("a folder", "site").optional(), {
    description: "Folder that is kept as an artifact of the run.",
    otherwise: "nothing is kept",
    example: "site",
  }),
});

const environment = z
  .string({ error: unless("an environment", "write the name of its stack, for example dev") })
  .regex(ENVIRONMENT, { error: unless("an environment", "write the name of its stack, for example dev") });

const runner = z
  .string({ error: unless("a runner", "write its label, for example ubuntu-24.04") })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, {
    error: unless("a runner", "write its label, for example ubuntu-24.04"),
  });

/** `tagalong:workflows`. */
export const workflows = closed("the workflows", {
  branch: note(
    judged(branchProblem, unless("a branch", "write the default branch, for example main")).prefault("main"),
    {
      description: "Default branch of the repository.",
      example: "trunk",
    },
  ),
  platforms: note(platforms.prefault(["linux/amd64", "linux/arm64"]), {
    description: "Platforms of the images, each built on a runner of its own kind.",
    example: ["linux/amd64"],
  }),
  runners: note(mapOf(runner, "runners", "write platform: label of a runner").prefault({}), {
    description: "Runner by platform.",
    otherwise: "GitHub's for `linux/amd64`, `linux/386` and `linux/arm64`",
    placeholder: "platform",
    example: { "linux/arm64": "our-arm" },
  }),
  images: note(mapOf(built, "images", "write name: {dockerfile: …}").prefault({}), {
    description: "How images are built, by their names in `tagalong:images`.",
    placeholder: "image",
    keys: LABEL,
  }),
  environments: note(
    listOf(environment, "environments", "write names of stacks, the first first").prefault([]),
    {
      description:
        "Environments in the order of promotion: the first follows the default branch, each is promoted to behind its GitHub environment.",
      example: ["dev", "test"],
    },
  ),
  tag: note(judged(tagProblem, unless("a tag", "write a moving tag, for example dev")).optional(), {
    description: "Tag that a build of the default branch moves.",
    otherwise: "the first environment's name",
    example: "dev",
  }),
  wait: note(duration("1m", "2h").optional(), {
    description: "How long a build waits for the first environment's deployment to report.",
    otherwise: "it ends when the tags have moved",
    example: "10m",
  }),
  attest: note(flag().prefault(true), {
    description:
      "Attest the provenance of images with GitHub; a private repository needs GitHub Enterprise Cloud for it.",
    example: false,
  }),
  login: note(login.optional(), {
    description: "Login of a registry other than ghcr.io.",
    otherwise: "`GITHUB_TOKEN` for ghcr.io, none elsewhere",
  }),
  check: note(check.prefault({}), { description: "What `check.yml` runs." }),
  notify: note(actionsName.optional(), {
    description: "Name of the Actions secret that holds a chat's webhook, told of failures.",
    otherwise: "the summary of the run alone",
    example: "CHAT_WEBHOOK",
  }),
  documentation: note(documentation.optional(), {
    description: "A job that builds documentation after a release.",
    otherwise: "no such job",
  }),
  secrets: note(
    listOf(actionsName, "names", "write names of Actions secrets").prefault([
      "PULUMI_ACCESS_TOKEN",
      "PULUMI_CONFIG_PASSPHRASE",
    ]),
    {
      description:
        "Actions secrets by which `promote.yml` and `preview.yml` reach the state and decrypt the config.",
      example: ["PULUMI_CONFIG_PASSPHRASE", "AWS_SECRET_ACCESS_KEY"],
    },
  ),
  variables: note(
    listOf(actionsName, "names", "write names of Actions variables").prefault(["PULUMI_BACKEND_URL"]),
    {
      description: "Actions variables for the same.",
      example: ["PULUMI_BACKEND_URL", "AWS_REGION"],
    },
  ),
  project: note(path("a folder", "deploy").prefault("tagalong"), {
    description: "Folder of this project within the repository, `.` where it is all of it.",
    example: "deploy",
  }),
  overwrite: note(
    listOf(
      judged(overwriteProblem, unless("a file's path", "write one such as .github/workflows/release.yml")),
      "paths",
      "write paths of files, for example - .github/workflows/release.yml",
    ).prefault([]),
    {
      description:
        "Files that `pulumi up` overwrites, or removes, although they are somebody else's or were edited by hand.",
      example: [".github/workflows/release.yml"],
    },
  ),
  renovate: note(flag().prefault(true), {
    description: "Write `.github/renovate.json`, by which Renovate keeps base images up to date.",
    example: false,
  }),
});
