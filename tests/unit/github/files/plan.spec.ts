import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  blobSha,
  changesText,
  type FoundEntry,
  isOwnPlace,
  type Plan,
  planOf,
  type RenderedFile,
  waitingText,
} from "../../../../github/files/plan";
import { SIGN, sealed, sealOf, UNSEALED } from "../../../../github/files/seal";

const path = ".github/workflows/check.yml";
const ours = (content: string): string => sealed(`# ${SIGN} from here\n# ${UNSEALED}\n${content}\n`);
const rendered: RenderedFile = { path, text: ours("new"), mode: "100644" };
const blob = (text: string, mode = "100644"): FoundEntry => ({
  type: "blob",
  mode,
  sha: blobSha(text),
  text,
});

describe("A file's checksum", () => {
  it("says that it is as it was rendered, whatever ends its lines", () => {
    assert.equal(sealOf(ours("a: 1")), "whole");
    assert.equal(sealOf(ours("a: 1").replaceAll("\n", "\r\n")), "whole");
  });

  const broken: [string, string][] = [
    ["a line more", `${ours("a: 1")}b: 2\n`],
    ["another word", ours("a: 1").replace("a: 1", "a: 2")],
    ["another header", ours("a: 1").replace("from here", "from there")],
    ["no checksum", ours("a: 1").replace(/# Checksum.*\n/, "")],
    ["another checksum", ours("a: 1").replace(/Checksum: ./, "Checksum: x")],
  ];
  for (const [what, text] of broken)
    it(`says that it was edited: ${what}`, () => assert.equal(sealOf(text), "broken"));

  it("is no matter of whoever else's file", () => {
    for (const text of ["", "name: Mine\n", `${"# long\n".repeat(200)}# ${SIGN}\n`])
      assert.equal(sealOf(text), "none");
  });
});

describe("What is done about a file", () => {
  const cases: [string, Record<string, FoundEntry>, Plan["changes"][string] | "left" | "nothing", string?][] =
    [
      ["that is as it is rendered", { [path]: blob(rendered.text) }, "nothing"],
      ["that is not there", {}, "new"],
      ["of an older rendering", { [path]: blob(ours("old")) }, "changed"],
      ["with another mode", { [path]: blob(rendered.text, "100755") }, "changed"],
      ["that was edited", { [path]: blob(`${ours("old")}# mine\n`) }, "left", "edited"],
      ["of somebody else's", { [path]: blob("name: Mine\n") }, "left", "foreign"],
      [
        "that is too large to be read",
        { [path]: { type: "blob", mode: "100644", sha: "1" } },
        "left",
        "foreign",
      ],
      ["that is a link to one of ours", { [path]: blob(rendered.text, "120000") }, "left", "foreign"],
      ["that is a folder", { [path]: { type: "tree", mode: "040000", sha: "1" } }, "left", "blocked"],
      ["that is a submodule", { [path]: { type: "commit", mode: "160000", sha: "1" } }, "left", "blocked"],
      ["whose folder is a file", { ".github": blob("x") }, "left", "blocked"],
    ];
  for (const [what, found, change, why] of cases) {
    it(`${what}: ${why ?? change}`, () => {
      const { changes, left } = planOf([rendered], new Map(Object.entries(found)));
      assert.deepEqual(
        [changes[path], left[path]],
        change === "left" ? [undefined, why] : [change === "nothing" ? undefined : change, undefined],
      );
    });
  }

  const gone = ".github/workflows/promote.yml";
  const leftovers: [string, string, Plan][] = [
    ["as it was rendered goes", ours("old"), { changes: { [gone]: "removed" }, left: {} }],
    ["that was edited stays", `${ours("old")}# mine\n`, { changes: {}, left: { [gone]: "leftover" } }],
    ["of somebody else's is none of our business", "name: Mine\n", { changes: {}, left: {} }],
  ];
  for (const [what, text, plan] of leftovers) {
    it(`that is not rendered any more and ${what}`, () =>
      assert.deepEqual(planOf([], new Map([[gone, blob(text)]])), plan));
  }

  it("named in the config: it is overwritten or removed, and what is in the way of a folder stays all the same", () => {
    const found = new Map([
      [path, blob("name: Mine\n")],
      [gone, blob(`${ours("old")}# mine\n`)],
      [".github/tagalong", blob("x")],
    ]);
    const script: RenderedFile = { ...rendered, path: ".github/tagalong/run.mjs" };
    assert.deepEqual(planOf([rendered, script], found, [path, gone, script.path]), {
      changes: { [path]: "changed", [gone]: "removed" },
      left: { [script.path]: "blocked" },
    });
  });

  it("goes by the name that Git has for its content", () => {
    for (const text of ["", "a\n", "ünïcode → ✓\n"]) {
      const sha = execFileSync("git", ["hash-object", "--stdin"], { input: text }).toString().trim();
      assert.equal(blobSha(text), sha);
    }
  });

  it("is told in words", () => {
    assert.equal(changesText({ b: "removed", a: "new", c: "new" }), "2 new (a, c), 1 removed (b)");
    assert.equal(waitingText({ a: "new" }, "#1"), "1 file waits for the merge of #1");
    assert.equal(waitingText({ a: "new", b: "new" }, "#1"), "2 files wait for the merge of #1");
  });

  it("is nobody's business elsewhere in the repository", () => {
    const own = [path, gone, ".github/renovate.json", ".github/tagalong/run.mjs"];
    const others = [".github/workflows/nightly.yml", ".github/tagalong/a/b", "src/.github/renovate.json"];
    assert.deepEqual([...own, ...others].filter(isOwnPlace), own);
  });
});
