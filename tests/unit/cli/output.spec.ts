import assert from "node:assert/strict";
import { outputTo, paragraph, plain, table, wrap } from "../../../cli/output";

const terminal = (columns: number, env: NodeJS.ProcessEnv = {}) =>
  outputTo({ isTTY: true, columns, write: () => true }, env);

describe("What a command shows", () => {
  it("is a table whose last column goes on below itself where the terminal ends", () => {
    const text = table(
      ["service", "reason"],
      [
        ["server", { text: "exited with code 3 before it had answered once", style: "red" }],
        ["a-longer-one", "fine"],
      ],
      terminal(44, { NO_COLOR: "1" }),
      2,
    );
    assert.equal(
      text,
      [
        "  service       reason",
        "  server        exited with code 3 before it",
        "                had answered once",
        "  a-longer-one  fine",
        "",
      ].join("\n"),
    );
    assert(text.split("\n").every((line) => line.length <= 44));
  });

  it("has colour on a terminal alone, and not with NO_COLOR or on a dumb one", () => {
    const shown = (isTTY: boolean, env: NodeJS.ProcessEnv) =>
      outputTo({ isTTY, columns: 80, write: () => true }, env).paint("red", "no");
    assert.equal(shown(true, {}), "\u001b[31mno\u001b[0m");
    assert.equal(shown(false, {}), "no");
    assert.equal(shown(true, { NO_COLOR: "1" }), "no");
    assert.equal(shown(true, { TERM: "dumb" }), "no");
  });

  it("is not broken where nobody looks, and a sentence nowhere: a command in it is copied whole", () => {
    const long = "a word ".repeat(50).trim();
    assert.equal(paragraph(long, terminal(40, { NO_COLOR: "1" }), 2), `  ${long}\n`);
    const file = outputTo({ isTTY: false, columns: 20, write: () => true }, {});
    assert.equal(table(["a"], [[long]], file), `a\n${long}\n`);
  });

  it("moves no cursor, whatever somebody wrote into a reason", () => {
    assert.equal(plain("gone\u001b[2J\r\nand\u202eback"), "gone [2J  and back");
  });

  it("keeps a word that is longer than a line", () => {
    assert.deepEqual(wrap("a sha256:0123456789abcdef b", 10), ["a", "sha256:0123456789abcdef", "b"]);
  });
});
