/**
 * How long an exchange may take. Promises that its signal aborts with a TimeoutError when the time is over since the
 * start, or since the last sign of life where pieces of a body are watched; and that it keeps no process alive.
 */
import { Readable } from "node:stream";

export class Patience {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout;

  constructor(private readonly ms: number) {
    this.#timer = this.#start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The body as it comes, each piece of which is a sign of life. */
  watched(body: Readable): Readable {
    const renew = () => {
      clearTimeout(this.#timer);
      this.#timer = this.#start();
    };
    async function* pieces() {
      for await (const piece of body) {
        renew();
        yield piece;
      }
    }
    return Readable.from(pieces(), { objectMode: false });
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #start(): NodeJS.Timeout {
    const abort = () => this.#controller.abort(new DOMException("the time is over", "TimeoutError"));
    return setTimeout(abort, this.ms).unref();
  }
}
