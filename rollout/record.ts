// What is kept of the past: verdicts, overrides, holds and receipts, as plain data. ledger/ keeps them in the registry.

/** What an environment found out about a digest, while the service's configuration was the one named. */
export interface Verdict {
  outcome: "healthy" | "rejected";
  /** RFC 3339 time at which it was found: of `healthy`, when the soak time was over. */
  at: string;
  /** Why, in a sentence; "" where there is nothing to say. */
  reason: string;
  /** The configuration it was found with, see {@link configurationOf}. */
  configuration: string;
  /** Who rolled: user and host, as in `ada@build-7`. */
  by: string;
  /** Id of the receipt of the roll in which it was found. */
  receipt: string;
}

/** Somebody's word that an environment may run a digest in spite of what was found, or not found yet. */
export interface Override {
  at: string;
  by: string;
  reason: string;
  /** Digests of the records of the rejections that it overrides, whichever environment's; later ones it does not know. */
  rejections: string[];
}

/** Everything that one environment has on record of one digest. */
export interface Findings {
  healthy?: Verdict;
  /** With the digest of its own record, which an override names. */
  rejected?: Verdict & { record: string };
  override?: Override;
}

/** An environment that is to stay where it is until somebody lifts it. */
export interface Hold {
  at: string;
  by: string;
  reason: string;
}

/** The steps of a roll, in their order. */
export const hops = ["observed", "admitted", "pulled", "started", "healthy", "switched", "drained"] as const;
export type Hop = (typeof hops)[number];

/** The record of one roll; complete also when it failed. */
export interface Receipt {
  /** Sorts by time: `20261121T161500.123Z-4f9a01`. */
  id: string;
  environment: string;
  /** What set it off: a tag that moved, an edit of the config, a way back after a failure, a repair. */
  trigger: "tag" | "config" | "return" | "repair";
  /** Who rolled: user and host. */
  by: string;
  /** Whether a watcher or a `pulumi up` by hand did it. */
  via: "watcher" | "up";
  /** The release that the config names, or the name that all images carry; left out where there is none. */
  release?: string;
  /** Git commit of the project's folder, where it is one and clean. */
  configRevision?: string;
  /** By image; `from` is left out at the first roll. */
  images: Record<string, { from?: string; to: string; version?: string; revision?: string }>;
  /** RFC 3339 time of each step that was reached. */
  hops: Partial<Record<Hop, string>>;
  /** `live` until its soak time is over, unless it ended otherwise. */
  outcome: "rolling" | "live" | "healthy" | "rejected" | "failed" | "cancelled";
  /** Why it is not healthy; left out where there is nothing to say. */
  reason?: string;
  /** RFC 3339 time of its outcome; left out while it rolls. */
  endedAt?: string;
}
