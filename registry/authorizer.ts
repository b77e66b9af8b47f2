/**
 * Answers registries' challenges. Promises that a token is fetched once per realm, service and scope, renewed at
 * 90 % of its life, asked for once however many wait for it; that reads never carry a token which may write; and
 * that credentials go only to the realm the registry named, over HTTPS unless both are hosts that allow plain HTTP.
 */
import { type Challenge, parseChallenges } from "./challenge";
import type { Credential, CredentialLookup } from "./credentials";
import { CredentialError, RegistryError } from "./errors";
import { mayFollow } from "./origin";
import { type Access, scopesFor } from "./scope";
import type { Answer, Wire } from "./wire";

interface Token {
  readonly authorization: string;
  readonly renewAtMs: number;
}

const tokenAnswerLimit = 256 * 1024;
const lifeWithoutExpirySeconds = 60;

export class Authorizer {
  /** The challenge that each access was answered with: sent for in advance from then on. */
  readonly #challenges = new Map<string, Challenge>();
  readonly #tokens = new Map<string, Token>();
  readonly #fetching = new Map<string, Promise<Token>>();
  readonly #sources = new Map<string, string>();

  constructor(
    private readonly wire: Wire,
    private readonly credentials: CredentialLookup,
    private readonly insecure: ReadonlySet<string>,
  ) {}

  /** The Authorization header for an access that was challenged before; undefined before its first challenge. */
  async authorization(registry: string, access: Access): Promise<string | undefined> {
    const challenge = this.#challenges.get(accessKey(registry, access));
    return challenge && (await this.#token(registry, access, challenge)).authorization;
  }

  /**
   * A new Authorization header after a 401, never the refused one from the cache.
   * Undefined if the challenge asks for nothing that we know or have.
   */
  async answer(
    registry: string,
    access: Access,
    header: string,
    refused: string | undefined,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(header);
    const challenge =
      challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters.realm !== undefined) ??
      challenges.find(({ scheme }) => scheme === "basic");
    if (!challenge) return undefined;
    const key = tokenKey(registry, access, challenge);
    if (this.#tokens.get(key)?.authorization === refused) this.#tokens.delete(key);
    const { authorization } = await this.#token(registry, access, challenge);
    this.#challenges.set(accessKey(registry, access), challenge);
    return authorization;
  }

  /** With what the registry was asked last: `without credentials`, `with the credentials of DOCKER_AUTH_CONFIG`. */
  identity(registry: string): string {
    const source = this.#sources.get(registry);
    return source === undefined ? "without credentials" : `with the credentials of ${source}`;
  }

  async #token(registry: string, access: Access, challenge: Challenge): Promise<Token> {
    const key = tokenKey(registry, access, challenge);
    const cached = this.#tokens.get(key);
    if (cached && this.wire.now() < cached.renewAtMs) return cached;
    const underWay = this.#fetching.get(key);
    if (underWay) return underWay;
    const fetching = this.#fetch(registry, access, challenge);
    this.#fetching.set(key, fetching);
    try {
      const token = await fetching;
      this.#tokens.set(key, token);
      return token;
    } finally {
      this.#fetching.delete(key);
    }
  }

  async #fetch(registry: string, access: Access, challenge: Challenge): Promise<Token> {
    const credential = await this.#credential(registry);
    if (challenge.scheme === "bearer") return this.#fetchBearer(registry, access, challenge, credential);
    if (credential?.kind !== "password") {
      const have = credential === undefined ? "there are none" : "there is only an identity token";
      throw noAccess(`${registry} wants a user name and a password and ${have}`, registry);
    }
    return {
      authorization: basic(credential.username, credential.password),
      renewAtMs: Number.POSITIVE_INFINITY,
    };
  }

  async #fetchBearer(
    registry: string,
    access: Access,
    { parameters }: Challenge,
    credential: Credential | undefined,
  ): Promise<Token> {
    const realm = this.#realm(registry, parameters.realm ?? "");
    const scopes = scopesFor(parameters.scope, access);
    const startedMs = this.wire.now();
    const common = { origin: realm.origin, limit: tokenAnswerLimit };
    const form = new URLSearchParams(parameters.service === undefined ? {} : { service: parameters.service });
    if (credential?.kind === "identity-token") {
      form.set("scope", scopes.join(" "));
      form.set("grant_type", "refresh_token");
      form.set("client_id", "tagalong");
      form.set("refresh_token", credential.token);
      const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
      const path = realm.pathname + realm.search;
      const sent = { ...common, path, method: "POST", headers, body: form.toString() } as const;
      return this.#read(await this.wire.exchange(sent), registry, startedMs);
    }
    for (const [name, value] of form) realm.searchParams.set(name, value);
    for (const scope of scopes) realm.searchParams.append("scope", scope);
    const headers: Record<string, string> = { accept: "application/json" };
    if (credential) headers.authorization = basic(credential.username, credential.password);
    const path = realm.pathname + realm.search;
    return this.#read(
      await this.wire.exchange({ ...common, path, method: "GET", headers }),
      registry,
      startedMs,
    );
  }

  #realm(registry: string, text: string): URL {
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    if (realm && mayFollow(realm, registry, this.insecure)) return realm;
    throw new RegistryError(
      "access",
      `${registry} sends for tokens to "${text.slice(0, 200)}", which is no HTTPS address; ` +
        "nothing was sent there. If it is right, list both hosts in TAGALONG_INSECURE_REGISTRIES",
    );
  }

  #read(answer: Answer, registry: string, startedMs: number): Token {
    const { origin, status, retryAfterMs } = answer;
    if (status === 429 || status >= 500) {
      const reason = status === 429 ? "rate-limited" : "server";
      throw new RegistryError(
        reason,
        `the token issuer ${origin} answered ${status}; asked again at the next check`,
        {
          retryAfterMs,
        },
      );
    }
    if (status !== 200) {
      throw noAccess(
        `the token issuer ${origin} refused (HTTP ${status}), asked ${this.identity(registry)}`,
        registry,
      );
    }
    const { value, lifeSeconds } = parseToken(answer.body);
    if (value === undefined) {
      throw new RegistryError(
        "invalid",
        `the token issuer ${origin} answered without a token; look for a proxy`,
      );
    }
    return { authorization: `Bearer ${value}`, renewAtMs: startedMs + lifeSeconds * 900 };
  }

  async #credential(registry: string): Promise<Credential | undefined> {
    try {
      const credential = await this.credentials(registry);
      if (credential) this.#sources.set(registry, credential.source);
      else this.#sources.delete(registry);
      return credential;
    } catch (error) {
      if (error instanceof CredentialError) throw new RegistryError("access", error.message);
      throw error;
    }
  }
}

function accessKey(registry: string, access: Access): string {
  return [registry, ...scopesFor(undefined, access)].join(" ");
}

function tokenKey(registry: string, access: Access, { scheme, parameters }: Challenge): string {
  if (scheme === "basic") return `${registry} basic`;
  const { realm, service, scope } = parameters;
  return JSON.stringify([registry, realm, service, ...scopesFor(scope, access)]);
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function noAccess(problem: string, registry: string): RegistryError {
  return new RegistryError(
    "access",
    `missing or no access: ${problem}; check the repository's name, then "docker login ${registry}"`,
  );
}

function parseToken(body: Buffer): { value: string | undefined; lifeSeconds: number } {
  let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null;
  try {
    answer = JSON.parse(body.toString("utf8"));
  } catch {
    answer = null;
  }
  const value = [answer?.token, answer?.access_token].find(
    (token): token is string => typeof token === "string" && /^[\x21-\x7e]+$/.test(token),
  );
  const life = Number(answer?.expires_in ?? 0);
  return { value, lifeSeconds: life > 0 && Number.isFinite(life) ? life : lifeWithoutExpirySeconds };
}
