import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findGitHub, mirrorTo, openGitHub } from "../../../github";
import { accessIn, repositoryIn, runPageIn } from "../../../github/repository";

describe("The repository of a project", () => {
  it("is the one that its stack file names", () => {
    const text = "config:\n  tagalong:repository:\n    owner: acme # ours\n    name: shop\n";
    assert.deepEqual(repositoryIn(text), { owner: "acme", name: "shop" });
  });
  for (const [what, text] of [
    ["an empty file", ""],
    ["a stack without config", "encryptionsalt: v1\n"],
    ["a stack with other config", "config:\n  aws:region: eu-west-1\n"],
  ] as const) {
    it(`is none in ${what}`, () => assert.equal(repositoryIn(text), undefined));
  }
  for (const [what, value] of [
    ["a text", "acme/shop"],
    ["an owner alone", "{owner: acme}"],
  ] as const) {
    it(`is refused as ${what}`, () => {
      assert.throws(
        () => repositoryIn(`config: {"tagalong:repository": ${value}}`),
        /must be a map: owner and name/,
      );
    });
  }
});

describe("The log of a roll", () => {
  const actions = {
    GITHUB_ACTIONS: "true",
    GITHUB_SERVER_URL: "https://github.com",
    GITHUB_REPOSITORY: "acme/shop",
    GITHUB_RUN_ID: "7",
  };
  it("is the page of the workflow that rolls", () => {
    assert.equal(runPageIn(actions), "https://github.com/acme/shop/actions/runs/7");
  });
  it("is nowhere else", () => {
    assert.equal(runPageIn({}), undefined);
    assert.equal(runPageIn({ ...actions, GITHUB_ACTIONS: "" }), undefined);
  });
});

describe("The way to GitHub", () => {
  const token = "ghp_secret0123456789";
  it("is the public API with the token of a workflow, before that of gh", () => {
    assert.deepEqual(accessIn({ GH_TOKEN: "other", GITHUB_TOKEN: ` ${token}\n` }), {
      baseUrl: "https://api.github.com",
      token,
      variable: "GITHUB_TOKEN",
    });
  });
  it("is what Actions says, on a server of one's own too", () => {
    const access = accessIn({ GH_TOKEN: token, GITHUB_API_URL: "https://ghe.acme.example/api/v3/" });
    assert.deepEqual([access?.baseUrl, access?.variable], ["https://ghe.acme.example/api/v3", "GH_TOKEN"]);
  });
  it("is none without a token", () => assert.equal(accessIn({ GITHUB_TOKEN: "" }), undefined));
  for (const url of [
    "http://api.github.com",
    "api.github.com",
    "https://me:pw@github.com",
    "http://127.evil.example",
  ]) {
    it(`is none over ${url}, where the token could be read`, () => {
      assert.throws(
        () => accessIn({ GITHUB_TOKEN: token, GITHUB_API_URL: url }),
        /GITHUB_API_URL is no https URL/,
      );
    });
  }
  it("refuses what is no token without repeating it", () => {
    assert.throws(
      () => accessIn({ GITHUB_TOKEN: `${token}\nAuthorization: x` }),
      (error: Error) =>
        /GITHUB_TOKEN holds more than a token/.test(error.message) && !error.message.includes(token),
    );
  });

  describe("of a project's folder", () => {
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), "tagalong-github-"));
    });
    afterEach(() => rmSync(directory, { recursive: true }));
    const write = (text: string) => writeFileSync(join(directory, "Pulumi.repository.yaml"), text);
    const named = "config: {tagalong:repository: {owner: acme, name: shop}}";

    it("is open where a repository and a token are there", () => {
      write(named);
      assert.deepEqual(openGitHub({ directory, env: { GITHUB_TOKEN: token } })?.repository, {
        owner: "acme",
        name: "shop",
      });
    });
    it("is nobody's concern where no repository is configured", () => {
      assert.deepEqual(findGitHub({ directory, env: { GITHUB_TOKEN: token } }), {});
    });
    it("says so where a repository is, and no token", () => {
      write(named);
      const reason = "acme/shop on GitHub is told nothing: there is no token in GITHUB_TOKEN or GH_TOKEN";
      assert.deepEqual(findGitHub({ directory, env: {} }), { reason });
    });
    it("says so where the file cannot be read", () => {
      write("config: [");
      const found = findGitHub({ directory, env: { GITHUB_TOKEN: token } });
      assert.match("reason" in found ? (found.reason ?? "") : "", /^GitHub is told nothing: Flow sequence/);
    });
    it("leads no receipt anywhere where it is closed, and says why once where somebody would want to know", () => {
      const said: string[] = [];
      const say = (problem: string) => said.push(problem);
      assert.equal(mirrorTo({ directory, env: {} }, say), undefined);
      assert.deepEqual(said, []);
      write(named);
      assert.equal(mirrorTo({ directory, env: {} }, say), undefined);
      assert.match(said.join("\n"), /^acme\/shop on GitHub is told nothing: there is no token .*$/);
    });
    it("has no token in sight, however it is printed", async () => {
      write(named);
      const github = openGitHub({ directory, env: { GITHUB_TOKEN: token } });
      const { inspect } = await import("node:util");
      assert.doesNotMatch(inspect(github, { depth: 20, showHidden: true }) + JSON.stringify(github), /ghp_/);
    });
  });
});
