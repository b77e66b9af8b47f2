// A list of the cluster that stays true: read once, then watched. Of each object it keeps what `trim` makes of it, and
// nothing of what is gone, so that its size is that of the list and not of all that has happened to it.
import { setTimeout as pause } from "node:timers/promises";
import type { Labelled } from "./api";
import type { Cluster, Query } from "./cluster";
import { ClusterError, isClusterError } from "./errors";

const longestPauseMs = 2_000;

export class Follower<F> {
  /** By the objects' uid. */
  readonly items = new Map<string, F>();
  /** Goes up with each change. */
  version = 0;
  /** Why nothing is known of what happens now; undefined while it is. */
  trouble: ClusterError | undefined;
  /** Resolves once the list was read. */
  readonly ready: Promise<void>;
  private readonly stop = new AbortController();

  /** @param trim what is kept of an object; `former` is what was kept of it before */
  constructor(
    private readonly cluster: Cluster,
    private readonly path: string,
    private readonly query: Query,
    private readonly trim: (object: unknown, former: F | undefined) => F,
  ) {
    this.ready = new Promise((resolve, reject) => {
      void this.follow(resolve).catch(reject);
    });
    // Whoever looks is told; a follower that nobody looks at any more may fail in silence.
    this.ready.catch(() => {});
  }

  close(): void {
    this.stop.abort();
  }

  /** @throws ClusterError where the API will not have it, however often it is asked */
  private async follow(onReady: () => void): Promise<void> {
    let [position, failures] = ["", 0];
    while (!this.stop.signal.aborted) {
      try {
        if (position === "") {
          position = await this.read();
          onReady();
        }
        for await (const at of this.watch(position)) {
          position = at;
          failures = 0;
          this.trouble = undefined;
        }
        await this.rest(100); // the API has ended the watch, as it does
      } catch (error) {
        if (this.stop.signal.aborted) return;
        // The API forgets what was long ago: what there is now is read anew.
        position = "";
        if (isClusterError(error, "Expired", "Gone")) continue;
        this.trouble =
          error instanceof ClusterError ? error : new ClusterError(String(error), 0, "Unreachable");
        if (this.trouble.isFinal) throw error;
        await this.rest(Math.min(longestPauseMs, 100 * 2 ** failures++));
      }
    }
  }

  private async rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.stop.signal, ref: false }).catch(() => {});
  }

  private async read(): Promise<string> {
    const { signal } = this.stop;
    const seen = new Set<string>();
    let position = "";
    for await (const page of this.cluster.pages<Labelled>(this.path, { query: this.query, signal })) {
      for (const object of page.items) seen.add(this.keep(object));
      position = page.resourceVersion;
    }
    for (const uid of this.items.keys()) if (!seen.has(uid)) this.items.delete(uid);
    this.version++;
    this.trouble = undefined;
    return position;
  }

  /** @returns yields the position after each change */
  private async *watch(resourceVersion: string): AsyncGenerator<string> {
    const { signal } = this.stop;
    const ask = { query: this.query, signal, resourceVersion };
    for await (const { type, object } of this.cluster.watch<Labelled>(this.path, ask)) {
      if (type === "DELETED") this.items.delete(object.metadata.uid ?? "");
      else if (type !== "BOOKMARK") this.keep(object);
      if (type !== "BOOKMARK") this.version++;
      yield object.metadata.resourceVersion ?? "";
    }
  }

  private keep(object: Labelled): string {
    const uid = object.metadata.uid ?? "";
    this.items.set(uid, this.trim(object, this.items.get(uid)));
    return uid;
  }
}
