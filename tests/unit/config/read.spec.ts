import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { readConfig } from "../../../config";
import { least } from "./given";

describe("Reading the config", () => {
  const before = pulumi.runtime.allConfig();
  let stack: string;
  let directory: string;
  const given = (values: Record<string, string>, secretKeys: string[] = []) => {
    const json = Object.entries(least).map(([key, value]) => [`tagalong:${key}`, JSON.stringify(value)]);
    pulumi.runtime.setAllConfig({ ...Object.fromEntries(json), ...values }, secretKeys);
  };
  beforeEach(() => {
    stack = pulumi.getStack();
    directory = mkdtempSync(join(tmpdir(), "config-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
    pulumi.runtime.setAllConfig(before);
  });

  it("takes texts as they are and maps from JSON, and leaves other namespaces alone", () => {
    const values = { "tagalong:tag": "7", "tagalong:release": "1.4.2", "docker:host": "ssh://host" };
    given(values);
    const config = readConfig(directory);
    assert.ok(config.kind === "environment");
    assert.deepEqual([config.tag, config.release], ["7", "1.4.2"]);
  });

  it("finds keys that nobody knows, and texts in the place of maps", () => {
    given({ "tagalong:servics": "{}", "tagalong:rollout": "fast", "tagalong:secrets": "hunter2" });
    assert.throws(() => readConfig(directory), {
      name: "ConfigError",
      message: [
        `The config of stack "${stack}" has 3 mistakes; fix in Pulumi.${stack}.yaml:`,
        "  tagalong:rollout: is not a map (the rollout) — write its keys below it: after, for, lockstep, deadline, soak, settle, interval, drain, keep",
        "  tagalong:secrets: is not a map of secrets — set them with pulumi config set --secret --path tagalong:secrets.NAME",
        "  tagalong:servics: unknown key — did you mean services?",
      ].join("\n"),
    });
  });

  it("refuses secrets that Pulumi did not have to decrypt", () => {
    given({ "tagalong:secrets": '{"PIN":"1234"}' });
    assert.throws(() => readConfig(directory), /tagalong:secrets\.PIN: is not encrypted — replace it/);
    given({ "tagalong:secrets": '{"PIN":"1234"}' }, ["tagalong:secrets"]);
    assert.equal(readConfig(directory).kind, "environment");
  });

  it("refuses a plain secret beside an encrypted one, which Pulumi alone does not tell apart", () => {
    given({ "tagalong:secrets": '{"PIN":"1234","KEY":"x"}' }, ["tagalong:secrets"]);
    const file = "config:\n  tagalong:secrets:\n    PIN: '1234'\n    KEY: {secure: v1:abc}\n";
    writeFileSync(join(directory, `Pulumi.${stack}.yaml`), file);
    assert.throws(
      () => readConfig(directory),
      (error: Error) => /secrets\.PIN: is not/.test(error.message) && !/secrets\.KEY/.test(error.message),
    );
  });
});
