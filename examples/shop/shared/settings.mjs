// What a service of the shop is told: by its environment, and by the image it is baked into.
// Reads the environment once, says which variable is wrong, and never prints a value that may be secret.

export const logLevels = /** @type {const} */ (["debug", "info", "warn", "error"]);
const breakages = /** @type {const} */ (["", "unhealthy", "exit", "slow"]);

/** @typedef {(typeof logLevels)[number]} LogLevel */
/** @typedef {(typeof breakages)[number]} Broken */

/**
 * @typedef {object} Settings
 * @property {number} port
 * @property {LogLevel} logLevel
 * @property {string} environment
 * @property {string} version baked into the image
 * @property {string} commit baked into the image
 * @property {Broken} broken baked into the image; for demonstrations and tests only
 */

export class SettingsError extends Error {}

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Settings}
 */
export function readSettings(env) {
  return {
    port: port(env["PORT"] || "8080"),
    logLevel: oneOf("LOG_LEVEL", logLevels, env["LOG_LEVEL"] || "info"),
    environment: env["ENVIRONMENT"] || "local",
    version: env["VERSION"] || "0.0.0",
    commit: env["REVISION"] || "unknown",
    broken: oneOf("BROKEN", breakages, env["BROKEN"] ?? ""),
  };
}

/**
 * @param {string} name
 * @param {string | undefined} value
 */
export function httpUrl(name, value) {
  if (!value) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== "http:" || url.username || url.password) {
    throw new SettingsError(`${name} must be an http:// address without credentials`);
  }
  return url;
}

/** @param {string} value */
function port(value) {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > 65_535) {
    throw new SettingsError(`PORT must be a whole number from 0 to 65535, not "${value}"`);
  }
  return number;
}

/**
 * @template {string} T
 * @param {string} name
 * @param {readonly T[]} allowed
 * @param {string} value
 */
function oneOf(name, allowed, value) {
  const found = allowed.find((one) => one === value);
  if (found === undefined) {
    throw new SettingsError(`${name} must be one of ${allowed.filter(Boolean).join(", ")}, not "${value}"`);
  }
  return found;
}
