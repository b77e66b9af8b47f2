import assert from "node:assert/strict";
import { candidates, folders } from "../../../cli/candidates";
import { program } from "../../../cli/program";

const asked: string[] = [];
const sources = {
  environment: (folder: string) => {
    asked.push(folder);
    return ["dev", "test"];
  },
  release: () => ["1.4.1", "1.4.2"],
  what: () => ["dev"],
};

const offered = (...words: string[]) => {
  const found = candidates(program(), words, sources);
  return found === folders ? "folders" : found.map(({ value }) => value);
};

describe("Completion", () => {
  it("offers the commands, each with what it is for", () => {
    const found = candidates(program(), ["ro"], sources);
    assert.deepEqual(found, [
      {
        value: "rollback",
        description: "Name the release before this one, which was well here: edits the stack's file.",
      },
    ]);
    const all = offered("");
    for (const name of ["status", "promote", "history", "watch", "completion", "help"])
      assert(all.includes(name), name);
    assert(!all.includes("complete"), "what the script itself asks is no command for a person");
  });

  const cases: [what: string, words: string[], found: readonly string[] | "folders"][] = [
    ["environments where a command takes one", ["promote", ""], ["dev", "test"]],
    ["no second one where it takes one", ["promote", "test", ""], []],
    ["those not yet named where it takes several", ["status", "dev", ""], ["test"]],
    ["options", ["promote", "test", "--f"], ["--from", "--follow"]],
    [
      "short options too",
      ["history", "dev", "-"],
      ["--cwd", "-C", "--number", "-n", "--json", "--help", "-h"],
    ],
    ["environments for --from", ["promote", "test", "--from", "d"], ["dev"]],
    ["releases for --release", ["promote", "test", "--release", ""], ["1.4.1", "1.4.2"]],
    ["releases behind =", ["promote", "test", "--release=1.4.2"], ["--release=1.4.2"]],
    ["environments for --stack", ["watch", "-s", "t"], ["test"]],
    ["folders for --cwd", ["status", "--cwd", ""], "folders"],
    ["folders for --cwd=", ["status", "--cwd="], "folders"],
    ["nothing for a reason", ["hold", "test", "--reason", ""], []],
    ["the shells", ["completion", ""], ["bash", "zsh", "fish"]],
    ["nothing behind a command that is none", ["nonsense", "x", "--"], ["--version", "--help"]],
  ];
  for (const [what, words, found] of cases) {
    it(`offers ${what}`, () => assert.deepEqual(offered(...words), found));
  }

  it("looks for environments in the folder that --cwd names", () => {
    asked.length = 0;
    offered("status", "-C", "/srv/shop", "");
    assert.deepEqual(asked, ["/srv/shop"]);
  });

  it("has an example in every command's help, and an option --json wherever something is told", () => {
    for (const command of program().createHelp().visibleCommands(program())) {
      if (command.name() === "help") continue;
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      assert.match(help, /Example:\n {2}\$ /, command.name());
      if (!["watch", "completion"].includes(command.name())) assert.match(help, /--json/, command.name());
    }
  });
});
