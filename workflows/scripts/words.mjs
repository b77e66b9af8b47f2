// How the scripts speak: errors that say what is wrong and the fix, and the forms in which GitHub shows them.

/** What ends a job: the message says what is wrong, the fix what to do. No stack trace is shown. */
export class Stop extends Error {
  /** @param {string} message @param {string} [fix] */
  constructor(message, fix) {
    super(fix ? `${message} — ${fix}` : message);
    this.name = "Stop";
  }
}

/** An annotation as GitHub's runner reads it: one line, whatever the text. @param {string} kind @param {string} text */
export const annotation = (kind, text) =>
  `::${kind}::${text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")}`;

/** @param {unknown} error */
export const errorLine = (error) =>
  annotation(
    "error",
    error instanceof Stop
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error),
  );

/** @param {unknown} error */
export const reasonOf = (error) => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
};

/** The value of a variable that a workflow must set. @param {NodeJS.ProcessEnv} env @param {string} name */
export function needed(env, name) {
  const value = env[name];
  if (value) return value;
  throw new Stop(
    `${name} is not set`,
    "the workflow that calls this script sets it; render the workflows anew",
  );
}

/** Text of others without what a terminal, a table or a heading would obey. @param {string} text */
export const plain = (text) => text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").trim();
