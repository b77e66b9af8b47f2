// A small client of a container registry: what building, tagging and proving access need, without dependencies.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf, Stop } from "./words.mjs";

export const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
};
const accept = Object.values(types).join(", ");

/** @typedef {{ mediaType: string, digest: string, size: number, platform?: { os: string, architecture: string, variant?: string }, annotations?: Record<string, string> }} Descriptor */
/** @typedef {{ mediaType?: string, config?: Descriptor, layers?: Descriptor[], manifests?: Descriptor[], annotations?: Record<string, string> }} Document */
/** @typedef {{ digest: string, mediaType: string, bytes: Buffer, document: Document }} Manifest */

/** @param {Buffer | string} bytes */
export const digestOf = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** "ghcr.io/acme/shop/server" in its two parts. @param {string} repository */
export function parts(repository) {
  const slash = repository.indexOf("/");
  return { host: repository.slice(0, slash), name: repository.slice(slash + 1) };
}

export class Registry {
  #tokens = new Map();
  #basic;
  /** @param {{ username?: string | undefined, password?: string | undefined, pause?: number }} [options] */
  constructor({ username, password, pause = 1000 } = {}) {
    this.#basic =
      username && password ? `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` : undefined;
    this.pause = pause;
  }

  /** @param {string} repository @param {string} reference tag or digest @returns {Promise<Manifest | undefined>} undefined where there is none */
  async manifest(repository, reference) {
    const response = await this.#ask("GET", repository, `manifests/${reference}`, { headers: { accept } });
    if (response.status === 404) return undefined;
    await expect(response, [200], `${repository}: ${reference} cannot be read`, repository);
    const bytes = Buffer.from(await response.arrayBuffer());
    const digest = digestOf(bytes);
    if (reference.startsWith("sha256:") && digest !== reference)
      throw new Stop(`${repository}: asked for ${reference}, the registry gave ${digest}`);
    const document = JSON.parse(bytes.toString("utf8"));
    const mediaType = document.mediaType ?? (response.headers.get("content-type") ?? "").split(";")[0];
    return { digest, mediaType, bytes, document };
  }

  /** What was pushed a moment ago may not be seen at once. @param {string} repository @param {string} reference @returns {Promise<Manifest>} */
  async pushed(repository, reference) {
    for (let attempt = 0; ; attempt++) {
      const found = await this.manifest(repository, reference);
      if (found) return found;
      if (attempt === 4)
        throw new Stop(
          `${repository} has no ${reference}, which was pushed before`,
          "run the job again; if it stays so, look at the build's log",
        );
      await sleep(this.pause * 2 ** attempt);
    }
  }

  /** @param {string} repository @param {string} tag @returns {Promise<string | undefined>} the digest that the tag carries */
  async digest(repository, tag) {
    const response = await this.#ask("HEAD", repository, `manifests/${tag}`, { headers: { accept } });
    if (response.status === 404) return undefined;
    await expect(response, [200], `${repository}:${tag} cannot be read`, repository);
    return response.headers.get("docker-content-digest") ?? (await this.manifest(repository, tag))?.digest;
  }

  /** Puts a manifest's own bytes, so that the digest stays. @param {string} repository @param {string} reference @param {Pick<Manifest, "bytes" | "mediaType">} manifest */
  async put(repository, reference, { bytes, mediaType }) {
    const headers = { "content-type": mediaType };
    const response = await this.#ask("PUT", repository, `manifests/${reference}`, {
      headers,
      body: bytes,
      write: true,
    });
    await expect(response, [200, 201, 202], `${repository}: ${reference} was not written`, repository);
    return digestOf(bytes);
  }

  /** @param {string} repository @param {string} digest @returns {Promise<Buffer>} */
  async blob(repository, digest) {
    const response = await this.#ask("GET", repository, `blobs/${digest}`, {});
    await expect(response, [200], `${repository}: the blob ${digest} cannot be read`, repository);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Opens an upload and cancels it: what a push would be asked first, and nothing is left behind. @param {string} repository */
  async proveWriteAccess(repository) {
    const opened = await this.#ask("POST", repository, "blobs/uploads/", { write: true });
    await expect(opened, [202], `no write access to ${repository}`, repository);
    const location = opened.headers.get("location");
    if (location) {
      const { pathname, search } = new URL(location, opened.url);
      // That it was opened is the proof; a registry that cannot cancel drops the upload by itself.
      await this.#send("DELETE", repository, `${pathname}${search}`, { write: true }).catch(() => undefined);
    }
  }

  /** @typedef {{ headers?: Record<string, string>, body?: Buffer, write?: boolean }} Ask */

  /** @param {string} method @param {string} repository @param {string} path @param {Ask} options */
  async #ask(method, repository, path, options) {
    return this.#send(method, repository, `/v2/${parts(repository).name}/${path}`, options);
  }

  /** Asks again where the registry has a bad moment: all that is asked here may be asked twice. @param {string} method @param {string} repository @param {string} path @param {Ask} options @returns {Promise<Response>} */
  async #send(method, repository, path, options) {
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#authorised(method, repository, path, options).catch((error) => {
        if (error instanceof Stop) throw error;
        return new Stop(`${parts(repository).host} does not answer: ${reasonOf(error)}`);
      });
      const isBad = answer instanceof Stop || answer.status === 429 || answer.status >= 500;
      if (!isBad || attempt === 3) {
        if (answer instanceof Stop) throw answer;
        return answer;
      }
      await sleep(this.pause * 2 ** attempt);
    }
  }

  /** @param {string} method @param {string} repository @param {string} path @param {Ask} options */
  async #authorised(method, repository, path, { headers = {}, body, write = false }) {
    const key = `${repository} ${write}`;
    const url = `${origin(parts(repository).host)}${path}`;
    const send = () => {
      const token = this.#tokens.get(key);
      const init = {
        method,
        headers: { ...headers, ...(token && { authorization: token }) },
        signal: AbortSignal.timeout(60_000),
      };
      return fetch(url, body ? { ...init, body: new Uint8Array(body) } : init);
    };
    const response = await send();
    if (response.status !== 401) return response;
    const token = await this.#token(response.headers.get("www-authenticate") ?? "", repository, write);
    if (!token) return response;
    this.#tokens.set(key, token);
    return send();
  }

  /** @param {string} challenge @param {string} repository @param {boolean} write */
  async #token(challenge, repository, write) {
    if (/^basic/i.test(challenge)) return this.#basic;
    const field = (/** @type {string} */ name) => new RegExp(`${name}="([^"]*)"`, "i").exec(challenge)?.[1];
    const realm = field("realm");
    if (!realm) return undefined;
    const { host, name } = parts(repository);
    const url = new URL(realm);
    // Credentials go nowhere that an eavesdropper could read them.
    if (url.protocol !== "https:" && !isLoopback(host)) return undefined;
    url.searchParams.set("scope", `repository:${name}:${write ? "pull,push" : "pull"}`);
    const service = field("service");
    if (service) url.searchParams.set("service", service);
    const response = await fetch(url, {
      headers: this.#basic ? { authorization: this.#basic } : {},
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok) return undefined;
    const { token, access_token } = /** @type {{ token?: string, access_token?: string }} */ (
      await response.json()
    );
    return `Bearer ${token ?? access_token}`;
  }
}

/** @param {string} host */
const isLoopback = (host) => /^(localhost|127(\.\d+){3})(:\d+)?$/.test(host);

/** @param {string} host */
const origin = (host) =>
  isLoopback(host) ? `http://${host}` : `https://${host === "docker.io" ? "registry-1.docker.io" : host}`;

/** @param {Response} response @param {readonly number[]} statuses @param {string} what @param {string} repository */
async function expect(response, statuses, what, repository) {
  if (statuses.includes(response.status)) return;
  const said = (await response.text().catch(() => "")).replaceAll(/[\p{Cc}\p{Cf}<>]+/gu, " ").slice(0, 200);
  const isDenied = response.status === 401 || response.status === 403;
  throw new Stop(
    `${what} (HTTP ${response.status}${said ? `: ${said}` : ""})`,
    isDenied ? permission(repository) : undefined,
  );
}

/** Where a person gives the permission that was missing. @param {string} repository */
function permission(repository) {
  const { host, name } = parts(repository);
  if (host !== "ghcr.io")
    return `give the login that the workflow uses the permission to push to ${repository}`;
  const [owner = "", ...rest] = name.split("/");
  const path = `${owner}/packages/container/${encodeURIComponent(rest.join("/"))}/settings`;
  return `add this repository with the role Write under "Manage Actions access": https://github.com/users/${path}, of an organisation https://github.com/orgs/${path}; the job needs packages: write`;
}

/** The registry as the workflows log in to it. @param {NodeJS.ProcessEnv} env */
export const registryOf = (env) =>
  new Registry({ username: env.REGISTRY_USERNAME, password: env.REGISTRY_PASSWORD });
