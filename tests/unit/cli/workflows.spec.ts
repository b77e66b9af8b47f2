import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workflows } from "../../../cli/workflows";

const project =
  "name: shop\nruntime: nodejs\nconfig:\n  tagalong:images: {value: {server: {repository: ghcr.io/acme/server}}}\n";
const stack = (lines: string) => `config:\n  tagalong:repository: {owner: acme, name: shop}\n${lines}`;

describe("tagalong workflows", () => {
  let folder: string;
  let out: string;
  let said: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "workflows-"));
    out = join(folder, "shop");
    writeFileSync(join(folder, "Pulumi.yaml"), project);
    config("  tagalong:workflows: {environments: [dev]}\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const config = (lines: string) => writeFileSync(join(folder, "Pulumi.repository.yaml"), stack(lines));
  const run = (options: { check?: boolean; json?: boolean } = {}) => {
    said = "";
    const write = (text: string) => {
      said += text;
    };
    return workflows(
      { cwd: folder, out, ...options },
      { write, width: Number.POSITIVE_INFINITY, paint: (_, text) => text },
    );
  };
  const image = () => join(out, ".github/workflows/image.yml");

  it("writes what the config stands for, scripts that run included", () => {
    assert.equal(run(), 0);
    assert.match(readFileSync(image(), "utf8"), /^# Rendered by Tagalong/);
    assert.ok(statSync(join(out, ".github/tagalong/hadolint.sh")).mode & 0o100);
    assert.match(said, /^(\d+) of \1 files written to /);
  });

  it("has nothing to say of a folder that it has just written", () => {
    run();
    assert.equal(run({ check: true }), 0);
    run();
    assert.match(said, /^0 of /);
  });

  it("writes nothing with --check, and ends with 1", () => {
    assert.equal(run({ check: true }), 1);
    assert.throws(() => statSync(out));
    assert.match(said, /image\.yml +is not there/);
  });

  it("says what was edited, what is older, what is not rendered any more, and what is somebody else's", () => {
    run();
    appendFileSync(image(), "# mine\n");
    appendFileSync(join(out, ".github/workflows/preview.yml"), "# mine\n");
    config("");
    mkdirSync(join(out, ".github"), { recursive: true });
    writeFileSync(join(out, ".github/renovate.json"), "{}\n");
    assert.equal(run({ check: true }), 1);
    assert.match(said, /workflows\/image\.yml +was edited by hand, and would be overwritten/);
    assert.match(
      said,
      /tagalong\/settings\.json +is as it was rendered once: the config or Tagalong has changed/,
    );
    assert.match(said, /workflows\/preview\.yml +was rendered once, and edited by hand, and is not rendered/);
    assert.match(said, /workflows\/promote\.yml +was rendered once and is not any more: remove it/);
    assert.match(said, /renovate\.json +is not of Tagalong, and would be overwritten/);
    assert.match(said, /\nNext: tagalong workflows --out /);
    run();
    assert.match(said, /Not rendered any more, remove: \.github\/workflows\/preview\.yml, /);
  });

  it("leaves workflows of the repository's own alone", () => {
    run();
    writeFileSync(join(out, ".github/workflows/nightly.yml"), "name: Nightly\n");
    assert.equal(run({ check: true }), 0);
  });

  it("takes a file with other line ends for what it was", () => {
    run();
    writeFileSync(image(), readFileSync(image(), "utf8").replaceAll("\n", "\r\n"));
    run({ check: true });
    assert.match(said, /image\.yml +is as it was rendered once/);
  });

  it("writes nothing where a file is in the way of a folder", () => {
    mkdirSync(join(out, ".github"), { recursive: true });
    writeFileSync(join(out, ".github/tagalong"), "");
    assert.throws(() => run(), /tagalong\/access\.mjs is no file, or lies below one that is no folder/);
    assert.throws(() => statSync(image()));
  });

  it("tells it as JSON, as it was before anything was written", () => {
    run({ json: true });
    const { written, files } = JSON.parse(said);
    assert.equal(written, true);
    assert.ok(files.every(({ standing }: { standing: string }) => standing === "new"));
  });

  it("names the file that is missing, and the mistakes in one that is there", () => {
    config("  tagalong:workflows: {environment: [dev]}\n");
    assert.throws(() => run(), /tagalong:workflows\.environment: unknown key — did you mean environments\?/);
    rmSync(join(folder, "Pulumi.repository.yaml"));
    assert.throws(
      () => run(),
      /no .*Pulumi\.repository\.yaml: run in the project's folder, or name it with --cwd/,
    );
  });
});
