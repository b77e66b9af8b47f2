/**
 * Reads the JSON of a Docker config file. Promises that what is malformed is an error naming the source and the
 * key, never the value: JSON.parse's own message would quote the text, and the text is full of secrets.
 */
import type { Secret } from "./credentials";
import { CredentialError } from "./errors";

/** What of a Docker config file says who we are; keys are hosts as their writers wrote them. */
export interface DockerConfig {
  readonly auths: Readonly<Record<string, Secret>>;
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore: string | undefined;
}

const hubHosts = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** @throws CredentialError if the text is no JSON object, or a part of it has another shape than Docker's */
export function parseDockerConfig(text: string, source: string): DockerConfig {
  const config = asRecord(parseJson(text, source), source, "it");
  const store = config.credsStore;
  const auths = Object.entries(section(config, "auths", source)).flatMap(([host, entry]) => {
    const secret = readEntry(asRecord(entry, source, `auths["${host}"]`), source, host);
    return secret === undefined ? [] : [[host, secret] as const];
  });
  const helpers = Object.entries(section(config, "credHelpers", source)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "",
  );
  return {
    auths: Object.fromEntries(auths),
    credHelpers: Object.fromEntries(helpers),
    credsStore: typeof store === "string" && store !== "" ? store : undefined,
  };
}

/** The entry of a registry host, whatever its key's form: `ghcr.io`, `https://ghcr.io/v2/`, Docker Hub's aliases. */
export function findEntry<T>(entries: Readonly<Record<string, T>>, registry: string): T | undefined {
  if (Object.hasOwn(entries, registry)) return entries[registry];
  const wanted = hostOf(registry);
  return Object.entries(entries).find(([key]) => hostOf(key) === wanted)?.[1];
}

function hostOf(key: string): string {
  const host = (key.replace(/^https?:\/\//i, "").split("/")[0] ?? "").toLowerCase();
  return hubHosts.has(host) ? "docker.io" : host;
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CredentialError(`${source} is no valid JSON; write it again with "docker login", or remove it`);
  }
}

function section(config: Record<string, unknown>, key: string, source: string): Record<string, unknown> {
  return config[key] == null ? {} : asRecord(config[key], source, key);
}

function asRecord(value: unknown, source: string, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new CredentialError(
    `${source}: ${what} must be a JSON object; see the Docker CLI's documentation of config.json`,
  );
}

/** Undefined where `docker login` left an empty entry because a helper keeps the secret. */
function readEntry(entry: Record<string, unknown>, source: string, host: string): Secret | undefined {
  const text = (key: string): string => (typeof entry[key] === "string" ? entry[key] : "");
  if (text("identitytoken") !== "") return { kind: "identity-token", token: text("identitytoken") };
  if (text("auth") !== "") {
    const decoded = Buffer.from(text("auth"), "base64").toString("utf8").replace(/\0+$/, "");
    const colon = decoded.indexOf(":");
    if (colon < 1) {
      throw new CredentialError(
        `${source}: auths["${host}"].auth must be the base64 of user:password; run "docker login ${host}"`,
      );
    }
    return { kind: "password", username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  if (text("username") === "" || text("password") === "") return undefined;
  return { kind: "password", username: text("username"), password: text("password") };
}
