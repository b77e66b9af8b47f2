/**
 * Turns what Node and undici throw into this room's words. Promises that a failed exchange is a RegistryError
 * whose message names the host, the cause and the fix, whatever was thrown.
 */
import { RegistryError } from "./errors";

const timeouts = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
]);
const nonsense = new Set([
  "UND_ERR_HEADERS_OVERFLOW",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_RES_EXCEEDED_MAX_SIZE",
]);

const fixes: readonly (readonly [RegExp, string])[] = [
  [/ERR_SSL_|EPROTO/, "if this registry speaks plain HTTP, list its host in TAGALONG_INSECURE_REGISTRIES"],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/,
    "if its certificate is of your own authority, set NODE_EXTRA_CA_CERTS to that authority's file",
  ],
  [/ENOTFOUND|EAI_AGAIN/, "check the host's name and this machine's DNS"],
  [/ECONNREFUSED/, "check the port, and that the registry runs"],
];

/** @param deadlineMs the exchange's deadline, named in the message if that is what ended it */
export function explainFailure(error: unknown, origin: string, deadlineMs: number): RegistryError {
  const { name, code, message } = describe(error);
  if (name === "TimeoutError" || timeouts.has(code)) {
    return new RegistryError(
      "timeout",
      `${origin} did not answer completely within ${deadlineMs} ms; it is asked again at the next check`,
    );
  }
  if (name === "HTTPParserError" || nonsense.has(code)) {
    return new RegistryError(
      "invalid",
      `${origin} sent what is no HTTP (${message}); look for a proxy in between`,
    );
  }
  const fix = fixes.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1];
  return new RegistryError(
    "network",
    `${origin} could not be asked: ${message}${code && !message.includes(code) ? ` (${code})` : ""}; ${fix ?? "it is asked again at the next check"}`,
  );
}

/** The innermost cause that says something: happy eyeballs wraps several refusals in an AggregateError. */
function describe(error: unknown): { name: string; code: string; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  if (!(error instanceof Error)) return { name: "", code: "", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const message = code.startsWith("ERR_SSL_") ? "no TLS there" : error.message.replace(/\s+/g, " ").trim();
  return { name: error.name, code, message };
}
