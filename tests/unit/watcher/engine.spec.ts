/** What the engine's own words say about the set-up, and which process is an engine. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isEngine, mendState, setUpProblem } from "../../../watcher/engine";

const table: [words: string, sentence: RegExp | undefined][] = [
  ["error: no stack named 'dev' found", /^the stack dev is not in the state backend: create it with/],
  [
    "error: getting stack configuration: get stack secrets manager: incorrect passphrase",
    /^the passphrase is not the one of the stack dev: set PULUMI_CONFIG_PASSPHRASE/,
  ],
  [
    'error: could not deserialize deployment: constructing secrets manager of type "passphrase": constructing secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables',
    /^the stack dev needs its passphrase: set/,
  ],
  [
    "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
    /^no state backend: log in with `pulumi login`/,
  ],
  [
    "error: unable to open bucket file:///nowhere?no_tmp_dir=true: stat /nowhere: no such file or directory",
    /^the state backend file:\/\/\/nowhere is out of reach \(stat \/nowhere: no such file or directory\): set/,
  ],
  ["error: update failed", undefined],
  ["error: the stack is currently locked by 1 lock(s).", undefined],
];

describe("The engine's words", () => {
  for (const [words, sentence] of table) {
    it(
      sentence ? `are put into one sentence with the fix: ${words}` : `say nothing of the set-up: ${words}`,
      () => {
        const problem = setUpProblem(words, "dev");
        if (sentence) assert.match(problem?.message ?? "", sentence);
        else assert.equal(problem, undefined);
      },
    );
  }

  it("are not expected of a process that only has an engine's number", () => {
    assert.equal(isEngine(process.pid), process.platform !== "linux");
  });
});

describe("The state of a stack in files", () => {
  const folder = mkdtempSync(join(tmpdir(), "tagalong state-"));
  const stacks = join(folder, ".pulumi", "stacks", "shop");
  const attributes = join(stacks, "dev.json.attrs");
  before(() => mkdirSync(stacks, { recursive: true }));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const mend = () => mendState(`file://${folder.replace(" ", "%20")}?no_tmp_dir=true`, "shop", "dev");

  it("loses the side file that a killed engine left empty", () => {
    writeFileSync(attributes, "");
    assert.equal(mend(), true);
    assert.equal(existsSync(attributes), false);
  });

  it("keeps a side file that holds something", () => {
    writeFileSync(attributes, "{}");
    assert.equal(mend(), false);
    assert.equal(existsSync(attributes), true);
  });

  it("is left alone where it is not in files", () => {
    assert.equal(mendState("s3://acme-state", "shop", "dev"), false);
  });
});
