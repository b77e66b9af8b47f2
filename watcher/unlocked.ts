// Commands of the engine where somebody else may be updating the stack.
import { hostname } from "node:os";
import { judgeLocks, parseLocks } from "../rollout/stack-lock";
import { EngineError, isEngine } from "./engine";
import { processStart } from "./lease";
import type { Log } from "./log";

/** Somebody else updates the stack, or has; what is to be done may be another thing by now. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/**
 * Runs a command; gives way to somebody else's update, clears a lock whose owner is gone. An engine that somebody killed
 * gets a second try, since nothing was wrong with what it did.
 * @param options.cancel clears the stack's lock
 * @param options.onInterrupted told that an update was cut short
 * @throws Overtaken
 */
export async function unlocked<T>(
  command: () => Promise<T>,
  options: {
    cancel: () => Promise<void>;
    onInterrupted: () => void;
    log: Log;
    abort: AbortSignal;
  },
): Promise<T> {
  const { cancel, onInterrupted, log, abort } = options;
  for (let isKilled = false; ; ) {
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
      throw new Overtaken(`${decision.holder} is updating the stack`);
    }
  }
}
