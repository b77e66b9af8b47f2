import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { type RepositoryConfig, validateConfig } from "../../../config";
import type { ConfigFacts } from "../../../config/validate";
import { bypassOf, reviewerOf } from "../../../config/values";
import { mistakes as mistakesIn } from "./given";

const images = { server: { repository: "ghcr.io/acme/shop/server" } };
const least = { owner: "acme", name: "shop" };

function repository(values: object = {}): RepositoryConfig["repository"] {
  const config = validateConfig({ images, repository: { ...least, ...values } }, { stack: "repository" });
  assert.ok(config.kind === "repository");
  return config.repository;
}

const mistakes = (values: object, facts: Partial<ConfigFacts> = {}) =>
  mistakesIn(
    { repository: { ...least, ...values }, services: undefined },
    { stack: "repository", ...facts },
  ).filter((line) => !line.startsWith("tagalong:services"));

describe("The repository's settings", () => {
  it("are the careful ones where nothing is written but owner and name", () => {
    assert.deepEqual(repository(), {
      ...least,
      ifMissing: "fail",
      merge: ["squash"],
      autoMerge: false,
      deleteBranches: true,
      vulnerabilityAlerts: true,
      secretScanning: true,
      approvals: 0,
      bypass: [],
      actions: { allowed: "selected", verified: true, patterns: [], pinned: true },
      workflowPermissions: "read",
      environments: {},
      labels: {},
      packages: { firstPush: false },
    });
  });

  it("of an environment are the careful ones as well", () => {
    assert.deepEqual(repository({ environments: { dev: {} } }).environments["dev"], {
      reviewers: [],
      selfReview: false,
      adminsBypass: false,
      wait: 0,
      tags: [],
      variables: {},
      secrets: {},
    });
  });

  it("keep their secrets secret", async () => {
    const given = repository({
      token: "t1",
      webhook: { url: "https://a.example", secret: "t2" },
      environments: { dev: { secrets: { KEY: "t3" } } },
    });
    const outputs = [given.token, given.webhook?.secret, given.environments["dev"]?.secrets["KEY"]];
    for (const output of outputs) {
      assert.ok(pulumi.Output.isInstance(output));
      assert.equal(await pulumi.isSecret(output), true);
    }
  });

  const refused: [object, string][] = [
    [{ visibilty: "public" }, "visibilty: unknown key — did you mean visibility?"],
    [
      { visibility: "open" },
      'visibility: "open" is not a visibility — write "private", "public" or "internal"',
    ],
    [{ merge: [] }, "merge: is empty, and GitHub wants one — write [squash]"],
    [{ merge: ["fast"] }, 'merge[0]: "fast" is not a way to merge — write "squash", "merge" or "rebase"'],
    [
      { topics: ["Shop"] },
      "topics[0]: \"Shop\" is not a topic — write lowercase letters, digits and '-', at most 50",
    ],
    [
      { workflowPermissions: "admin" },
      'workflowPermissions: "admin" is not a permission — write "read" or "write"',
    ],
    [{ ifMissing: "warn" }, 'ifMissing: "warn" is not a choice — write "fail" or "skip"'],
    [
      { approvals: 11 },
      "approvals: 11 is not a number of approvals — write a whole number, 0 to 10, without quotes",
    ],
    [
      { bypass: ["ada"] },
      'bypass[0]: "ada" is not somebody who may bypass rules — write admin, maintain, write, organization-admin, team:SLUG or app:ID',
    ],
    [
      { actions: { allowed: "all", patterns: ["a/b@*"] } },
      'actions.patterns: means nothing where "all" actions are allowed — write allowed: selected, or remove it',
    ],
    [
      { actions: { patterns: ["hadolint"] } },
      'actions.patterns[0]: "hadolint" is not a pattern of actions — write OWNER/REPOSITORY@*, for example hadolint/hadolint-action@*',
    ],
    [
      { environments: { dev: { reviewers: ["team:Ops!"] } } },
      'environments.dev.reviewers[0]: "team:Ops!" is not a reviewer — write a user\'s login, or team:SLUG',
    ],
    [
      { environments: { dev: { reviewers: ["a", "b", "c", "d", "e", "f", "g"] } } },
      "environments.dev.reviewers: has more than 6 reviewers, GitHub's limit — name a team instead",
    ],
    [
      { environments: { dev: { wait: "90s" } } },
      'environments.dev.wait: "90s" is no whole minutes, as GitHub counts — write 1m or more',
    ],
    [
      { environments: { dev: { variables: { GITHUB_URL: "x" } } } },
      "environments.dev.variables.GITHUB_URL: begins with GITHUB_, which GitHub keeps for itself — rename it",
    ],
    [
      { environments: { dev: { variables: { A: "x" }, secrets: { A: "y" } } } },
      "environments.dev.secrets.A: is also a variable of this environment — remove one of them",
    ],
    [
      { labels: { bug: { color: "#d73a4a" } } },
      'labels.bug.color: "#d73a4a" is not a colour — write six hexadecimal digits in quotes, for example "d73a4a"',
    ],
    [
      { webhook: { url: "http://a.example", secret: "x" } },
      'webhook.url: "http://a.example" is not an https URL — write where the watcher listens, for example https://watch.acme.example/hook',
    ],
  ];
  for (const [values, line] of refused) {
    it(`are refused: ${line}`, () => assert.deepEqual(mistakes(values), [`tagalong:repository.${line}`]));
  }

  it("know the project's environments", () => {
    assert.deepEqual(mistakes({ environments: { tets: {} } }, { environments: ["dev", "test"] }), [
      "tagalong:repository.environments.tets: is no environment of this project — did you mean test?; each environment has a file Pulumi.<stack>.yaml",
    ]);
  });

  it("have no secret in plain text", () => {
    const values = {
      token: "x",
      webhook: { url: "https://a.example", secret: "y" },
      environments: { dev: { secrets: { K: "z" } } },
    };
    const path = (one: string) => `tagalong:repository.${one}`;
    assert.deepEqual(
      mistakes(values, { isEncrypted: () => false }),
      ["environments.dev.secrets.K", "token", "webhook.secret"].map(
        (one) =>
          `${path(one)}: is not encrypted — replace it: pulumi config set --stack repository --secret --path ${path(one)}`,
      ),
    );
  });

  it("have none where everybody reads it", () => {
    assert.deepEqual(
      mistakes({ description: "x" }, { isEncrypted: (path) => path.at(-1) === "description" }),
      [
        "tagalong:repository.description: is encrypted, and would not stay secret on GitHub — set it without --secret",
      ],
    );
  });
});

describe("Whoever is named", () => {
  it("as a reviewer is a user or a team", () => {
    assert.deepEqual(reviewerOf("ada"), { kind: "user", name: "ada" });
    assert.deepEqual(reviewerOf("team:platform"), { kind: "team", name: "platform" });
    assert.equal(reviewerOf("-ada"), undefined);
  });

  it("as one who may bypass rules is a role, a team or an app", () => {
    assert.deepEqual(bypassOf("admin"), { kind: "role", id: 5 });
    assert.deepEqual(bypassOf("organization-admin"), { kind: "organization-admin" });
    assert.deepEqual(bypassOf("app:42"), { kind: "app", id: 42 });
    assert.equal(bypassOf("app:0"), undefined);
  });
});
