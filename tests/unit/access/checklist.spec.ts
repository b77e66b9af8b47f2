import assert from "node:assert/strict";
import { type Circumstances, checklist, type Row } from "../../../access/checklist";
import type { PackageSurvey } from "../../../access/packages";
import type { Survey } from "../../../access/survey";
import { endOf } from "../../../cli/access";
import { repository, settings, survey } from "./given";

const inWorkflow: Circumstances = { environments: ["dev"], isWorkflow: true };
const rows = (values: object, found: Survey, circumstances = inWorkflow): Row[] =>
  checklist(settings(values), found, circumstances);
/** What is not as it should be. */
const amiss = (...given: Parameters<typeof rows>): string[] =>
  rows(...given).flatMap(({ what, state, detail }) =>
    state === "ok" ? [] : [`${state} ${what}: ${detail}`],
  );

const page = "https://github.com/orgs/acme/packages/container/package/shop%2Fserver";
const own = (changes: Partial<PackageSurvey>): Survey => {
  const found = survey();
  return { ...found, packages: { server: { ...(found.packages["server"] as PackageSurvey), ...changes } } };
};

describe("The checklist", () => {
  it("is ok where all is as it should be", () => {
    assert.deepEqual(amiss({}, survey()), []);
    assert.deepEqual(
      rows({}, survey()).map(({ what }) => what),
      [
        ...["repository", "settings", "vulnerability alerts", "secret scanning", "rulesets", "actions"],
        ...["workflow permissions", "environment dev"],
        ...["package server: link", "package server: visibility", "package server: write access"],
      ],
    );
  });

  it("says what up puts right, with what it is and what it is to be", () => {
    const found = survey({
      facts: {
        repository: repository({
          allow_merge_commit: true,
          alerts: false,
          rulesets: [{ id: 1, name: "Tagalong: default branch", enforcement: "disabled" }],
          actions: { enabled: true, allowed_actions: "all" },
          workflow: { default_workflow_permissions: "write", can_approve_pull_request_reviews: true },
          environments: {},
          hooks: [{ id: 1, active: true, events: ["push"], config: { url: "https://a.example" } }],
          labels: [{ name: "Bug", color: "ffffff", description: null }],
        }),
      },
    });
    const values = {
      visibility: "public",
      labels: { bug: { color: "d73a4a", description: "Broken" } },
      webhook: { url: "https://a.example", secret: "x" },
      packages: { visibility: "private" },
    };
    assert.deepEqual(amiss(values, found), [
      "up settings: visibility: private → public; merge: [merge, squash] → [squash]",
      "up vulnerability alerts: alerts: off → on",
      "up rulesets: Tagalong: default branch: missing or not active; Tagalong: release tags: missing or not active",
      "up actions: allowed: all → selected; verified: false → true; pinned: false → true",
      "up workflow permissions: default: write → read; may approve: true → false",
      "up webhook: events: [push] → [package, registry_package]",
      "up labels: bug.color: ffffff → d73a4a; bug.description: nothing → Broken",
      "up environment dev: is made: branches main",
    ]);
  });

  it("says what differs of an environment", () => {
    const values = {
      environments: {
        dev: { reviewers: ["ada"], wait: "5m", tags: ["v*"], variables: { A: "1" }, secrets: { B: "2" } },
      },
    };
    assert.deepEqual(amiss(values, survey({ people: { ada: 3 } })), [
      "up environment dev: reviewers: [] → [ada]; wait: 0m → 5m; tags: [] → [v*]; variables.A: nothing → 1; secrets.B: missing",
    ]);
  });

  it("names who may approve: as the config does, and by number whom it does not know", () => {
    const { environments } = repository();
    const dev = { ...environments?.["dev"], users: [3, 8], teams: [3], letsIn: "all", policies: [] };
    const found = survey({
      facts: { repository: repository({ environments: { dev } as typeof environments & object }) },
      people: { ada: 3, "team:platform": 3 },
    });
    const values = { environments: { dev: { reviewers: ["team:platform", "ada"], wait: "5m" } } };
    assert.deepEqual(amiss(values, found), [
      "up environment dev: reviewers: [ada, team:platform, user 8] → [ada, team:platform]; wait: 0m → 5m; branches: all → [main]",
    ]);
    const asItShouldBe = { dev: { ...dev, users: [3], wait: 5, letsIn: "protected" } };
    found.facts.repository = repository({ environments: asItShouldBe as typeof environments & object });
    assert.deepEqual(amiss(values, found), ["up environment dev: branches: protected ones → [main]"]);
  });

  it("says of an environment that is as it should be who may use it", () => {
    const [row] = rows({}, survey()).filter(({ what }) => what === "environment dev");
    assert.equal(row?.detail, "branches main");
  });

  it("names who else is let into an environment, which nobody but a person takes away", () => {
    const values = { environments: { dev: { branches: ["release/*"] } } };
    assert.deepEqual(amiss(values, survey()), [
      "click environment dev: also lets branch main in: remove it there, or add it to the config",
    ]);
  });

  it("names what is in the way of everything", () => {
    const found = survey({ facts: { repository: repository({ archived: true }) } });
    const [first] = rows({}, found);
    assert.deepEqual(
      [first?.what, first?.state, first?.page],
      ["repository", "click", "https://github.com/acme/shop/settings"],
    );
  });

  const packages: [string, object, Partial<PackageSurvey>, string[]][] = [
    ["not published yet is no mistake", {}, { found: "none" }, []],
    [
      "not published yet is put right where that was asked for",
      { packages: { firstPush: true } },
      { found: "none" },
      [
        "up package server: link: not published yet; an empty first version is pushed, linked to the repository",
      ],
    ],
    [
      "linked to nothing needs a click",
      {},
      { found: { visibility: "private", page } },
      ['click package server: link: linked to no repository: on its page, "Connect Repository", acme/shop'],
    ],
    [
      "linked to another repository needs a click",
      {},
      { found: { visibility: "private", page, linkedTo: "acme/old" } },
      ['click package server: link: linked to acme/old: on its page, "Connect Repository", acme/shop'],
    ],
    [
      "seen by others than it should be needs a click",
      { packages: { visibility: "public" } },
      {},
      ['click package server: visibility: private, to be public: "Danger Zone", "Change visibility"'],
    ],
    [
      "that the token may not write to needs a click",
      {},
      { write: { kind: "denied", reason: "no permission to write" } },
      ["click package server: write access: no permission to write"],
    ],
    [
      "that nobody could ask of is unknown",
      {},
      {
        found: { unknown: "the token lacks read:packages" },
        write: { kind: "unknown", reason: "no answer" },
      },
      [
        "unknown package server: link: the token lacks read:packages",
        "unknown package server: write access: no answer",
      ],
    ],
    [
      "of another owner needs a click",
      {},
      { onGitHub: { owner: "other", name: "x" }, repository: "ghcr.io/other/x" },
      [
        "click package server: link: ghcr.io/other/x belongs to other, and the repository to acme; correct tagalong:images",
      ],
    ],
  ];
  for (const [what, values, changes, expected] of packages) {
    it(`of a package ${what}`, () => assert.deepEqual(amiss(values, own(changes)), expected));
  }

  it("names the page of the click", () => {
    const found = rows({}, own({ found: { visibility: "public", page } }));
    assert.deepEqual(
      found.filter(({ state }) => state === "click").map((row) => row.page),
      [page, "https://github.com/orgs/acme/packages/container/shop%2Fserver/settings"],
    );
  });

  it("leaves the settings to an administrator where a workflow asks, and judges the packages", () => {
    const found = survey({
      facts: { repository: repository({ permissions: { admin: false }, allow_merge_commit: true }) },
    });
    assert.deepEqual(amiss({}, found), []);
    assert.match(
      amiss({}, found, { ...inWorkflow, isWorkflow: false })[0] ?? "",
      /^click repository: .*no administrator/,
    );
  });

  it("does not take a person's token for a workflow's", () => {
    const [unknown] = amiss({}, survey(), { ...inWorkflow, isWorkflow: false });
    assert.match(
      unknown ?? "",
      /^unknown package server: Actions access: only a workflow's own token can prove it/,
    );
  });
});

describe("How the checklist ends", () => {
  const row = (state: Row["state"]): Row => ({ what: "x", state, detail: "" });
  it("is 0 for all well, 4 for what is not known, 1 for what is wrong", () => {
    assert.equal(endOf([row("ok")]), 0);
    assert.equal(endOf([row("ok"), row("unknown")]), 4);
    assert.equal(endOf([row("unknown"), row("up")]), 1);
    assert.equal(endOf([row("unknown"), row("click")]), 1);
  });
});
