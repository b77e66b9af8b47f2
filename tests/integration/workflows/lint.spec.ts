// What is rendered is clean, whatever the repository: actionlint with shellcheck, zizmor at its second strictest, hadolint.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { renderWorkflows } from "../../../workflows";
import { matrix } from "../../unit/workflows/given";
import { program, run, write } from "../../workflows/programs";

const root = resolve(__dirname, "../../..");

describe("The rendered workflows", function () {
  this.timeout(240_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "workflows-"));
    run("git", ["init", "--quiet"], folder);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What actionlint and zizmor have to say. */
  function findings(test: Mocha.Context): string {
    const actionlint = program(test, "actionlint");
    const zizmor = program(test, "zizmor");
    const first = run(actionlint, ["-no-color"], folder);
    const args = ["--offline", "--quiet", "--no-progress", "--persona", "pedantic", ".github/workflows"];
    const second = run(zizmor, args, folder);
    return [first, second].map(({ status, said }) => (status === 0 ? "" : said)).join("");
  }

  for (const [title, config] of Object.entries(matrix)) {
    it(`are clean for ${title}`, function () {
      write(folder, renderWorkflows(config));
      assert.equal(findings(this), "");
    });
  }

  it("would not be clean with a mistake, so somebody does look", function () {
    write(folder, renderWorkflows(matrix["one image"] ?? assert.fail()));
    const file = join(folder, ".github/workflows/image.yml");
    const text = readFileSync(file, "utf8").replace(
      "run: node .github/tagalong/run.mjs access",
      "run: echo $" + "{{ github.head_ref }} $UNQUOTED",
    );
    writeFileSync(file, text);
    const said = findings(this);
    assert.match(said, /shellcheck reported issue/);
    assert.match(said, /template-injection/);
  });

  it("bring shell scripts that shellcheck has nothing against", function () {
    const shellcheck = program(this, "shellcheck");
    write(folder, renderWorkflows(matrix["no key at all"] ?? assert.fail()));
    const scripts = readdirSync(join(folder, ".github/tagalong")).filter((name) => name.endsWith(".sh"));
    assert.ok(scripts.length > 0);
    const { said } = run(shellcheck, scripts, join(folder, ".github/tagalong"));
    assert.equal(said, "");
  });
});

describe("The Dockerfiles", () => {
  it("of the example and of the watcher are clean", function () {
    const hadolint = program(this, "hadolint");
    const files = ["Dockerfile", "examples/shop/server/Dockerfile", "examples/shop/client/Dockerfile"];
    assert.equal(run(hadolint, files, root).said, "");
  });

  it("are looked at by the script of check.yml, which takes hadolint by hash alone", function () {
    program(this, "hadolint");
    const script = join(root, "workflows/scripts/hadolint.sh");
    const requirement = readFileSync(join(root, "workflows/scripts/hadolint.txt"), "utf8");
    const pinned = readFileSync(join(root, "tools/linters.txt"), "utf8");
    for (const line of requirement.split("\n").filter((text) => /--hash|==/.test(text)))
      assert.ok(pinned.includes(line.replace(/ \\$/, "").trim()), `${line} is not in tools/linters.txt`);
    assert.match(readFileSync(script, "utf8"), /--require-hashes/);
  });
});
