/** What a receipt looks like as a GitHub deployment. Pure: plain data in, plain data out. */
import type { Receipt } from "../rollout/record";
import { oneLine } from "./errors";

export type State = "in_progress" | "success" | "failure" | "error" | "inactive";

export interface Status {
  state: State;
  /** At most 140 characters, GitHub's limit. */
  description: string;
}

const longest = 140;

/** Somebody else's deployments carry other payloads, or none. */
export interface Payload extends Record<string, unknown> {
  /** Id of the receipt, by which its deployment is found again. */
  receipt: string;
  trigger: Receipt["trigger"];
  via: Receipt["via"];
  release?: string;
  configRevision?: string;
  images: Receipt["images"];
}

/** Without who rolled: the page may be public, and that is a user and a machine. */
export const payloadOf = ({ id, trigger, via, release, configRevision, images }: Receipt): Payload => ({
  receipt: id,
  trigger,
  via,
  ...(release === undefined ? {} : { release }),
  ...(configRevision === undefined ? {} : { configRevision }),
  images,
});

/**
 * Where a deployment stands. Serving within the soak time is still in progress: it may go back. Where nobody will know
 * whether it stays well, it has come as far as it will: it serves, until something else does.
 */
export function statusOf(receipt: Receipt): Status {
  const { outcome, hops, endedAt } = receipt;
  const why = receipt.reason === undefined ? "" : `: ${receipt.reason.split("\n")[0]}`;
  const [state, text] = ((): [State, string] => {
    switch (outcome) {
      case "rolling":
        return ["in_progress", `Rolling to ${nameOf(receipt)}`];
      case "live":
        if (endedAt !== undefined) return ["success", `Live: ${nameOf(receipt)}${tookOf(receipt)}${why}`];
        return [
          "in_progress",
          `Serving${hops.switched ? ` since ${hops.switched}` : ""}; its soak time is not over`,
        ];
      case "healthy":
        return ["success", `Healthy: ${nameOf(receipt)}${tookOf(receipt)}`];
      case "rejected":
        return ["failure", `Rejected${why}`];
      // What keeps nobody from trying again: not the image's fault.
      case "failed":
        return ["error", `Failed${why}`];
      case "cancelled":
        return ["error", `Cancelled${why}`];
    }
  })();
  return { state, description: oneLine(text, longest) };
}

export const descriptionOf = (receipt: Receipt): string => {
  const because = { tag: "", config: "", return: "Back to ", repair: "Again: " }[receipt.trigger];
  return oneLine(`${because}${nameOf(receipt)}`, longest);
};

/** The release, else the images by version or digest. */
function nameOf({ release, images }: Receipt): string {
  if (release !== undefined) return release;
  const named = Object.entries(images).map(
    ([image, { version, to }]) => `${image} ${version ?? to.slice(0, 19)}`,
  );
  return named.join(", ");
}

function tookOf({ hops: { observed, switched } }: Receipt): string {
  const ms = Date.parse(switched ?? "") - Date.parse(observed ?? "");
  return Number.isFinite(ms) && ms >= 0 ? `, live ${(ms / 1000).toFixed(1)} s after it was seen` : "";
}

/** Users look at what they deploy under these names, and GitHub itself treats the first so. */
export const isProduction = (environment: string): boolean => /^prod(uction)?$/i.test(environment);

/**
 * Whether a deployment that has these statuses already, newest first, lacks this one. What ends it is added once, and
 * nothing that comes late undoes it. An error does not end it: the same roll may be tried again, as often as it takes,
 * and is shown again only where it comes further.
 */
export function isNews({ state, description }: Status, has: readonly Status[]): boolean {
  if (state === "error") return has[0]?.state !== "error";
  if (state !== "in_progress") return !has.some((one) => one.state === state);
  const isOver = has.some((one) => ["success", "failure", "inactive"].includes(one.state));
  return !isOver && !has.some((one) => one.description === description);
}

const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

export type Commits =
  /** One commit was built into all images, or several of which the newest is to be found. */
  { kind: "commits"; candidates: [string, ...string[]] } | { kind: "none"; reason: string };

/** The commits that a roll brings, of which the deployment names one. */
export function commitsOf({ release, images, environment }: Receipt): Commits {
  const released = /^sha-([0-9a-f]{40})$/.exec(release ?? "")?.[1];
  if (released !== undefined) return { kind: "commits", candidates: [released] };
  // What changed comes first: where histories have nothing to do with each other, it is what the roll is about.
  const entries = Object.entries(images).sort(
    ([, a], [, b]) => Number(a.from === a.to) - Number(b.from === b.to),
  );
  const named = entries.flatMap(([image, { revision }]) => (revision ? [[image, revision] as const] : []));
  const [first, ...rest] = [...new Set(named.map(([, revision]) => revision).filter(isCommit))];
  if (first !== undefined) return { kind: "commits", candidates: [first, ...rest] };
  const [odd] = named;
  const label = "the label org.opencontainers.image.revision";
  return {
    kind: "none",
    reason: odd
      ? `${odd[0]} has ${oneLine(odd[1], 60)} in ${label}, which is no commit's full name: build it with \`git rev-parse HEAD\` there, and rolls of ${environment} show on GitHub`
      : `no image of ${environment} has ${label}: build them with the commit there, and its rolls show on GitHub`,
  };
}
