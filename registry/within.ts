/** A signal for what has so much time and may be called off before. */

export interface Within {
  readonly signal: AbortSignal;
  /** Ends the counting; to be called once nobody waits any more. */
  clear(): void;
}

/**
 * Aborts with a TimeoutError when the time is over, or as one of the others does. It keeps no process alive.
 *
 * `AbortSignal.any` would do, but holds what it follows weakly: a timeout that nobody else holds is collected as garbage
 * and never comes (nodejs/node#57736, seen with 20.20), nor does an abort of a controller that is gone (#65995).
 */
export function within(ms: number, ...others: readonly (AbortSignal | undefined)[]): Within {
  const controller = new AbortController();
  const followed = others.filter((one) => one !== undefined);
  const onTime = () => end(new DOMException("the time is over", "TimeoutError"));
  const timer = setTimeout(onTime, ms).unref();
  function onAbort() {
    end(followed.find(({ aborted }) => aborted)?.reason);
  }
  function clear() {
    clearTimeout(timer);
    for (const one of followed) one.removeEventListener("abort", onAbort);
  }
  function end(reason: unknown) {
    clear();
    controller.abort(reason);
  }
  for (const one of followed) one.addEventListener("abort", onAbort);
  if (followed.some(({ aborted }) => aborted)) onAbort();
  return { signal: controller.signal, clear };
}
