// What a user can act on: the message says what is missing and the command that gets it, without a stack trace.
export class Failure extends Error {
  /**
   * @param {string} message
   * @param {string} [fix] the command or page that mends it
   */
  constructor(message, fix) {
    super(fix ? `${message}\n  ${fix.replaceAll("\n", "\n  ")}` : message);
    this.name = "Failure";
  }
}

/** @param {unknown} error */
export const reason = (error) => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
};
