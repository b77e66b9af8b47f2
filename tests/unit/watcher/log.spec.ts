/** The log: a line of JSON for a machine, a sentence for a person. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** What a process prints that says one thing. */
function say(human: boolean, event: string, message: string, facts: object): string {
  const script = `
    require("ts-node/register");
    const { createLog } = require("./watcher/log");
    createLog(${human})(${JSON.stringify(event)}, ${JSON.stringify(message)}, ${JSON.stringify(facts)});`;
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], {
    cwd: join(__dirname, "../../.."),
    env: { ...process.env, NO_COLOR: "1" },
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  return stdout;
}

describe("The watcher's log", function () {
  this.timeout(30_000);

  it("is one JSON object a line where nobody looks", () => {
    const before = Date.now();
    const line = say(false, "moved", "server to 2", { image: "server", digest: "sha256:2" });
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual(rest, {
      level: "info",
      event: "moved",
      image: "server",
      digest: "sha256:2",
      message: "server to 2",
    });
    assert(typeof time === "number" && time >= before);
    assert.equal(line.split("\n").length, 2);
  });

  for (const event of ["refused", "rejected", "unknown", "failed"]) {
    it(`warns of what is ${event}`, () =>
      assert.equal((JSON.parse(say(false, event, "x", {})) as { level: string }).level, "warn"));
  }

  it("is a sentence with its time for a person, without the facts", () => {
    assert.match(
      say(true, "moved", "server to 2", { image: "server" }),
      /^\[\d\d:\d\d:\d\d\.\d{3}\]:? moved server to 2\n$/,
    );
  });
});
