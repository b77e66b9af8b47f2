/**
 * The schema of the repository's stack: what GitHub is told of the repository. Owner and name are enough; every default
 * is the careful one, and what is left out of the rest stays as it is on GitHub.
 */
import { z } from "zod";
import {
  closed,
  duration,
  flag,
  listOf,
  mapOf,
  note,
  oneOf,
  secretText,
  unless,
  variable,
  whole,
} from "./fields";
import { bypassOf, ENVIRONMENT, reviewerOf, TOPIC, VARIABLE } from "./values";

const owner = unless("a GitHub owner", "write a user or organisation, for example acme");
const repositoryName = unless(
  "a repository's name",
  "write letters, digits, '.', '_' and '-', for example shop",
);
const noTopic = unless("a topic", "write lowercase letters, digits and '-', at most 50");
const noBranch = unless("a branch's name", "write one such as main");
const noPattern = unless("a pattern", "write one such as main or release/*");
const noAction = unless(
  "a pattern of actions",
  "write OWNER/REPOSITORY@*, for example hadolint/hadolint-action@*",
);
const noUrl = unless(
  "an https URL",
  "write where the watcher listens, for example https://watch.acme.example/hook",
);
const noColour = unless("a colour", 'write six hexadecimal digits in quotes, for example "d73a4a"');
const noText = unless("a text on one line", "write at most 350 characters");
const noReviewer = unless("a reviewer", "write a user's login, or team:SLUG");
const noBypass = unless(
  "somebody who may bypass rules",
  "write admin, maintain, write, organization-admin, team:SLUG or app:ID",
);

const pattern = z.string({ error: noPattern }).regex(/^[^\s~^:?[\\]+$/, { error: noPattern });

const actions = closed("what Actions may run", {
  allowed: note(oneOf(["selected", "local", "all"], "a choice of actions").prefault("selected"), {
    description:
      "Actions that workflows may use: `selected` (GitHub's own, those of `tagalong:workflows` and those below), `local` (the owner's) or `all`.",
    example: "all",
  }),
  verified: note(flag().prefault(true), {
    description: "With `selected`: also those of creators that GitHub verified, such as Docker.",
    example: false,
  }),
  patterns: note(
    listOf(
      z.string({ error: noAction }).regex(/^[\w.-]+\/[\w.*/-]+(?:@\S+)?$/, { error: noAction }),
      "patterns of actions",
      "write [hadolint/hadolint-action@*]",
    ).prefault([]),
    { description: "With `selected`: also these.", example: ["hadolint/hadolint-action@*"] },
  ),
  pinned: note(flag().prefault(true), {
    description: "Actions must be pinned by full commit.",
    example: false,
  }),
});

const environment = closed("an environment on GitHub", {
  reviewers: note(
    listOf(
      z.string({ error: noReviewer }).refine((text) => reviewerOf(text) !== undefined, { error: noReviewer }),
      "reviewers",
      "write [ada, team:platform]",
    )
      .max(6, { error: "has more than 6 reviewers, GitHub's limit — name a team instead" })
      .prefault([]),
    {
      description: "Who may approve a job for it: logins, or `team:SLUG`; one of them is enough.",
      example: ["ada", "team:platform"],
    },
  ),
  selfReview: note(flag().prefault(false), {
    description: "Who started the job may approve it.",
    example: true,
  }),
  adminsBypass: note(flag().prefault(false), {
    description: "Administrators may go on without approval.",
    example: true,
  }),
  wait: note(duration("0m", "720h").prefault("0m"), {
    description: "Time that a job waits; whole minutes.",
    example: "10m",
  }),
  branches: note(listOf(pattern, "patterns of branches", "write [main]").optional(), {
    description: "Branches whose jobs may use it.",
    otherwise: "the default branch",
    example: ["main", "release/*"],
  }),
  tags: note(listOf(pattern, "patterns of tags", "write [v*]").prefault([]), {
    description: "Tags whose jobs may use it.",
    example: ["v*"],
  }),
  variables: note(mapOf(variable(), "variables", "write NAME: value").prefault({}), {
    description: "Variables of its jobs.",
    example: { URL: "https://test.acme.example" },
    placeholder: "NAME",
    keys: VARIABLE,
  }),
  secrets: note(
    mapOf(
      secretText(),
      "secrets",
      "set them with pulumi config set --secret --path tagalong:repository.environments.ENVIRONMENT.secrets.NAME",
    ).prefault({}),
    { description: "Secrets of its jobs; encrypted.", placeholder: "NAME", keys: VARIABLE, secret: true },
  ),
});

const label = closed("a label", {
  color: note(z.string({ error: noColour }).regex(/^[0-9a-fA-F]{6}$/, { error: noColour }), {
    description: "Six hexadecimal digits.",
    example: "d73a4a",
  }),
  description: note(z.string({ error: noText }).max(100, { error: noText }).prefault(""), {
    description: "What it is for.",
    otherwise: "none",
    example: "Something is broken",
  }),
});

const webhook = closed("the webhook", {
  url: note(z.string({ error: noUrl }).regex(/^https:\/\/[^/\s@]+(?:\/\S*)?$/, { error: noUrl }), {
    description: "Where the watcher listens.",
    example: "https://watch.acme.example/hook",
  }),
  secret: note(secretText(), {
    description: "What GitHub signs its messages with; encrypted.",
    secret: true,
  }),
});

const packages = closed("the packages", {
  visibility: note(oneOf(["private", "public", "internal"], "a visibility").optional(), {
    description: "What each package on GHCR should be; no API sets it, so a mismatch names the page.",
    otherwise: "the repository's",
    example: "public",
  }),
  firstPush: note(flag().prefault(false), {
    description:
      "`pulumi up` creates a package that is not there yet by pushing an empty artifact, linked to the repository.",
    example: true,
  }),
});

export const repository = closed("the repository", {
  owner: note(z.string({ error: owner }).regex(/^[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}$/, { error: owner }), {
    description: "GitHub user or organisation.",
    example: "acme",
  }),
  name: note(
    z
      .string({ error: repositoryName })
      .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/, { error: repositoryName }),
    { description: "Name of the repository.", example: "shop" },
  ),
  token: note(secretText().optional(), {
    description: "GitHub token of an administrator; encrypted.",
    otherwise: "GITHUB_TOKEN or GH_TOKEN",
    secret: true,
  }),
  ifMissing: note(oneOf(["fail", "skip"], "a choice").prefault("fail"), {
    description:
      "What to do where the plan or the token lacks a feature: `fail` before anything is changed, or `skip` it, named.",
    example: "skip",
  }),
  description: note(
    z
      .string({ error: noText })
      .regex(/^[^\r\n]{0,350}$/, { error: noText })
      .optional(),
    { description: "What stands below its name.", otherwise: "as it is", example: "The shop" },
  ),
  topics: note(
    listOf(z.string({ error: noTopic }).regex(TOPIC, { error: noTopic }), "topics", "write [shop, docker]")
      .max(20, { error: "has more than 20 topics, GitHub's limit — remove some" })
      .optional(),
    { description: "Its topics.", otherwise: "as they are", example: ["shop", "docker"] },
  ),
  visibility: note(oneOf(["private", "public", "internal"], "a visibility").optional(), {
    description: "Who sees it.",
    otherwise: "as it is; a new one is private",
    example: "public",
  }),
  merge: note(
    listOf(oneOf(["squash", "merge", "rebase"], "a way to merge"), "ways to merge", "write [squash]")
      .min(1, { error: "is empty, and GitHub wants one — write [squash]" })
      .prefault(["squash"]),
    { description: "How pull requests are merged.", example: ["squash", "rebase"] },
  ),
  autoMerge: note(flag().prefault(false), {
    description: "Pull requests may merge by themselves when all is green.",
    example: true,
  }),
  deleteBranches: note(flag().prefault(true), {
    description: "A merged pull request's branch is deleted.",
    example: false,
  }),
  vulnerabilityAlerts: note(flag().prefault(true), {
    description: "GitHub warns of dependencies with known vulnerabilities.",
    example: false,
  }),
  secretScanning: note(flag().prefault(true), {
    description: "GitHub looks for secrets, and stops pushes that have some.",
    example: false,
  }),
  defaultBranch: note(
    z
      .string({ error: noBranch })
      .regex(/^[^\s~^:?*[\\]+$/, { error: noBranch })
      .optional(),
    { description: "Its default branch.", otherwise: "as it is; a new one has main", example: "main" },
  ),
  approvals: note(whole("a number of approvals", 0, 10).prefault(0), {
    description: "Approvals that a pull request needs, besides the check `gate`.",
    example: 1,
  }),
  bypass: note(
    listOf(
      z.string({ error: noBypass }).refine((text) => bypassOf(text) !== undefined, { error: noBypass }),
      "those who may bypass the rules",
      "write [admin]",
    ).prefault([]),
    {
      description:
        "Who may bypass the rules of the default branch and of release tags: `admin`, `maintain`, `write`, `organization-admin`, `team:SLUG` or `app:ID`.",
      example: ["organization-admin"],
    },
  ),
  actions: note(actions.prefault({}), { description: "What Actions may run." }),
  workflowPermissions: note(oneOf(["read", "write"], "a permission").prefault("read"), {
    description:
      "What a workflow's token may do that asks for nothing; each job is to ask for what it needs.",
    example: "write",
  }),
  environments: note(mapOf(environment, "environments", "write dev: {…}").prefault({}), {
    description: "GitHub's environments; each environment's stack has one, whether it stands here or not.",
    placeholder: "environment",
    keys: ENVIRONMENT,
  }),
  labels: note(mapOf(label, "labels", 'write bug: {color: "d73a4a"}').prefault({}), {
    description: "Labels of issues; others stay.",
    placeholder: "label",
  }),
  webhook: note(webhook.optional(), {
    description: "Tells a watcher of new images.",
    otherwise: "no webhook",
  }),
  packages: note(packages.prefault({}), { description: "The packages of `images` on GHCR." }),
});
