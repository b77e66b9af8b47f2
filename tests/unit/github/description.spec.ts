import assert from "node:assert/strict";
import { operationOf, problemsOfAnswer } from "../../github/description";

describe("GitHub's own description", () => {
  const deployments = "/repos/acme/shop/deployments";
  const user = null;
  const status = {
    id: 1,
    node_id: "DES_1",
    state: "success",
    creator: user,
    description: "",
    deployment_url: "https://api.github.com/repos/acme/shop/deployments/1",
    target_url: "",
    repository_url: "https://api.github.com/repos/acme/shop",
    url: "https://api.github.com/repos/acme/shop/deployments/1/statuses/1",
    created_at: "2026-11-21T16:15:00Z",
    updated_at: "2026-11-21T16:15:00Z",
  };
  const answers: [string, number, unknown, RegExp | undefined][] = [
    ["a status as GitHub writes it", 201, status, undefined],
    ["an address that is empty where the description says so", 201, { ...status, log_url: "" }, undefined],
    [
      "an address that is none",
      201,
      { ...status, log_url: "over there" },
      /answer\/log_url must match format "uri"/,
    ],
    ["a state that is none", 201, { ...status, state: "done" }, /answer\/state must be equal to one of/],
    ["a field too many", 201, { ...status, result: 1 }, /answer\/result is unknown to GitHub/],
    ["a field too few", 201, { ...status, id: undefined }, /answer must have required property 'id'/],
    ["nobody where somebody must be", 201, { ...status, creator: 7 }, /answer\/creator must be/],
    [
      "a description that is too long",
      201,
      { ...status, description: "x".repeat(141) },
      /must NOT have more than 140/,
    ],
    ["an answer that the operation does not have", 200, status, /no answer of status 200/],
    ["a refusal that the description takes for granted", 403, { message: "No" }, undefined],
  ];
  for (const [what, code, body, problem] of answers) {
    it(`${problem ? "refuses" : "allows"} ${what}`, () => {
      const found = operationOf("POST", `${deployments}/1/statuses`);
      assert.ok(found);
      const answer: unknown = JSON.parse(JSON.stringify(body));
      const problems = problemsOfAnswer(found, code, answer, true).join("\n");
      if (problem) assert.match(problems, problem);
      else assert.equal(problems, "");
    });
  }

  const operations: [string, string, string | undefined][] = [
    ["GET", deployments, "/repos/{owner}/{repo}/deployments"],
    ["GET", `${deployments}/7`, "/repos/{owner}/{repo}/deployments/{deployment_id}"],
    ["GET", "/repos/acme/shop/compare/a/b...c/d", "/repos/{owner}/{repo}/compare/{basehead}"],
    ["PUT", deployments, undefined],
    ["GET", "/orgs/acme/members", undefined],
  ];
  for (const [method, path, operation] of operations) {
    it(`knows ${method} ${path} as ${operation ?? "nothing"}`, () => {
      assert.equal(operationOf(method, path)?.path, operation);
    });
  }
});
