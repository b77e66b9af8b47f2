// The images of a run: the shop's server, built once, then one more digest for each roll by changing nothing but the
// version it says it is. All are uploaded before anything is measured, so a push is one PUT of a tag, at one moment.
import { createHash } from "node:crypto";

const manifestType = "application/vnd.docker.distribution.manifest.v2+json";

/** @typedef {{mediaType: string, size: number, digest: string}} Descriptor */
/** @typedef {{schemaVersion: number, mediaType?: string, config: Descriptor, layers: Descriptor[]}} Manifest */
/** @typedef {{config: {Env?: string[], Labels?: Record<string, string>, User?: string}, [key: string]: unknown}} ImageConfig */
/** @typedef {{version: string, digest: string, bytes: string}} Version one version of the app, ready to be tagged */

/** A registry as the one who pushes sees it. */
export class Images {
  /**
   * @param {string} origin
   * @param {string} repository that has the app
   * @param {Manifest} manifest
   * @param {ImageConfig} config
   */
  constructor(origin, repository, manifest, config) {
    this.origin = origin;
    this.repository = repository;
    this.manifest = manifest;
    this.config = config;
  }

  /**
   * @param {string} origin
   * @param {string} repository
   * @param {string} digest of the app
   */
  static async of(origin, repository, digest) {
    const url = `${origin}/v2/${repository}`;
    const manifest = await send(`${url}/manifests/${digest}`, { headers: { accept: manifestType } });
    const read = /** @type {Manifest} */ (await manifest.json());
    const config = await send(`${url}/blobs/${read.config.digest}`, {});
    return new Images(origin, repository, read, /** @type {ImageConfig} */ (await config.json()));
  }

  /**
   * Makes a version and uploads all of it to the repositories, under no tag.
   * @param {string} version
   * @param {readonly string[]} repositories
   * @returns {Promise<Version>}
   */
  async add(version, repositories) {
    const commit = createHash("sha1").update(version).digest("hex");
    const { Env = [], Labels = {} } = this.config.config;
    const body = JSON.stringify({
      ...this.config,
      config: {
        ...this.config.config,
        Env: Env.map((line) => line.replace(/^VERSION=.*/, `VERSION=${version}`)).map((line) =>
          line.replace(/^REVISION=.*/, `REVISION=${commit}`),
        ),
        Labels: {
          ...Labels,
          "org.opencontainers.image.version": version,
          "org.opencontainers.image.revision": commit,
        },
      },
    });
    const config = { ...this.manifest.config, size: Buffer.byteLength(body), digest: digestOf(body) };
    const bytes = JSON.stringify({ ...this.manifest, config });
    const digest = digestOf(bytes);
    for (const repository of repositories) {
      for (const layer of this.manifest.layers) await this.#mount(repository, layer.digest);
      await this.#upload(repository, config.digest, body);
      await this.#put(repository, digest, bytes);
    }
    return { version, digest, bytes };
  }

  /**
   * Moves a tag of all repositories at once.
   * @param {readonly string[]} repositories
   * @param {string} tag
   * @param {Version} version
   */
  async tag(repositories, tag, { bytes }) {
    await Promise.all(repositories.map((repository) => this.#put(repository, tag, bytes)));
  }

  /**
   * @param {string} repository
   * @param {string} name a tag or a digest
   * @param {string} body
   */
  async #put(repository, name, body) {
    const url = `${this.origin}/v2/${repository}/manifests/${name}`;
    await send(url, { method: "PUT", body, headers: { "content-type": manifestType } });
  }

  /**
   * @param {string} repository
   * @param {string} digest
   */
  async #mount(repository, digest) {
    const query = new URLSearchParams({ mount: digest, from: this.repository });
    const url = `${this.origin}/v2/${repository}/blobs/uploads/?${query}`;
    const { status } = await send(url, { method: "POST" });
    if (status !== 201) throw new Error(`the registry did not take ${digest} over from ${this.repository}`);
  }

  /**
   * @param {string} repository
   * @param {string} digest
   * @param {string} body
   */
  async #upload(repository, digest, body) {
    const opened = await send(`${this.origin}/v2/${repository}/blobs/uploads/`, { method: "POST" });
    const place = new URL(opened.headers.get("location") ?? "", this.origin);
    place.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    await send(place.href, { method: "PUT", body, headers });
  }
}

/** @param {string} text */
const digestOf = (text) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function send(url, options) {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(20_000) });
  if (response.ok) return response;
  throw new Error(
    `${options.method ?? "GET"} ${url}: ${response.status} ${(await response.text()).slice(0, 300)}`,
  );
}
