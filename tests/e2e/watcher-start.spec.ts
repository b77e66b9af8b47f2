// What a watcher says when it cannot start: one sentence, with what to do.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, Project, type Stack } from "./harness";
import { Watching } from "./watching";

describe("A watcher that cannot start", function () {
  this.timeout(600_000);

  const project = new Project(["server"]);
  const elsewhere = mkdtempSync(join(tmpdir(), "tagalong-start-"));
  let stack: Stack;

  const fails = async (options: ConstructorParameters<typeof Watching>[1], sentence: RegExp) => {
    const watching = new Watching(stack, options);
    try {
      assert.equal(await watching.ended, 1, watching.output);
      assert.match(watching.output, sentence);
      assert.equal(watching.output.trim().split("\n").length, 1, watching.output);
    } finally {
      await watching.end();
    }
  };

  before(async () => {
    stack = await project.stack("dev", {
      services: { server: { image: "server", port: 8080, publish: await freePort() } },
    });
    await project.push("server", { version: "1" }, "dev");
  });
  after(async () => {
    rmSync(elsewhere, { recursive: true, force: true });
    await project.close();
  });

  it("says so where the folder has no project", () =>
    fails(
      { args: ["--stack", "dev", "--cwd", elsewhere] },
      /^tagalong: no Pulumi\.yaml in .*: run in the project's folder, or name it with --cwd$/m,
    ));

  it("says so where the stack has no file", () =>
    fails({ args: ["--stack", "nope", "--cwd", project.folder] }, /Pulumi\.nope\.yaml is missing/));

  it("says so where the stack was never made", () => {
    project.write("Pulumi.nope.yaml", {
      config: { "tagalong:services": { server: { image: "server", port: 8080 } } },
    });
    return fails(
      { args: ["--stack", "nope", "--cwd", project.folder] },
      /^tagalong: the stack nope is not in the state backend: create it with `pulumi stack init nope`/m,
    );
  });

  it("says so where nobody has logged in", () => {
    const home = join(elsewhere, "home");
    mkdirSync(home);
    return fails(
      { env: { PULUMI_BACKEND_URL: "", HOME: home, PULUMI_HOME: home, PULUMI_ACCESS_TOKEN: "" } },
      /^tagalong: no state backend: log in with `pulumi login`, or set PULUMI_BACKEND_URL/m,
    );
  });

  it("says so where the backend is not there", () =>
    fails(
      { env: { PULUMI_BACKEND_URL: `file://${elsewhere}/nowhere` } },
      /^tagalong: the state backend file:\/\/.*nowhere is out of reach \(.*no such file or directory\)/m,
    ));

  it("says so where the passphrase is not given", () =>
    fails(
      { env: { PULUMI_CONFIG_PASSPHRASE: undefined } },
      /^tagalong: the stack dev needs its passphrase/m,
    ));

  it("ends when the passphrase proves wrong, instead of trying forever", async () => {
    const watching = new Watching(stack, { env: { PULUMI_CONFIG_PASSPHRASE: "wrong" } });
    assert.equal(await watching.ended, 1, watching.output);
    assert.match(watching.output, /^tagalong: the passphrase is not the one of the stack dev: set PULUMI_/m);
  });

  it("shows every mistake of a config with its key", async () => {
    stack.configure({ services: { server: { image: "server", port: "http" } } });
    const watching = new Watching(stack);
    assert.equal(await watching.ended, 2, watching.output);
    assert.match(watching.output, /^ {2}tagalong:services\.server\.port: /m);
  });
});
