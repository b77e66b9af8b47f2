// As much of GitHub as the scripts ask: lists in pages, comments, jobs with logs, releases that are drafts first.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Comment {
  id: number;
  body: string;
  user: { login: string };
}

interface Release {
  id: number;
  tag_name: string;
  name: string;
  body: string;
  draft: boolean;
  prerelease: boolean;
  make_latest: "true" | "false";
  upload_url: string;
  html_url: string;
  assets: { name: string; text: string }[];
}

export class GitHub {
  readonly asked: string[] = [];
  readonly comments: Comment[] = [];
  readonly releases: Release[] = [];
  jobs: unknown[] = [];
  log = "";
  /** What a chat was told. */
  readonly chat: unknown[] = [];
  deployments: { id: number; states: string[] }[] = [];
  readonly #looks = new Map<string | undefined, number>();
  readonly #server: Server;
  #next = 1000;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<GitHub> {
    const server = createServer();
    const github = new GitHub(server);
    server.on("request", async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString("utf8");
      const url = new URL(request.url ?? "", github.url);
      github.asked.push(`${request.method} ${url.pathname}`);
      const isAllowed = url.pathname === "/chat" || request.headers.authorization === "Bearer token";
      const answer = isAllowed ? github.#answer(request.method ?? "", url, text) : undefined;
      if (answer === undefined) response.writeHead(isAllowed ? 404 : 401).end("{}");
      else if (typeof answer === "string") response.end(answer);
      else if (Array.isArray(answer)) {
        const page = Number(url.searchParams.get("page") ?? 1);
        const size = Number(url.searchParams.get("per_page") ?? 30);
        url.searchParams.set("page", String(page + 1));
        if (answer.length > page * size) response.setHeader("link", `<${url}>; rel="next"`);
        response.end(JSON.stringify(answer.slice((page - 1) * size, page * size)));
      } else response.end(JSON.stringify(answer));
    });
    server.listen(0, "127.0.0.1");
    await new Promise((ready) => server.once("listening", ready));
    return github;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  env(): NodeJS.ProcessEnv {
    return { GITHUB_API_URL: this.url, GITHUB_REPOSITORY: "acme/shop", GITHUB_TOKEN: "token" };
  }

  comment(login: string, body: string): Comment {
    const comment = { id: this.#next++, body, user: { login } };
    this.comments.push(comment);
    return comment;
  }

  #answer(method: string, { pathname, searchParams }: URL, text: string): unknown {
    const path = pathname.replace(/^\/repos\/acme\/shop\//, "");
    const [, id] = /\/(\d+)(?:\/|$)/.exec(path) ?? [];
    const release = this.releases.find((one) => String(one.id) === id);
    const comment = this.comments.find((one) => String(one.id) === id);
    if (pathname === "/chat") return String(this.chat.push(JSON.parse(text)));
    if (/^issues\/7\/comments$/.test(path)) {
      if (method === "GET") return this.comments;
      return this.comment("github-actions[bot]", JSON.parse(text).body);
    }
    if (path.startsWith("issues/comments/") && comment) {
      if (method === "DELETE") this.comments.splice(this.comments.indexOf(comment), 1);
      else comment.body = JSON.parse(text).body;
      return comment;
    }
    if (/^actions\/runs\/1\/attempts\/1\/jobs$/.test(path)) return { jobs: this.jobs };
    if (/^actions\/jobs\/\d+\/logs$/.test(path)) return this.log;
    if (path === "deployments") return this.deployments;
    if (/^deployments\/\d+\/statuses$/.test(path)) {
      const deployment = this.deployments.find((one) => String(one.id) === id);
      // Each time somebody looks, it has come one step further.
      const looks = (this.#looks.get(id) ?? 0) + 1;
      this.#looks.set(id, looks);
      return (deployment?.states ?? []).slice(0, looks).map((state, step) => ({ id: step + 1, state }));
    }
    if (path === "releases" && method === "GET") return this.releases;
    if (path === "releases") {
      const made = { id: this.#next++, html_url: `${this.url}/release`, assets: [], ...JSON.parse(text) };
      this.releases.push({
        ...made,
        upload_url: `${this.url}/repos/acme/shop/releases/${made.id}/assets{?name,label}`,
      });
      return this.releases.at(-1);
    }
    if (release && path.endsWith("/assets")) {
      if (method === "GET") return release.assets;
      release.assets.push({ name: searchParams.get("name") ?? "", text });
      return {};
    }
    return release && Object.assign(release, JSON.parse(text));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
