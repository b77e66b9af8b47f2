// What can go wrong between us and a cluster's API, as sentences that end in what to do about it.
import type { Way } from "./kubeconfig";

/** The API's refusal, or its silence. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";

  /**
   * @param status of the answer; 0 where none came
   * @param reason the API's own word, such as NotFound, Forbidden, Conflict, Expired; `Unreachable` where no answer came
   * @param isPassing whether the same request may work in a moment
   */
  constructor(
    message: string,
    readonly status: number,
    readonly reason: string,
    readonly isPassing = false,
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }

  /** Whether asking again is of no use: who asks must change, or what may be asked. */
  get isFinal(): boolean {
    return [400, 401, 403, 404, 405].includes(this.status);
  }
}

export const isClusterError = (error: unknown, ...reasons: string[]): error is ClusterError =>
  error instanceof ClusterError && reasons.includes(error.reason);

/** What the API says of a request that it does not fulfil. */
interface Status {
  message?: string;
  reason?: string;
  code?: number;
  details?: { group?: string; kind?: string };
}

/** Answers that say nothing about the request. */
const busy = [429, 502, 503, 504];

/** The error for an answer that is none that was wanted. */
export function refusal(
  way: Way,
  sent: { method: string; path: string },
  status: number,
  body: string,
  retryAfter?: number,
): ClusterError {
  const said = statusIn(body);
  const code = said.code ?? status;
  const reason = said.reason || (code === 401 ? "Unauthorized" : code === 410 ? "Expired" : `HTTP ${code}`);
  const message = said.message || `${code} to ${sent.method} ${sent.path}`;
  const retryMs = retryAfter ? Math.min(retryAfter, 10) * 1000 : undefined;
  const error = (text: string) => new ClusterError(text, code, reason, busy.includes(code), retryMs);
  if (code === 401) {
    return error(
      `${way.name} does not take the credentials of the user "${way.user}", which have expired or were never good: log in again, or set KUBECONFIG to a file with others`,
    );
  }
  const forbidden = code === 403 ? forbiddenIn(message) : undefined;
  if (forbidden) return error(`${forbidden} (${way.name})`);
  return error(reason === "NotFound" ? message : `${message} (${way.name})`);
}

/** The sentence for a missing permission; undefined where the API refuses for another reason, such as a quota. */
function forbiddenIn(message: string): string | undefined {
  const found =
    /User "([^"]*)" cannot (\S+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)"| at the cluster scope)?/.exec(
      message,
    );
  if (!found) return undefined;
  const [, user, verb, resource, group, namespace] = found;
  const what = group ? `${resource}.${group}` : resource;
  const [where, role] = namespace
    ? [`in the namespace ${namespace}`, `a Role in ${namespace}`]
    : ["at the cluster scope", "a ClusterRole"];
  return `the user "${user}" may not ${verb} ${what} ${where}: let ${role} grant the verb ${verb} on ${what}, see docs/kubernetes.md`;
}

/** The error for a request that got no answer. */
export function silence(way: Way, cause: unknown): ClusterError {
  const { code = "", name, message } = cause as NodeJS.ErrnoException;
  const isPassing = ["ECONNRESET", "EPIPE"].includes(code) || message === "aborted";
  const words = name === "TimeoutError" ? "no answer in time" : message || code;
  const what = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)
    ? `is not the one that the kubeconfig trusts (${words}): get its kubeconfig anew`
    : `does not answer (${words}): start it, mend the way there, or choose another context in tagalong:kubernetes.context`;
  return new ClusterError(`${way.name} ${what}`, 0, "Unreachable", isPassing);
}

function statusIn(body: string): Status {
  try {
    return JSON.parse(body) as Status;
  } catch {
    return {};
  }
}
