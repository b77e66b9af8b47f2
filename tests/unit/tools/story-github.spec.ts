import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkStackFile } from "../../../config/stackFile";
import type * as Start from "../../../tools/start.mjs";
import type * as StoryFolder from "../../../tools/story-folder.mjs";
import type * as StoryGitHub from "../../../tools/story-github.mjs";
import type * as StoryRepository from "../../../tools/story-repository.mjs";
import { importTool } from "./import-module";

const root = resolve(__dirname, "../../..");

describe("npm start -- --with-github", () => {
  it("is an option, and one that is misspelled is named with those that there are", async () => {
    const { readArgs } = await importTool<typeof Start>("start.mjs");
    assert.deepEqual(readArgs(["--with-github"]), { keep: false, json: false, withGitHub: true });
    assert.deepEqual(readArgs([]), { keep: false, json: false, withGitHub: false });
    assert.throws(
      () => readArgs(["--with-gitlab"]),
      /no option --with-gitlab\n {2}it has: --keep, --json, --with-github/,
    );
  });

  it("says what to install where the packages for development were left out", async () => {
    const { checkGitHub } = await importTool<typeof StoryGitHub>("story-github.mjs");
    checkGitHub(root);
    const folder = mkdtempSync(join(tmpdir(), "tagalong-packages-"));
    try {
      mkdirSync(join(folder, "node_modules", "ajv"), { recursive: true });
      writeFileSync(join(folder, "node_modules", "ajv", "package.json"), "{}");
      assert.throws(
        () => checkGitHub(folder),
        /packages for development, .*: emulate, ajv-formats\n.*npm ci --include=dev/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has a repository's stack of its own, whatever this project's says", async () => {
    const { repositoryFile } = await importTool<typeof StoryFolder>("story-folder.mjs");
    const own = `# yaml-language-server: $schema=./x.json
encryptionsalt: v1:other
config:
  tagalong:repository:
    owner: somebody
    name: else
    token: { secure: v1:abc }
  tagalong:workflows:
    environments: [dev, test]
`;
    const copy = repositoryFile(own);
    assert.doesNotMatch(copy, /encryptionsalt|secure|yaml-language-server/);
    const config = checkStackFile(readFileSync(join(root, "Pulumi.yaml"), "utf8"), copy, "repository", [
      "dev",
      "test",
    ]);
    assert.ok(config.kind === "repository");
    assert.deepEqual([config.repository.owner, config.repository.name], ["acme", "shop"]);
    assert.deepEqual(config.repository.environments["test"]?.reviewers, ["ada"]);
  });

  describe("of a preview", () => {
    let changesIn: typeof StoryRepository.changesIn;
    before(async () => {
      ({ changesIn } = await importTool<typeof StoryRepository>("story-repository.mjs"));
    });

    it("tells what is taken over, with what changes of it, and what is made", () => {
      const said = `
@ previewing update....
 +  tagalong:index:RepositoryStack repository create 
 =  github:index:Repository repository import warning: a word of the provider's
 ~  github:index:Repository repository update [diff: +topics~allowMergeCommit,description]; warning: the same
 =  github:index:RepositoryEnvironment repository-dev import 
 +  github:index:RepositoryRuleset repository-branch create 
 ~  github:index:IssueLabel repository-bug update [diff: ~color]
Diagnostics:
  github:index:Repository (repository):
    warning: the same
`;
      assert.deepEqual(changesIn(said), [
        { kind: "takenOver", what: "Repository", properties: ["topics", "allowMergeCommit", "description"] },
        { kind: "takenOver", what: "RepositoryEnvironment dev", properties: [] },
        { kind: "made", what: "RepositoryRuleset branch", properties: [] },
        { kind: "changed", what: "IssueLabel bug", properties: ["color"] },
      ]);
    });

    it("does not hide what is replaced or deleted", () => {
      const said = `
 +- github:index:RepositoryRuleset repository-tags replace [diff: ~target]
 -  github:index:IssueLabel repository-bug delete 
`;
      assert.deepEqual(
        changesIn(said).map(({ kind, what }) => [kind, what]),
        [
          ["removed", "RepositoryRuleset tags"],
          ["removed", "IssueLabel bug"],
        ],
      );
    });
  });
});
