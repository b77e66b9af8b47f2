// `tagalong watch`: the watcher in this process, with the signals that end it.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

import program = require("../index");

import { createLog } from "../watcher/log";
import { watch } from "../watcher/watch";
import { type ExitCode, exitCodes } from "./failure";

const sameKeystrokeMs = 500;

export async function watchCommand(options: { stack: string; cwd: string }): Promise<ExitCode> {
  adoptSecrets();
  beat();
  const log = createLog();
  const [stop, abort] = [new AbortController(), new AbortController()];
  let stoppedAt = 0;
  const end = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      // A terminal's Ctrl-C comes twice to what npm started: from the terminal, and passed on by npm.
      if (Date.now() - stoppedAt < sameKeystrokeMs || abort.signal.aborted) return;
      log("stopping", `${signal} again: cancelling the roll under way`);
      abort.abort(new Error("cancelled"));
      return;
    }
    log("stopping", `${signal}: ending at the next safe point; once more cancels a roll under way`);
    stoppedAt = Date.now();
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  const directory = resolve(options.cwd);
  await watch({ stack: options.stack, directory, program, log, stop: stop.signal, abort: abort.signal });
  return abort.signal.aborted ? exitCodes.cancelled : exitCodes.ok;
}

/** Secrets that came as a file, as they do in the watcher's container, become environment variables of this process alone. */
function adoptSecrets(file = process.env["TAGALONG_SECRETS_FILE"]): void {
  if (file !== undefined) Object.assign(process.env, JSON.parse(readFileSync(file, "utf8")));
}

const heartbeatEveryMs = 5_000;

/** Writes a file as long as this process gets to do anything, for a pod's liveness probe. */
function beat(file = process.env["TAGALONG_HEARTBEAT_FILE"]): void {
  if (file === undefined) return;
  const write = () => writeFileSync(file, String(Date.now()));
  write();
  setInterval(write, heartbeatEveryMs).unref();
}
