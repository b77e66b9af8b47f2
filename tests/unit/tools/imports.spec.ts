import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type * as Imports from "../../../tools/imports.mjs";
import { importTool } from "./import-module";

describe("The import check", () => {
  let importsIn: typeof Imports.importsIn;
  let violations: typeof Imports.violations;
  let violationsIn: typeof Imports.violationsIn;

  before(async () => {
    ({ importsIn, violations, violationsIn } = await importTool<typeof Imports>("imports.mjs"));
  });

  const refused: [string, string, string, string][] = [
    [
      "an upward import",
      "registry/client.ts",
      'import { settle } from "../rollout/settle";',
      "registry may import no other room",
    ],
    [
      "a value where only types may cross",
      "rollout/a.ts",
      'import { parse } from "../registry/b";',
      "and not registry/b",
    ],
    [
      "input and output in rollout",
      "rollout/a.ts",
      'import { readFile } from "node:fs/promises";',
      "does no input or output",
    ],
    [
      "a timer in rollout",
      "rollout/a.ts",
      'import { setTimeout } from "node:timers/promises";',
      "does no input or output",
    ],
    [
      "a docker client in rollout",
      "rollout/a.ts",
      'import Docker from "dockerode";',
      "does no input or output",
    ],
    [
      "the provider's inside in a component",
      "components/docker/edge.ts",
      'import { x } from "../../provider/gate";',
      "and not provider/gate",
    ],
    [
      "tests imported by the program",
      "index.ts",
      'import { mock } from "./tests/mock";',
      "and not tests/mock",
    ],
    [
      "tools imported by the watcher",
      "watcher/run.ts",
      'import { prepare } from "../tools/ground.mjs";',
      "and not tools/ground",
    ],
    [
      "an engine in the watcher, outside the file of its name",
      "watcher/rolls.ts",
      'import { connectEngine } from "../provider/docker/engine";',
      "provider/docker/ is for watcher/docker.ts alone to import",
    ],
    [
      "a room that is loaded at run time",
      "config.ts",
      'const w = await import("./watcher/run");',
      "and not watcher/run",
    ],
    ["a required room", "config.ts", "const w = require('./watcher/run');", "and not watcher/run"],
    ["a re-export", "registry/index.ts", 'export * from "../watcher/run";', "and not watcher/run"],
  ];
  for (const [what, file, text, rule] of refused) {
    it(`refuses ${what}`, () => {
      const [found, ...more] = violationsIn(file, text);
      assert.ok(found?.rule.includes(rule), found?.rule ?? "nothing was refused");
      assert.deepEqual(more, []);
    });
  }

  const accepted: [string, string, string][] = [
    [
      "types of the registry in rollout",
      "rollout/a.ts",
      'import type { Observation } from "../registry/tags";',
    ],
    [
      "the provider's resources in a component",
      "components/a.ts",
      'import { Gate } from "../provider/resources";',
    ],
    [
      "an engine in the watcher's file of its name",
      "watcher/docker.ts",
      'import { connectEngine } from "../provider/docker/engine";',
    ],
    ["the config in the watcher", "watcher/a.ts", 'import { read } from "../config";'],
    ["anything in a test", "tests/unit/a.spec.ts", 'import { withLock } from "../../tools/lock.mjs";'],
    ["a neighbour", "registry/a.ts", 'import { b } from "./b";'],
    [
      "a comment that speaks of an import",
      "registry/a.ts",
      '// import { b } from "../watcher/b";\n/* require("../cli/x") */',
    ],
  ];
  for (const [what, file, text] of accepted) {
    it(`accepts ${what}`, () => assert.deepEqual(violationsIn(file, text), []));
  }

  it("reads imports of several lines, and tells the line on which they begin", () => {
    const found = importsIn('const a = 1;\nimport {\n  b,\n  c,\n} from "./x";\nimport "./y";\n');
    assert.deepEqual(
      found.map(({ to, line }) => `${line} ${to}`),
      ["2 ./x", "6 ./y"],
    );
  });

  it("walks a tree, and passes over what is installed or built", () => {
    const folder = mkdtempSync(join(tmpdir(), "tagalong-imports-"));
    try {
      for (const file of ["registry/a.ts", "node_modules/x/registry/a.ts", "dist/registry/a.ts"]) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), '\nimport "../cli/main";\n');
      }
      assert.deepEqual(
        violations(folder).map(({ file, line }) => `${file}:${line}`),
        ["registry/a.ts:2"],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
