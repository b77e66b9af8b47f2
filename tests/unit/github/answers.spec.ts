import assert from "node:assert/strict";
import { type Failure, judge } from "../../../github/answers";
import { permissions } from "../../../github/errors";

const now = Date.parse("2026-11-21T16:15:00Z");

function judged(failure: Failure, changes: { isWrite?: boolean; tried?: number } = {}) {
  const repository = { owner: "acme", name: "shop" };
  const needs = permissions.deployments;
  return judge(failure, {
    repository,
    variable: "GITHUB_TOKEN",
    needs,
    isWrite: false,
    tried: 1,
    now,
    ...changes,
  });
}

const answered = (status: number, said = "", headers: Record<string, string> = {}): Failure => ({
  kind: "answered",
  status,
  said,
  headers,
});

describe("What GitHub's refusal means", () => {
  const told: [string, Failure, string, string][] = [
    [
      "a bad token",
      answered(401, "Bad credentials"),
      "token",
      'GitHub does not accept the token in GITHUB_TOKEN (401, Bad credentials): it is wrong, expired or revoked; put in a new one and give it "deployments: write" (a classic token: the scope repo_deployment)',
    ],
    [
      "a missing permission",
      answered(403, "Resource not accessible by personal access token"),
      "permission",
      'the token in GITHUB_TOKEN may not write deployments in acme/shop (403, Resource not accessible by personal access token); give it "deployments: write" (a classic token: the scope repo_deployment)',
    ],
    [
      "a repository that is missing or hidden",
      answered(404, "Not Found"),
      "not-found",
      'acme/shop is not on GitHub, or hidden from the token in GITHUB_TOKEN (404, Not Found); check tagalong:repository in Pulumi.repository.yaml, or give it "deployments: write" (a classic token: the scope repo_deployment)',
    ],
    [
      "anything else",
      answered(422, "Validation Failed"),
      "refused",
      "GitHub refused to write deployments in acme/shop (422, Validation Failed)",
    ],
    [
      "an outage",
      answered(502),
      "unreachable",
      "GitHub did not answer for acme/shop (502); look at https://www.githubstatus.com, or at the way there",
    ],
    [
      "no connection",
      { kind: "silent", detail: "ECONNREFUSED" },
      "unreachable",
      "GitHub did not answer for acme/shop (ECONNREFUSED); look at https://www.githubstatus.com, or at the way there",
    ],
    [
      "a limit",
      answered(403, "API rate limit exceeded", {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": `${now / 1000 + 90}`,
      }),
      "limited",
      "GitHub's rate limit for the token in GITHUB_TOKEN is used up until about 2026-11-21T16:16:30Z (403, API rate limit exceeded); wait, or use a token that fewer share",
    ],
  ];
  for (const [what, failure, reason, message] of told) {
    it(`is told for ${what}, with the way out`, () => {
      const { error } = judged(failure);
      assert.deepEqual([error.reason, error.message], [reason, message]);
    });
  }

  const limit = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${now / 1000 + 90}` };
  const again: [string, Failure, { isWrite?: boolean; tried?: number }, number | undefined][] = [
    ["an outage while reading", answered(502), {}, 1_000],
    ["an outage that lasts", answered(502), { tried: 2 }, 3_000],
    ["half an answer while reading", { kind: "unreadable", status: 200 }, {}, 1_000],
    ["an outage while writing, which may have been done", answered(502), { isWrite: true }, undefined],
    ["no answer to a write", { kind: "silent", detail: "ECONNRESET" }, { isWrite: true }, undefined],
    ["a limit that says when it ends", answered(403, "", limit), { isWrite: true }, 90_000],
    ["a limit that says how long", answered(429, "", { "retry-after": "7" }), { isWrite: true }, 7_000],
    [
      "a limit that says how long, beside the other",
      answered(403, "", { ...limit, "retry-after": "0" }),
      {},
      1_000,
    ],
    [
      "a secondary limit without a time",
      answered(403, "You have exceeded a secondary rate limit"),
      {},
      60_000,
    ],
    ["a limit that is over", answered(403, "", { ...limit, "x-ratelimit-reset": "1" }), {}, 1_000],
    ["a missing permission", answered(403, "Resource not accessible by integration"), {}, undefined],
    ["a missing repository", answered(404), {}, undefined],
    ["a bad token", answered(401), {}, undefined],
    ["a refusal", answered(422), {}, undefined],
  ];
  for (const [what, failure, changes, inMs] of again) {
    it(`is ${inMs === undefined ? "final" : `asked again in ${inMs} ms`} for ${what}`, () => {
      assert.equal(judged(failure, changes).again?.inMs, inMs);
    });
  }

  it("leaves open whether a write was done that nobody confirmed", () => {
    assert.equal(judged(answered(502), { isWrite: true }).error.isUnsure, true);
    assert.equal(judged(answered(502)).error.isUnsure, false);
    assert.equal(judged(answered(422), { isWrite: true }).error.isUnsure, false);
  });
});
