import assert from "node:assert/strict";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { type Listener, withoutDebugMessages, withShortStacks } from "../../../watcher/quietProgram";

describe("a program that runs quietly", () => {
  it("keeps debug messages from the engine, and nothing else", async () => {
    const told: string[] = [];
    const engine: Listener = {
      log(request, heard) {
        told.push(request.getMessage());
        heard(null, undefined as never);
      },
    };
    withoutDebugMessages(engine);
    const { DEBUG, INFO, WARNING, ERROR } = LogSeverity;
    for (const severity of [DEBUG, INFO, WARNING, ERROR, DEBUG]) {
      const request = new LogRequest();
      request.setSeverity(severity);
      request.setMessage(`message ${severity}`);
      // One that is never taken would hold up all after it.
      await new Promise((taken) => engine.log(request, taken));
    }
    assert.deepEqual(
      told,
      [INFO, WARNING, ERROR].map((severity) => `message ${severity}`),
    );
  });

  it("has short stack traces while it runs, and long ones again afterwards", async () => {
    const frames = (error: Error) => error.stack?.match(/^ {4}at /gm)?.length;
    const { stackTraceLimit } = Error;
    assert.equal(frames(await withShortStacks(async () => new Error("inside"))), 1);
    await assert.rejects(
      withShortStacks(() => Promise.reject(new Error("failed"))),
      /failed/,
    );
    assert.equal(Error.stackTraceLimit, stackTraceLimit);
  });
});
