/**
 * Who we are to a registry. Promises one order (the stack's config, DOCKER_AUTH_CONFIG, the Docker config file
 * with its helpers), a fresh look at each question so that rotated passwords are picked up, and that a secret
 * stands in no log, argument list or error text.
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { askHelper } from "./credential-helper";
import { type DockerConfig, findEntry, parseDockerConfig } from "./docker-config";
import { CredentialError } from "./errors";

/** A user name with a password or token, or an identity token that is exchanged for access tokens. */
export type Secret =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  | { readonly kind: "identity-token"; readonly token: string };

/** A credential and where it was found: `the stack's config`, `DOCKER_AUTH_CONFIG`, or a config file's path. */
export type Credential = Secret & { readonly source: string };

/** Credentials of the stack's config, by registry host: `{"ghcr.io": {username, password}}`. */
export type ExplicitCredentials = Readonly<Record<string, { username: string; password: string }>>;

/** Finds the credential for a registry host (`ghcr.io`, `docker.io`, `localhost:5000`); undefined: go anonymously. */
export type CredentialLookup = (registry: string) => Promise<Credential | undefined>;

const environmentSource = "DOCKER_AUTH_CONFIG";

/**
 * The lookup over all sources; the first that knows the host answers.
 * The lookup rejects with CredentialError where a source exists and cannot be read, or a helper fails.
 * @param env where DOCKER_AUTH_CONFIG, DOCKER_CONFIG, HOME and PATH (for helpers) are read from
 */
export function credentialLookup(
  explicit: ExplicitCredentials = {},
  env: NodeJS.ProcessEnv = process.env,
): CredentialLookup {
  return async (registry) => {
    const own = findEntry(explicit, registry);
    if (own)
      return {
        kind: "password",
        username: own.username,
        password: own.password,
        source: "the stack's config",
      };
    const text = env.DOCKER_AUTH_CONFIG;
    if (text !== undefined && text.trim() !== "") {
      const found = await lookIn(
        parseDockerConfig(text, environmentSource),
        registry,
        environmentSource,
        env,
      );
      if (found) return found;
    }
    const path = join(env.DOCKER_CONFIG || join(env.HOME || homedir(), ".docker"), "config.json");
    const file = await readConfigFile(path);
    return file === undefined ? undefined : lookIn(parseDockerConfig(file, path), registry, path, env);
  };
}

/**
 * The `X-Registry-Auth` header of the Docker engine's pull and push: base64url (padded, as Go wants it) JSON.
 * Without a credential it is the empty object's, which the engine takes for anonymous.
 */
export function engineAuthHeader(registry: string, credential: Secret | undefined): string {
  const serveraddress = serverAddress(registry);
  const auth =
    credential === undefined
      ? {}
      : credential.kind === "password"
        ? { username: credential.username, password: credential.password, serveraddress }
        : { identitytoken: credential.token, serveraddress };
  return Buffer.from(JSON.stringify(auth)).toString("base64").replace(/\+/g, "-").replace(/\//g, "_");
}

async function lookIn(
  config: DockerConfig,
  registry: string,
  source: string,
  env: NodeJS.ProcessEnv,
): Promise<Credential | undefined> {
  const helper = findEntry(config.credHelpers, registry) ?? config.credsStore;
  const secret =
    (helper === undefined ? undefined : await askHelper(helper, serverAddress(registry), source, env)) ??
    findEntry(config.auths, registry);
  return secret === undefined ? undefined : { ...secret, source };
}

async function readConfigFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new CredentialError(`${path} cannot be read (${code}); make it readable for this user`);
  }
}

/** The name under which Docker's tools keep a registry's credential. */
function serverAddress(registry: string): string {
  return registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
}
