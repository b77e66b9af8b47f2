// How a command ends: one number a kind of end, the same for all commands.

export const exitCodes = { ok: 0, failed: 1, usage: 2, refused: 3, unknown: 4, cancelled: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command that cannot go on. The message says what, where and the fix. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  constructor(
    message: string,
    readonly code: ExitCode,
  ) {
    super(message);
  }
}

/** By name: the classes stand in modules that a command that needs none of them does not load. */
const codes: Readonly<Record<string, ExitCode>> = {
  ConfigError: exitCodes.usage,
  StackFileError: exitCodes.usage,
  InvalidReferenceError: exitCodes.usage,
  RegistryError: exitCodes.unknown,
  CredentialError: exitCodes.unknown,
  GitHubError: exitCodes.unknown,
  PreflightError: exitCodes.usage,
};

/** The exit code that an error stands for. */
export function codeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.code;
  if (!(error instanceof Error)) return exitCodes.failed;
  // What is not known of a release for want of an answer is not known to be missing.
  return (
    codes[error.name] ??
    (error.name === "ReleaseError" && error.cause ? codeOf(error.cause) : exitCodes.failed)
  );
}

/** What a person reads of an error: its message, or the whole of it where it is a mistake of ours. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isOurs = [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
  return isOurs ? (error.stack ?? error.message) : error.message;
}
