// A program that runs in this process, without what Pulumi's SDK does in case somebody debugs it: several messages to
// the engine for each resource, each a call of its own, and the stack of each promise.
import type * as pulumi from "@pulumi/pulumi";
import { LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

type Request = Parameters<NonNullable<ReturnType<typeof pulumi.runtime.getEngine>>["log"]>[0];

/** The engine, as far as the SDK tells it something. */
export interface Listener {
  log(request: Request, heard: (error: null, answer: Empty) => void): unknown;
}

/** Where an error came from is still told, but not the way there. */
const frames = 1;

/** Keeps debug messages from an engine that would show them to nobody. */
export function withoutDebugMessages(engine: Listener): void {
  const log = engine.log.bind(engine);
  engine.log = (request, heard) =>
    request.getSeverity() === LogSeverity.DEBUG ? heard(null, new Empty()) : log(request, heard);
}

/** Runs what runs a program, and keeps stack traces short meanwhile. */
export async function withShortStacks<T>(run: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Math.min(frames, stackTraceLimit);
  try {
    return await run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
