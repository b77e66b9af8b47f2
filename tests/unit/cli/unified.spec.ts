import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unifiedDiff } from "../../../cli/unified";

const numbers = Array.from({ length: 12 }, (_, index) => `line ${index + 1}\n`).join("");

const cases: [what: string, before: string, after: string][] = [
  ["a line in the middle", numbers, numbers.replace("line 6\n", "line six\n")],
  ["a line that is new", numbers, numbers.replace("line 6\n", "line 6\nline 6.5\n")],
  ["a line that is gone", numbers, numbers.replace("line 6\n", "")],
  ["the first line", numbers, `new\n${numbers}`],
  ["the last line", numbers, `${numbers}new\n`],
  ["a last line without an end", "a\nb", "a\nc"],
  ["an end for the last line", "a\nb", "a\nb\n"],
  ["a line behind one without an end", "a", "a\nb"],
  ["the same line twice", "a\na\n", "a\na\na\n"],
  ["something from nothing", "", "a\n"],
  ["nothing from something", "a\n", ""],
  ["Windows line ends", "a\r\nb\r\n", "a\r\nc\r\n"],
];

describe("The difference that an edit shows", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-diff-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [what, before, after] of cases) {
    it(`is one that git applies: ${what}`, () => {
      const patch = unifiedDiff("file", before, after);
      writeFileSync(join(folder, "file"), before);
      execFileSync("git", ["apply", "--unsafe-paths", "--whitespace=nowarn", "-"], {
        cwd: folder,
        input: patch,
      });
      const applied = execFileSync("cat", [join(folder, "file")], { encoding: "utf8" });
      assert.equal(applied, after);
      assert(patch.split("\n").length <= 13, "at most three lines before and behind it");
    });
  }

  it("is nothing where nothing changed", () => assert.equal(unifiedDiff("file", "a\n", "a\n"), ""));
});
