import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planEdit, writeEdit } from "../../../cli/edit";
import { ConfigError } from "../../../config";
import { StackFileError } from "../../../config/editStackFile";

const project = "config:\n  tagalong:images:\n    value:\n      server: {repository: ghcr.io/acme/server}\n";
const text = "config:\n  tagalong:services:\n    web: {image: server, port: 80} # all\n";

describe("Editing a stack's file", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-edit-"));
    file = join(folder, "Pulumi.test.yaml");
    writeFileSync(file, text);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const target = () => ({ file, project, stack: "test" });
  const edit = (release: string | undefined) => writeEdit(target(), release);

  it("writes it as a whole, with the rights that it had, and says what changed", () => {
    chmodSync(file, 0o640);
    const { diff, ...rest } = edit("1.4.2");
    assert.deepEqual(rest, { file: "Pulumi.test.yaml", before: null, changed: true, written: true });
    assert.match(diff, /^--- a\/Pulumi\.test\.yaml\n\+\+\+ b\/Pulumi\.test\.yaml\n@@ -1,3 \+1,4 @@\n/);
    assert.equal(
      readFileSync(file, "utf8"),
      text.replace("config:\n", "config:\n  tagalong:release: 1.4.2\n"),
    );
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(folder), ["Pulumi.test.yaml"], "nothing is left beside it");
    assert.equal(edit("1.4.3").before, "1.4.2");
  });

  it("writes nothing where nothing changes, or for a try", () => {
    const { mtimeMs } = statSync(file);
    assert.deepEqual(edit(undefined), {
      file: "Pulumi.test.yaml",
      before: null,
      changed: false,
      diff: "",
      written: false,
    });
    const { edit: planned, config } = planEdit(target(), "1.4.2");
    assert.deepEqual([planned.changed, planned.written, config.release], [true, false, "1.4.2"]);
    assert.equal(statSync(file).mtimeMs, mtimeMs);
  });

  it("follows a link to where the file is", () => {
    const real = join(folder, "elsewhere.yaml");
    writeFileSync(real, text);
    rmSync(file);
    symlinkSync(real, file);
    edit("1.4.2");
    assert(lstatSync(file).isSymbolicLink());
    assert.match(readFileSync(real, "utf8"), /release: 1\.4\.2/);
  });

  it("writes nothing that the config would not be valid with", () => {
    assert.throws(() => edit("latest"), ConfigError);
    assert.equal(readFileSync(file, "utf8"), text);
  });

  it("writes nothing into a file whose bytes it cannot keep", () => {
    const bytes = Buffer.concat([Buffer.from(text), Buffer.from([0x23, 0xe9, 0x0a])]);
    writeFileSync(file, bytes);
    assert.throws(
      () => edit("1.4.2"),
      (error) => error instanceof StackFileError && /is not UTF-8/.test(error.message),
    );
    assert(readFileSync(file).equals(bytes));
  });
});
