// Commands of the engine in turn with whoever else updates the stack.
import { hostname } from "node:os";
import { judgeLocks, parseLocks } from "../rollout/stack-lock";
import { EngineError, isEngine } from "./engine";
import { processStart } from "./lease";
import type { Log } from "./log";
import { pause } from "./pause";

/** Waiting for somebody else's update ended, since the watcher is to stop. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

/** Somebody else updates the stack, and what is to be done may be another thing when that is over. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

export const lockRetryMs = 2000;

/**
 * Runs a command; waits while somebody else updates the stack, clears a lock whose owner is gone. An engine that
 * somebody killed gets a second try, since nothing was wrong with what it did.
 * @param options.givesWay does not wait for somebody else's update
 * @param options.cancel clears the stack's lock
 * @param options.onInterrupted told that an update was cut short
 * @throws Stopped; Overtaken
 */
export async function unlocked<T>(
  command: () => Promise<T>,
  options: {
    givesWay: boolean;
    cancel: () => Promise<void>;
    onInterrupted: () => void;
    log: Log;
    stop: AbortSignal;
    abort: AbortSignal;
  },
): Promise<T> {
  const { givesWay, cancel, onInterrupted, log, stop, abort } = options;
  for (let [told, isKilled] = ["", false]; ; ) {
    try {
      return await command();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.exitCode === null && !isKilled && !abort.aborted) {
        onInterrupted();
        isKilled = true;
        log("failed", "the engine was killed: once more");
        continue;
      }
      if (!/currently locked|already in progress/.test(error.stderr)) throw error;
      const decision = judgeLocks(parseLocks(error.stderr), {
        host: hostname(),
        alive: (pid) => processStart(pid) !== undefined && isEngine(pid),
      });
      if (decision.kind === "clear") {
        await cancel();
        onInterrupted();
        log("recovered", "cleared the lock of an update whose process is gone");
        continue;
      }
      const message = `${decision.holder} is updating the stack`;
      if (givesWay) throw new Overtaken(message);
      if (told !== decision.holder) log("waiting", message);
      told = decision.holder;
      await pause(lockRetryMs, stop);
      if (stop.aborted) throw new Stopped("stopped while somebody else updates the stack");
    }
  }
}
