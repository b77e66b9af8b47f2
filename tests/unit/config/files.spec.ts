import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../../config";
import { stackFileSchema } from "../../../config/jsonSchema";
import { keyTable, withKeyTable } from "../../../config/keyTable";
import { checkStackFile } from "../../../config/stackFile";

const root = join(__dirname, "..", "..", "..");
const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const stacks = readdirSync(root).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

describe("The committed files", () => {
  it("have the schema that editors use up to date (else run npm run schema)", () => {
    assert.deepEqual(
      JSON.parse(read("schema", "config.schema.json")),
      JSON.parse(JSON.stringify(stackFileSchema())),
    );
  });

  for (const file of ["README.md", join("docs", "configuration.md")]) {
    it(`have the table of keys in ${file} up to date (else run npm run schema)`, () => {
      const page = read(file);
      assert.equal(page, withKeyTable(page));
    });
  }

  it("say of each key something of its own", () => {
    const lines = [...keyTable().matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, key = "", meaning]) => {
      const [, above = ""] = /^(.*)\.[^.]+$/.exec(key) ?? [];
      return `${above}: ${meaning}`;
    });
    assert.notEqual(lines.length, 0);
    assert.deepEqual(
      lines.filter((line, index) => lines.indexOf(line) !== index),
      [],
    );
  });

  it("have a stack for the repository, for dev and for test", () => {
    assert.deepEqual(stacks.sort(), ["dev", "repository", "test"]);
  });

  for (const stack of stacks) {
    it(`have a right Pulumi.${stack}.yaml, whose first line names the schema`, () => {
      const text = read(`Pulumi.${stack}.yaml`);
      assert.equal(text.split("\n")[0], "# yaml-language-server: $schema=./schema/config.schema.json");
      const config = checkStackFile(read("Pulumi.yaml"), text, stack);
      assert.equal(config.kind, stack === "repository" ? "repository" : "environment");
    });
  }
});

describe("The text of a stack's file", () => {
  const project =
    "config:\n  images: {value: {server: {repository: ghcr.io/acme/server}}}\n  tagalong:tag: main\n";
  const services = "tagalong:services: {server: {image: server, port: 80}}";

  it("is read over what the project shares", () => {
    const config = checkStackFile(project, `config:\n  ${services}\n  docker:host: x\n`, "dev");
    assert.ok(config.kind === "environment");
    assert.equal(config.tag, "main");
    assert.equal(config.images["server"]?.repository.repository, "acme/server");
  });

  it("names a release as it stands there, and loses no zero unnoticed", () => {
    const named = (release: string) => `config:\n  ${services}\n  tagalong:release: ${release}\n`;
    const config = checkStackFile(project, named("1.10.0"), "dev");
    assert.equal(config.kind === "environment" && config.release, "1.10.0");
    assert.deepEqual(failure(project, named("1.10")), [
      '  tagalong:release: 1.1 is a number to YAML, where 1.10 loses its zero — write the whole version in quotes, for example "1.10.0"',
    ]);
  });

  it("holds secrets encrypted one by one, so that their names can be read", () => {
    assert.deepEqual(
      failure(project, `config:\n  ${services}\n  tagalong:secrets: {PIN: {secure: v1:abc}}\n`),
      [],
    );
    assert.deepEqual(failure(project, `config:\n  ${services}\n  tagalong:secrets: {secure: v1:abc}\n`), [
      "  tagalong:secrets: is not a map of secrets — set them with pulumi config set --secret --path tagalong:secrets.NAME",
    ]);
  });

  it("may not hold a plain secret, not even beside an encrypted one", () => {
    const text = `config:\n  ${services}\n  tagalong:secrets: {PIN: {secure: v1:abc}, KEY: plain}\n`;
    assert.deepEqual(failure(project, text), [
      "  tagalong:secrets.KEY: is not encrypted — replace it: pulumi config set --stack dev --secret --path tagalong:secrets.KEY",
    ]);
  });

  it("may not hold an encrypted value where it would not stay secret", () => {
    const text = `config:\n  tagalong:services: {server: {image: server, env: {PIN: {secure: v1:abc}}}}\n`;
    assert.deepEqual(failure(project, text), [
      "  tagalong:services: holds an encrypted value, which would not stay secret here — move it to tagalong:secrets, or set it without --secret",
    ]);
  });

  function failure(projectText: string, text: string): string[] {
    try {
      checkStackFile(projectText, text, "dev");
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.message.split("\n").slice(1);
    }
  }
});
