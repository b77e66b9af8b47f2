/**
 * What can go wrong between us and GitHub. Promises that every failure of this room is a GitHubError whose message says
 * what, where and what to do about it, and that no message carries the token.
 */
import { stripVTControlCharacters } from "node:util";

/**
 * Why GitHub did not do what it was asked.
 * - `token`: it does not accept the token (401)
 * - `permission`: the token may not do this (403)
 * - `not-found`: missing, or invisible to the token (404), or a commit that the repository lacks
 * - `limited`: rate limit, and waiting for its end would take too long
 * - `unreachable`: no answer, half an answer, or 5xx, for all tries
 * - `refused`: anything else that it said no to
 */
export type GitHubReason = "token" | "permission" | "not-found" | "limited" | "unreachable" | "refused";

export class GitHubError extends Error {
  override readonly name = "GitHubError";

  constructor(
    readonly reason: GitHubReason,
    message: string,
    about: {
      /** GitHub's own words, without the rest of its answer. */
      said?: string;
      /** Whether what was asked may have been done all the same: an answer that was lost. */
      isUnsure?: boolean;
    } = {},
  ) {
    super(message);
    this.said = about.said ?? "";
    this.isUnsure = about.isUnsure ?? false;
  }

  readonly said: string;
  readonly isUnsure: boolean;
}

/** What a question needs a token to be allowed. */
export interface Permission {
  /** Completes "the token may not …". */
  verb: string;
  /** Of a workflow's `permissions`, a fine-grained token or an app: `deployments: write`. */
  grant: string;
  /** Of a classic token. */
  scope: string;
}

export const permissions = {
  deployments: { verb: "write deployments", grant: "deployments: write", scope: "repo_deployment" },
  contents: { verb: "read commits", grant: "contents: read", scope: "repo" },
  metadata: { verb: "look at it", grant: "metadata: read", scope: "repo" },
  administration: { verb: "change settings", grant: "administration: write", scope: "repo" },
  environments: { verb: "change environments", grant: "environments: write", scope: "repo" },
  actions: { verb: "look at environments", grant: "actions: read", scope: "repo" },
  hooks: { verb: "change webhooks", grant: "webhooks: write", scope: "admin:repo_hook" },
  issues: { verb: "change labels", grant: "issues: write", scope: "repo" },
  workflows: {
    verb: "write workflows",
    grant: "contents: write, workflows: write",
    scope: "workflow",
  },
  pulls: { verb: "open pull requests", grant: "pull_requests: write", scope: "repo" },
  members: { verb: "look at teams", grant: "members: read", scope: "read:org" },
  packages: { verb: "look at packages", grant: "packages: read", scope: "read:packages" },
} as const satisfies Record<string, Permission>;

/** How to give the permission, as the end of a message. */
export const howToGrant = ({ grant, scope }: Permission): string =>
  `give it "${grant}" (a classic token: the scope ${scope})`;

/** Somebody else's words, as they may stand in a line of ours. */
export function oneLine(text: string, most: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
  const plain = [...stripVTControlCharacters(text).replaceAll(controls, " ").trim()];
  if (plain.length <= most) return plain.join("");
  return `${plain
    .slice(0, most - 1)
    .join("")
    .trimEnd()}…`;
}
