import assert from "node:assert/strict";
import { ConfigError, validateConfig } from "../../../config";
import { repository } from "../workflows/given";

const images = {
  server: { repository: "ghcr.io/acme/shop/server" },
  client: { repository: "ghcr.io/acme/shop/client" },
};

/** The lines that a user sees for these workflows. */
function mistakes(workflows: unknown, more: Record<string, unknown> = {}): string[] {
  try {
    const raw = { images, repository: { owner: "acme", name: "shop" }, workflows, ...more };
    validateConfig(raw, { stack: "repository" });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, text }) => `${path.slice(1).join(".")}: ${text}`);
  }
}

/** What is written, and the exact lines that a user sees. */
const table: readonly (readonly [title: string, workflows: unknown, lines: readonly string[]])[] = [
  ["no workflows at all", undefined, []],
  ["an unknown key", { platform: [] }, ["platform: unknown key — did you mean platforms?"]],
  [
    "a platform without its system",
    { platforms: ["amd64"] },
    ['platforms.0: "amd64" has no system — write linux/amd64'],
  ],
  [
    "a platform that is none",
    { platforms: ["Linux/AMD64"] },
    ['platforms.0: "Linux/AMD64" is not a platform — write one such as linux/amd64 or linux/arm/v7'],
  ],
  ["no platform", { platforms: [] }, ["platforms: is empty — name at least one platform, or remove the key"]],
  [
    "a platform twice",
    { platforms: ["linux/amd64", "linux/amd64"] },
    ['platforms.1: "linux/amd64" is listed twice — remove one'],
  ],
  [
    "a platform that GitHub has no runner for",
    { images: { server: { platforms: ["linux/s390x"] } } },
    [
      'images.server.platforms.0: GitHub has no runner for linux/s390x, and emulation takes many times as long — name one in tagalong:workflows.runners["linux/s390x"]',
    ],
  ],
  [
    "a platform with a runner of one's own",
    { platforms: ["linux/s390x"], runners: { "linux/s390x": "our-mainframe" } },
    [],
  ],
  [
    "an image that is not there",
    { images: { servr: {} } },
    ["images.servr: is not in tagalong:images — did you mean server?"],
  ],
  [
    "a path out of the repository",
    { images: { server: { context: "../other" } } },
    ['images.server.context: "../other" leads out of the repository — leave ".." out'],
  ],
  [
    "an absolute path",
    { images: { server: { dockerfile: "/Dockerfile" } } },
    ['images.server.dockerfile: "/Dockerfile" is absolute — write it relative to the repository\'s root'],
  ],
  [
    "a path that would be an option",
    { images: { server: { paths: ["!--output=x"] } } },
    [
      'images.server.paths.0: "--output=x" is not a path — use letters, digits and . _ @ + ~ - /, with * or ? for any',
    ],
  ],
  [
    "a budget that is no size",
    { images: { server: { budget: "small" } } },
    [
      'images.server.budget: "small" is not an image\'s size — write at least 1Mi, with Ki, Mi, Gi, K, M or G after the number',
    ],
  ],
  [
    "a command with an expression",
    { check: { unit: [`echo $${"{{ github.head_ref }}"}`] } },
    [
      `check.unit.0: "echo $${"{{ github.head_ref }}"}" has an expression that GitHub pastes into the shell — read a variable of the environment there`,
    ],
  ],
  [
    "a command of several lines",
    { check: { unit: ["a\nb"] } },
    ["check.unit.0: has several lines — write one command a line of the list, or a script in the repository"],
  ],
  [
    "a version of Node.js as a number",
    { check: { node: 24 } },
    ['check.node: 24 is not a version of Node.js — write one in quotes, for example "24"'],
  ],
  [
    "the repository's stack as an environment",
    { environments: ["dev", "repository"] },
    ["environments.1: is the repository's own stack, which runs nothing — remove it"],
  ],
  [
    "an environment twice",
    { environments: ["dev", "dev"] },
    ['environments.1: "dev" is listed twice — remove one'],
  ],
  [
    "waiting for nobody",
    { wait: "5m" },
    ["wait: waits for no environment — name one in tagalong:workflows.environments, or remove the key"],
  ],
  [
    "a secret in place of its name",
    { notify: "https://hooks.example/T0" },
    [
      'notify: "https://hooks.example/T0" is not a secret\'s name — write capital letters, digits and _, for example CHAT_WEBHOOK',
    ],
  ],
  [
    "a file to overwrite that nobody writes",
    { overwrite: [".github/workflows/release.yml", "src/index.js"] },
    [
      'overwrite.1: "src/index.js" is no file that is written — write its path, for example .github/workflows/release.yml',
    ],
  ],
  [
    "everything to overwrite",
    { overwrite: true },
    [
      "overwrite: true is not a list of paths — write paths of files, for example - .github/workflows/release.yml",
    ],
  ],
  [
    "a branch that is a pattern",
    { branch: "release/*" },
    ['branch: "release/*" is not a branch — use letters, digits and . _ - /'],
  ],
];

describe("The config of the workflows", () => {
  for (const [title, workflows, lines] of table) {
    it(`tells of ${title}`, () => assert.deepEqual(mistakes(workflows), lines));
  }

  it("keeps the images in one registry, whose tags move together", () => {
    const apart = { ...images, client: { repository: "quay.io/acme/client" } };
    assert.deepEqual(mistakes({}, { images: apart }), [
      "client.repository: is at quay.io, and server at ghcr.io — keep the images of one repository in one registry: their tags move together",
    ]);
  });

  it("waits for no environment whose tags only promotions move", () => {
    const apart = { server: { ...images.server, source: "ghcr.io/acme/builds/server" } };
    assert.deepEqual(mistakes({ environments: ["dev"], wait: "5m" }, { images: apart }), [
      "wait: waits for what no build sets off: with tagalong:images.server.source only promotions move an environment's tag — remove one of the two",
    ]);
  });

  it("is of no use where Actions may run the owner's own alone", () => {
    const repository = { owner: "acme", name: "shop", actions: { allowed: "local" } };
    assert.deepEqual(mistakes({}, { repository }), [
      "actions.allowed: forbids the actions that the workflows of tagalong:workflows use — write selected, which lets those run too, or remove tagalong:workflows",
    ]);
  });

  it("belongs to the repository's stack alone", () => {
    const services = { server: { image: "server" } };
    const raw = { images, services, workflows: {} };
    assert.throws(
      () => validateConfig(raw, { stack: "dev" }),
      /tagalong:workflows: stands in Pulumi.repository.yaml alone — remove it here/,
    );
  });

  it("says whether they are written: where there is a key for them, be it empty", () => {
    assert.deepEqual(
      [undefined, {}, { environments: ["dev"] }].map((values) => repository(values).writesWorkflows),
      [false, true, true],
    );
  });

  it("has a default for everything", () => {
    const { platforms, branch, environments, check } = repository().workflows;
    assert.deepEqual([platforms, branch, environments], [["linux/amd64", "linux/arm64"], "main", []]);
    assert.deepEqual([check.timeout, check.hadolint, check.unit], [1_200_000, true, []]);
  });
});
