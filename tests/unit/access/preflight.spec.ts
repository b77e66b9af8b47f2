import assert from "node:assert/strict";
import { PreflightError, preflight } from "../../../access/preflight";
import type { Survey } from "../../../access/survey";
import { repository, settings, survey } from "./given";

const said = (values: object, found: Survey): string => {
  try {
    preflight(settings(values), found);
    return "";
  } catch (error) {
    assert.ok(error instanceof PreflightError);
    return error.message;
  }
};

describe("Before anything is changed", () => {
  it("nothing is in the way of a repository that is there, or of a new one", () => {
    assert.equal(said({}, survey()), "");
    const { repository: _, ...facts } = survey().facts;
    assert.equal(said({}, { ...survey(), facts }), "");
  });

  const cases: [string, object, Survey, string][] = [
    [
      "an owner that is none",
      {},
      { ...survey(), facts: { login: "ada", lacking: {} } },
      "acme is neither a user nor an organisation on GitHub; correct tagalong:repository.owner",
    ],
    [
      "another spelling",
      {},
      survey({ facts: { repository: repository({ full_name: "Acme/Shop" }) } }),
      "GitHub spells acme/shop as Acme/Shop; write it so in tagalong:repository",
    ],
    [
      "another name",
      {},
      survey({ facts: { repository: repository({ full_name: "acme/store" }) } }),
      "acme/shop was renamed or moved to acme/store; write that in tagalong:repository",
    ],
    [
      "an archive",
      {},
      survey({ facts: { repository: repository({ archived: true }) } }),
      "acme/shop is archived, and takes no changes; unarchive it on https://github.com/acme/shop/settings",
    ],
    [
      "somebody else's repository",
      {},
      survey({ facts: { repository: repository({ permissions: { admin: false } }) } }),
      'acme/shop is there, and ada is no administrator of it; ask one for the role "Admin", or correct tagalong:repository',
    ],
    [
      "a token without its scope",
      {},
      survey({ facts: { scopes: ["read:org"] } }),
      "the token lacks the scope repo; add it on https://github.com/settings/tokens",
    ],
    [
      "a person's repository that is not there",
      {},
      { ...survey(), facts: { login: "ada", lacking: {}, owner: { kind: "user" } } },
      "acme/shop is not there, or hidden from the token, and only acme may make it; correct tagalong:repository, or use a token of acme's",
    ],
    [
      "an organisation that lets nobody make repositories",
      {},
      {
        ...survey(),
        facts: { login: "ada", lacking: {}, owner: { kind: "organization", mayCreate: false } },
      },
      "acme/shop is not there, and acme lets its owners alone make repositories; ask one to make it, or to allow it on https://github.com/organizations/acme/settings/member_privileges",
    ],
    [
      "a branch that a new repository has not",
      { defaultBranch: "trunk" },
      { ...survey(), facts: { login: "ada", lacking: {}, owner: { kind: "organization" } } },
      "acme/shop is new, and a new repository begins with main; leave out tagalong:repository.defaultBranch until trunk was pushed",
    ],
    [
      "a branch that is not there",
      { defaultBranch: "trunk" },
      survey({ isDefaultBranchThere: false }),
      "acme/shop has no branch trunk; push it, or correct tagalong:repository.defaultBranch",
    ],
    [
      "a reviewer whom nobody knows",
      { environments: { dev: { reviewers: ["bob"] } } },
      survey(),
      "there is no user bob on GitHub; correct tagalong:repository.environments.dev.reviewers[0]",
    ],
    [
      "a team that nobody knows",
      { bypass: ["admin", "team:ops"] },
      survey(),
      "acme has no team ops, or the token may not see it (members: read; a classic token: the scope read:org); correct tagalong:repository.bypass[1]",
    ],
    [
      "a feature that the token may not touch",
      {},
      survey({ facts: { lacking: { actions: "the token in GITHUB_TOKEN may not" } } }),
      "the choice of actions: the token in GITHUB_TOKEN may not; set tagalong:repository.ifMissing to skip",
    ],
  ];
  for (const [what, values, found, problem] of cases) {
    it(`${what} is told`, () => assert.equal(said(values, found), `nothing was changed: ${problem}`));
  }

  it("a repository that the state has and the token does not see is told, and not made anew", () => {
    const { repository: _, ...facts } = survey().facts;
    assert.throws(
      () => preflight(settings(), { ...survey(), facts }, true),
      /acme\/shop is in the stack's state, and GitHub does not show it to this token: use one that may see it/,
    );
    assert.doesNotThrow(() => preflight(settings(), survey(), true));
  });

  it("several things are told at once", () => {
    assert.equal(
      said({ defaultBranch: "trunk" }, survey({ isDefaultBranchThere: false, facts: { scopes: [] } })),
      [
        "nothing was changed:",
        "  the token lacks the scope repo; add it on https://github.com/settings/tokens",
        "  acme/shop has no branch trunk; push it, or correct tagalong:repository.defaultBranch",
      ].join("\n"),
    );
  });
});

describe("What a plan lacks", () => {
  const dev = { environments: { dev: { wait: "1m" } } };
  const on = (plan: string, visibility = "private") =>
    survey({
      facts: {
        owner: { kind: "organization", plan },
        repository: repository({ visibility, security_and_analysis: null }),
      },
    });
  const left = (values: object, found: Survey) => [
    ...preflight(settings({ ifMissing: "skip", ...values }), found).keys(),
  ];

  const cases: [string, string, object, string[]][] = [
    ["free", "private", {}, ["rulesets", "environments", "secretScanning"]],
    ["free", "private", { secretScanning: false }, ["rulesets", "environments"]],
    ["free", "public", dev, []],
    ["team", "private", dev, ["environmentProtection", "secretScanning"]],
    ["team", "private", {}, ["secretScanning"]],
    ["enterprise", "private", dev, []],
  ];
  for (const [plan, visibility, values, features] of cases) {
    it(`is left out where that was asked for: ${plan}, ${visibility}, ${JSON.stringify(values)}`, () =>
      assert.deepEqual(left(values, on(plan, visibility)).sort(), [...features].sort()));
  }

  it("is in the way where it was not, with the ways out", () => {
    assert.equal(
      said({ workflowPermissions: "read", environments: {} }, on("team")),
      'nothing was changed: secret scanning: GitHub\'s plan "team" has none for private repositories; set tagalong:repository.ifMissing to skip, or set secretScanning: false',
    );
  });
});
