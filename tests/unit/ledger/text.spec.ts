import assert from "node:assert/strict";
import { plainLine, plainReason } from "../../../ledger/text";

describe("A text that others wrote", () => {
  const lines: [string, string, string][] = [
    ["keeps what people write", "Größe 1 · naïve — “ok” 🚀", "Größe 1 · naïve — “ok” 🚀"],
    [
      "loses colours and other sequences, whole",
      "\u001B[31mred\u001B[0m and \u001B]0;title\u0007this",
      "red and this",
    ],
    ["loses what moves the cursor or rings", "a\rb\u0008\u0007\u009Bc\u007Fd", "a b c d"],
    ["loses what turns a line around", "abc\u202Efed\u2066x\u200Bz", "abc fed x z"],
    ["is one line", "a\n\n b\u2028c\td", "a b c d"],
    ["is cut between letters", "🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀", "🚀🚀🚀🚀🚀🚀🚀🚀🚀…"],
  ];
  for (const [name, text, plain] of lines) {
    it(name, () => assert.equal(plainLine(text, name.includes("cut") ? 10 : 100), plain));
  }
});

describe("The reason of a verdict", () => {
  const reasons: [string, string, string][] = [
    ["is the first lines alone", "one\ntwo\n\nthree\nfour", "one; two; three"],
    [
      "has none of a container's log",
      "service server: x exited with code 1\n  image a@b\n  its last lines:\n  | DATABASE_URL=postgres://u:p@h\n  | trace",
      "service server: x exited with code 1; image a@b",
    ],
    [
      "has no password of a URL",
      "cannot reach postgres://shop:hunter2@db/shop",
      "cannot reach postgres://shop:…@db/shop",
    ],
    ["has no password after its name", 'DB_PASSWORD=hunter2 token: "abc", x', 'DB_PASSWORD=… token: "…", x'],
    ["is at most 500 letters", "x".repeat(100_000), `${"x".repeat(499)}…`],
  ];
  for (const [name, text, plain] of reasons) {
    it(name, () => assert.equal(plainReason(text), plain));
  }

  it("does not change when it is read again", () => {
    for (const [, text] of reasons) assert.equal(plainReason(plainReason(text)), plainReason(text));
  });
});
