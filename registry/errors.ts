/**
 * What can go wrong between us and a registry, in eight words. Promises that every failure of this room is
 * one of its error classes, and that its message ends in what to do about it; no message carries a secret.
 */

/**
 * Why the registry's answer is not sure.
 * - `access`: missing or no access (401 after a new token, 403, no usable credentials)
 * - `absent`: the registry says that there is no such tag, manifest or repository (404)
 * - `rate-limited`: 429, or the host is paused because of one
 * - `server`: 5xx, or the host is paused because of one
 * - `network`: no connection, a reset, TLS
 * - `timeout`: no complete answer within the deadline
 * - `invalid`: an answer that contradicts itself or is no registry's (wrong hash, HTML, too large, …)
 * - `refused`: a sure no to what was to be written (an immutable tag, a read-only registry, content it does not take)
 */
export type Reason =
  | "access"
  | "absent"
  | "rate-limited"
  | "server"
  | "network"
  | "timeout"
  | "invalid"
  | "refused";

/** A registry's refusal, silence or nonsense. `message` is `<reference>: <detail>`, or the detail alone. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  /** What happened and the fix, without the reference. */
  readonly detail: string;
  /** The reference that was asked for, in canonical form; undefined below the level of references. */
  readonly reference: string | undefined;
  /** Milliseconds until the host may be asked again; undefined where it did not say. */
  readonly retryAfterMs: number | undefined;
  /** The registry's own words for it, such as MANIFEST_BLOB_UNKNOWN; empty where it sent none, or they do not matter. */
  readonly codes: readonly string[];

  constructor(
    readonly reason: Reason,
    detail: string,
    about: {
      reference?: string | undefined;
      retryAfterMs?: number | undefined;
      codes?: readonly string[];
    } = {},
  ) {
    super(about.reference === undefined ? detail : `${about.reference}: ${detail}`);
    this.detail = detail;
    this.reference = about.reference;
    this.retryAfterMs = about.retryAfterMs;
    this.codes = about.codes ?? [];
  }

  /** The same failure, naming the reference that it stopped. */
  about(reference: string): RegistryError {
    const { reason, detail, retryAfterMs, codes } = this;
    return new RegistryError(reason, detail, { reference, retryAfterMs, codes });
  }
}

/** A text that is no reference. The message says which part, and what to write instead. */
export class InvalidReferenceError extends Error {
  override readonly name = "InvalidReferenceError";
}

/** A credential source that exists and cannot be used. The message names the source and the fix. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
}
