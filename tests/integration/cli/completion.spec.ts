// The completion as a person has it: a real bash, its own readline, and the built command line.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const cli = resolve(__dirname, "../../../cli/tagalong.mjs");
const run = (...args: string[]) => execFileSync(process.execPath, [cli, ...args], { encoding: "utf8" });
const has = (shell: string) => spawnSync(shell, ["--version"]).status === 0;

describe("Completion in a shell", function () {
  this.timeout(240_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong completion "));
    mkdirSync(join(folder, "a folder"));
    writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\n");
    writeFileSync(join(folder, "Pulumi.dev.yaml"), "config:\n");
    writeFileSync(join(folder, "Pulumi.test.yaml"), "config:\n  tagalong:release: sha-0123\n");
    writeFileSync(join(folder, "Pulumi.repository.yaml"), "config:\n");
    for (const shell of ["bash", "zsh", "fish"])
      writeFileSync(join(folder, `script.${shell}`), run("completion", shell));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What bash offers for a line with the cursor at its end. */
  const offered = (line: string): string[] => {
    const code = `source ./script.bash; COMP_LINE=$1 COMP_POINT=\${#1}; _tagalong; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const options = { cwd: folder, encoding: "utf8" } as const;
    return execFileSync("bash", ["--norc", "-c", code, "bash", line], options)
      .split("\n")
      .filter((text) => text !== "");
  };

  it("offers commands, options, environments and releases", () => {
    assert(offered("tagalong ").includes("promote"));
    assert.deepEqual(offered("tagalong rol"), ["rollback"]);
    assert.deepEqual(offered("tagalong promote "), ["dev", "test"]);
    assert.deepEqual(offered("tagalong promote test --from d"), ["dev"]);
    assert.deepEqual(offered("tagalong promote test --release "), ["sha-0123"]);
    assert.deepEqual(
      offered("tagalong promote test --release=sh"),
      ["sha-0123"],
      "bash completes behind the =",
    );
    assert.deepEqual(offered("tagalong status -C a"), ["a folder"]);
    assert.deepEqual(offered("tagalong hold test --reason "), []);
  });

  it("completes what is typed at a prompt", async () => {
    const typed = [
      "PS1=; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'",
      "source ./script.bash; tagalong() { printf 'ran<%s>' \"$@\"; echo; }",
      "tagalong prom\tte\t--rel\tsh\t--dr\t",
      "exit",
      "",
    ].join("\n");
    const shell = spawn("script", ["-qec", "bash --norc -i", "/dev/null"], { cwd: folder });
    let said = "";
    shell.stdout.on("data", (chunk) => (said += chunk));
    const ended = new Promise((done) => shell.once("close", done));
    shell.stdin.write(typed);
    await ended;
    assert.match(said, /ran<promote>ran<test>ran<--release>ran<sha-0123>ran<--dry-run>/, said);
  });

  it("comes as a script that each shell can read", () => {
    for (const shell of ["bash", "zsh", "fish"].filter(has)) {
      const { status, stderr } = spawnSync(shell, ["-n", join(folder, `script.${shell}`)], {
        encoding: "utf8",
      });
      assert.equal(status, 0, `${shell}: ${stderr}`);
    }
  });
});
