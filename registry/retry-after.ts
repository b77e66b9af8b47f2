/**
 * Retry-After in every form that registries were seen to send. Promises a delay between 1 second and 5 minutes,
 * or nothing where the header says nothing: a clock that is wrong or a joke of a number stops nobody for a day.
 */

const least = 1_000;
const most = 5 * 60_000;

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Milliseconds to wait, clamped to 1,000 … 300,000; undefined if the header is missing or unreadable.
 * Forms: seconds (`120`), an HTTP date, and a Go duration (`1.16676ms`, `1m2s`: GHCR, GitLab).
 * @param serverDate the answer's `Date` header: an HTTP date is measured from it, so that clocks may differ
 */
export function parseRetryAfter(
  header: string | undefined,
  serverDate: string | undefined,
  now: number,
): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  const delay =
    parseSeconds(text) ?? parseDuration(text) ?? untilDate(text, parseHttpDate(serverDate?.trim()) ?? now);
  return delay === undefined ? undefined : Math.min(Math.max(delay, least), most);
}

function parseSeconds(text: string): number | undefined {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1_000 : undefined;
}

function parseDuration(text: string): number | undefined {
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g);
  return [...parts].reduce(
    (sum, [, amount = "0", unit = "s"]) => sum + Number(amount) * (unitMs[unit] ?? 0),
    0,
  );
}

function untilDate(text: string, now: number): number | undefined {
  const date = parseHttpDate(text);
  return date === undefined ? undefined : date - now;
}

/** The three forms of RFC 9110 (IMF-fixdate, RFC 850, asctime), all of them GMT. */
function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return undefined;
  const date = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(date) ? undefined : date;
}
