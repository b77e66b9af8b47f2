/**
 * What a failed question means: whether and when to ask again, and what a person is told. Pure.
 * GitHub documents its limits so: wait for `retry-after`; else, where `x-ratelimit-remaining` is 0, until
 * `x-ratelimit-reset`; else a minute.
 */
import { GitHubError, howToGrant, type Permission } from "./errors";
import type { Repository } from "./repository";

export type Failure =
  /** Headers by lower-case name; GitHub's own message, "" where it has none. */
  | { kind: "answered"; status: number; headers: Readonly<Record<string, string>>; said: string }
  /** A success whose body is not what it should be. */
  | { kind: "unreadable"; status: number }
  /** No answer. */
  | { kind: "silent"; detail: string };

export interface Circumstances {
  repository: Repository;
  /** Where the token came from. */
  variable: string;
  needs: Permission;
  isWrite: boolean;
  /** How many times it was asked, this one included. */
  tried: number;
  /** Milliseconds since the epoch. */
  now: number;
}

export interface Judgement {
  error: GitHubError;
  /** Left out where asking again would change nothing, or could do it twice. */
  again?: { inMs: number };
}

const outageMs = 1_000;
const limitedMs = 60_000;

export function judge(failure: Failure, circumstances: Circumstances): Judgement {
  const { repository, variable, needs, isWrite, tried } = circumstances;
  const where = `${repository.owner}/${repository.name}`;
  if (failure.kind !== "answered" || failure.status >= 500) {
    const what = failure.kind === "silent" ? failure.detail : `${failure.status}`;
    const error = new GitHubError(
      "unreachable",
      `GitHub did not answer for ${where} (${what}); look at https://www.githubstatus.com, or at the way there`,
      { isUnsure: isWrite },
    );
    return isWrite ? { error } : { error, again: { inMs: outageMs * 3 ** (tried - 1) } };
  }
  const { status, said } = failure;
  const quoted = said === "" ? `${status}` : `${status}, ${said}`;
  const limit = limited(failure, circumstances.now);
  if (limit !== undefined) {
    const until = new Date(circumstances.now + limit.inMs).toISOString().replace(/\.\d+Z$/, "Z");
    const text = `GitHub's rate limit for the token in ${variable} is used up until about ${until} (${quoted}); wait, or use a token that fewer share`;
    return { error: new GitHubError("limited", text, { said }), again: limit };
  }
  const text = ((): string => {
    if (status === 401)
      return `GitHub does not accept the token in ${variable} (${quoted}): it is wrong, expired or revoked; put in a new one and ${howToGrant(needs)}`;
    if (status === 403)
      return `the token in ${variable} may not ${needs.verb} in ${where} (${quoted}); ${howToGrant(needs)}`;
    if (status === 404)
      return `${where} is not on GitHub, or hidden from the token in ${variable} (${quoted}); check tagalong:repository in Pulumi.repository.yaml, or ${howToGrant(needs)}`;
    return `GitHub refused to ${needs.verb} in ${where} (${quoted})`;
  })();
  const reasons = { 401: "token", 403: "permission", 404: "not-found" } as const;
  const reason = reasons[status as keyof typeof reasons] ?? "refused";
  return { error: new GitHubError(reason, text, { said }) };
}

function limited({ status, headers, said }: Failure & { kind: "answered" }, now: number): Judgement["again"] {
  if (status !== 403 && status !== 429) return undefined;
  const after = Number(headers["retry-after"]);
  if (Number.isFinite(after) && headers["retry-after"] !== "") return { inMs: Math.max(after, 1) * 1_000 };
  if (headers["x-ratelimit-remaining"] === "0") {
    const reset = Number(headers["x-ratelimit-reset"]) * 1_000;
    return { inMs: Number.isFinite(reset) ? Math.max(reset - now, 1_000) : limitedMs };
  }
  return status === 429 || /rate limit|abuse detection/i.test(said) ? { inMs: limitedMs } : undefined;
}
