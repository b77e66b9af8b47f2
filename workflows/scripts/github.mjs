// What the scripts ask of GitHub's API.
import { setTimeout as sleep } from "node:timers/promises";
import { needed, plain, reasonOf, Stop } from "./words.mjs";

export class GitHub {
  /** @param {NodeJS.ProcessEnv} env @param {{ pause?: number }} [options] */
  constructor(env, { pause = 1000 } = {}) {
    this.base = (env.GITHUB_API_URL ?? "https://api.github.com").replace(/\/$/, "");
    this.repository = needed(env, "GITHUB_REPOSITORY");
    this.token = needed(env, "GITHUB_TOKEN");
    this.pause = pause;
  }

  /**
   * Reads are asked again in a bad moment; what makes something is asked once, since its answer may be what was lost.
   * @param {string} method @param {string} path below the repository, or a whole URL
   * @param {{ body?: unknown, raw?: Buffer, accept?: string, type?: string }} [options]
   */
  async ask(
    method,
    path,
    { body, raw, accept = "application/vnd.github+json", type = "application/json" } = {},
  ) {
    const url = /^https?:/.test(path) ? path : `${this.base}/repos/${this.repository}/${path}`;
    const content = raw ? new Uint8Array(raw) : body === undefined ? undefined : JSON.stringify(body);
    /** @type {RequestInit} */
    const init = {
      method,
      headers: {
        accept,
        authorization: `Bearer ${this.token}`,
        "user-agent": "tagalong-workflows",
        "x-github-api-version": "2022-11-28",
        ...(content !== undefined && { "content-type": type }),
      },
      ...(content !== undefined && { body: content }),
    };
    for (let attempt = 0; ; attempt++) {
      const isLast = method !== "GET" || attempt === 3;
      try {
        const response = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
        if (response.ok) return response;
        const said = plain(await response.text().catch(() => "")).slice(0, 300);
        if (isLast || (response.status !== 429 && response.status < 500))
          throw new Stop(
            `GitHub answered ${response.status} to ${method} ${url}: ${said}`,
            "the job's permissions and the repository's settings decide what it may do",
          );
      } catch (error) {
        if (error instanceof Stop) throw error;
        if (isLast) throw new Stop(`GitHub does not answer ${method} ${url}: ${reasonOf(error)}`);
      }
      await sleep(this.pause * 2 ** attempt);
    }
  }

  /** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
  async json(method, path, body) {
    const response = await this.ask(method, path, { body });
    return response.status === 204 ? undefined : response.json();
  }

  /** All of a list, however many pages it has. @param {string} path @param {string} [key] where the list stands in the answer @returns {Promise<any[]>} */
  async all(path, key) {
    const items = [];
    /** @type {string | undefined} */
    let next = `${path}${path.includes("?") ? "&" : "?"}per_page=100`;
    while (next) {
      const response = await this.ask("GET", next);
      const answer = /** @type {any} */ (await response.json());
      items.push(...(key ? answer[key] : answer));
      next = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
    }
    return items;
  }
}
