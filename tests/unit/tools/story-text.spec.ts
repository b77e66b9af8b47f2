import assert from "node:assert/strict";
import type * as StoryText from "../../../tools/story-text.mjs";
import { importTool } from "./import-module";

describe("tools/story-text", () => {
  let text: typeof StoryText;

  before(async () => {
    text = await importTool<typeof StoryText>("story-text.mjs");
  });

  const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
  const row = (changes: Partial<StoryText.Row>): StoryText.Row => ({
    service: "server",
    from: { version: "1.0.0", digest: digest("a") },
    to: { version: "1.1.0", digest: digest("b") },
    pushedToServingMs: 3210,
    requests: 200,
    failed: 0,
    ...changes,
  });

  it("lines up one row a service, and says refused where nothing ever served", () => {
    assert.deepEqual(
      text
        .table([row({}), row({ service: "client", pushedToServingMs: undefined, requests: 1200 })])
        .split("\n"),
      [
        "service  from                to                  push → serving  requests  failed",
        "server   1.0.0 aaaaaaaaaaaa  1.1.0 bbbbbbbbbbbb           3.2 s       200       0",
        "client   1.0.0 aaaaaaaaaaaa  1.1.0 bbbbbbbbbbbb         refused      1200       0",
      ],
    );
  });

  it("paints a row red in which a request failed, and yellow where it was refused", () => {
    const painted: unknown[] = [];
    text.table([row({ failed: 1 }), row({ pushedToServingMs: undefined }), row({})], (style, line) => {
      painted.push(style);
      return line;
    });
    assert.deepEqual(painted, ["bold", "red", "yellow"]);
  });

  it("lines up one row a deployment, with the states that it went through", () => {
    const painted: unknown[] = [];
    const one = { environment: "test", version: "1.1.0", commit: "6b8eda1b".repeat(5), description: "" };
    const shown = text.deploymentTable(
      [
        { ...one, states: ["in_progress", "in_progress", "success", "inactive"] },
        { ...one, environment: "dev", version: "1.0.0, 1.1.0", states: ["in_progress", "failure"] },
      ],
      (style, line) => {
        painted.push(style);
        return line;
      },
    );
    assert.deepEqual(shown.split("\n"), [
      "deployment of  version       commit   on GitHub",
      "test           1.1.0         6b8eda1  in_progress → success → inactive",
      "dev            1.0.0, 1.1.0  6b8eda1  in_progress → failure",
    ]);
    assert.deepEqual(painted, ["bold", "yellow"]);
  });

  describe("teller", () => {
    function say(stream: { isTTY?: boolean }, env: Record<string, string>): string {
      let written = "";
      let time = 0;
      const write = (chunk: unknown) => {
        written += chunk;
        return true;
      };
      const tell = text.teller({ isTTY: false, ...stream, write }, env, () => time);
      time = 12_340;
      tell.happened("pushed 1.1.0", "bold");
      tell.more("both images");
      return written;
    }

    it("begins a line with the time since the start", () => {
      assert.equal(say({}, {}), "  12.3 s  pushed 1.1.0\n          both images\n");
    });

    it("has colours on a terminal, unless NO_COLOR is set", () => {
      const sequence = "\u001b[";
      assert.ok(say({ isTTY: true }, {}).includes(sequence));
      assert.ok(!say({ isTTY: true }, { NO_COLOR: "1" }).includes(sequence));
      assert.ok(!say({ isTTY: true }, { TERM: "dumb" }).includes(sequence));
    });
  });

  const outputs: { of: string; output: string; error: string }[] = [
    {
      of: "pulumi, without the line that ends every list of errors",
      output:
        "Diagnostics:\n  tagalong:index:Claim (dev):\n    error: 127.0.0.1:8080 is taken\n    error: update failed\n",
      error: "127.0.0.1:8080 is taken",
    },
    {
      of: "docker-build.sh, with its hint and what docker said",
      output:
        "shop    1.0.0\n  | no space left on device\nerror: server was not built\n       its last lines are above\n",
      error: "| no space left on device\nserver was not built\nits last lines are above",
    },
    { of: "a program that only failed", output: "one\nthe last line\n\n", error: "the last line" },
    { of: "a silent program", output: "", error: "it said nothing" },
  ];
  for (const { of, output, error } of outputs) {
    it(`finds the error of ${of}`, () => assert.equal(text.lastError(output), error));
  }
});
