// GitHub without GitHub: npm's `emulate`, with the routes that it lacks put before it, tokens with permissions as
// GitHub has them, rate limits, and failures on demand. Promises that everything that crosses it is held against
// GitHub's own description; `close` throws what was wrong.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Emulate from "emulate";
import { operationOf, problemsOfAnswer, problemsOfRequest } from "./description";
import { Origin } from "./origin";
import { Actions } from "./routes/actions";
import { Deployments } from "./routes/deployments";
import { Environments } from "./routes/environments";
import { EnvironmentValues } from "./routes/environmentValues";
import { Git } from "./routes/git";
import { Hooks } from "./routes/hooks";
import { Labels } from "./routes/labels";
import { Owners } from "./routes/owners";
import { Packages } from "./routes/packages";
import { Pulls } from "./routes/pulls";
import { Repositories } from "./routes/repositories";
import { Rulesets } from "./routes/rulesets";
import { Runs } from "./routes/runs";
import { permissionsOf } from "./tokens";
import { type Answer, notFound, type Route, refusal, type Token, World } from "./world";

export interface Seen {
  method: string;
  /** Without prefix; with the query. */
  path: string;
  body: unknown;
  /** What was answered; undefined where the answer was lost. */
  status: number | undefined;
}

export interface Fault {
  method: string;
  path: RegExp;
  /** How many requests it hits; one by default. */
  times?: number;
  /**
   * `lost`: done, and the connection cut. `silent`: not done, and the connection cut. `cut`: done, and half the answer
   * sent. An answer: that one, and nothing done.
   */
  how: "lost" | "silent" | "cut" | Answer;
}

export interface Options {
  owner: string;
  name: string;
  isPrivate?: boolean;
  /** Whether the repository is there; by default so. */
  exists?: boolean;
  /** Folder of a Git repository whose commits it has, as they come; without one, a first commit of nobody's. */
  origin?: string;
}

const ada = { name: "Ada Lovelace", email: "ada@acme.example" };
const administrator = "emulate-administrator";
const scopes = ["repo", "user", "admin:org", "admin:repo_hook"];

/** What `emulate` answers itself, and what a token needs for it; anything else under /repos is no part of our tests. */
const passedOn: [RegExp, readonly [string, "read" | "write"]][] = [
  [/^\/repos\/[^/]+\/[^/]+\/(compare|commits|git)\//, ["contents", "read"]],
];

export class GitHubEmulator {
  readonly seen: Seen[] = [];
  readonly owners = new Owners();
  readonly repositories = new Repositories(this.owners);
  readonly environments = new Environments(this.owners);
  readonly environmentValues = new EnvironmentValues(this.environments);
  readonly deployments = new Deployments(this.environments);
  readonly rulesets = new Rulesets(this.owners);
  readonly runs = new Runs();
  readonly actions = new Actions();
  readonly hooks = new Hooks();
  readonly labels = new Labels();
  readonly packages = new Packages();
  readonly git: Git;
  readonly pulls: Pulls;
  readonly world: World;
  /** Of every token: how many questions are left, and when there are more, in seconds since the epoch. */
  readonly limit = { remaining: 5_000, reset: Math.floor(Date.now() / 1_000) + 3_600 };
  /** When something is done, and before its answer leaves. */
  onAnswer: (seen: Seen) => unknown = () => {};
  readonly #problems: string[] = [];
  readonly #tokens = new Map<string, Token>();
  readonly #faults: Fault[] = [];
  readonly #routes: Route[];
  readonly #origin?: Origin;

  private constructor(
    private readonly server: Server,
    private readonly inner: Emulate.Emulator,
    private readonly repository: string,
    origin: string | undefined,
  ) {
    this.world = new World(this.url, (method, path, body) => this.#ask(method, path, body));
    this.git = new Git(this.world, this.rulesets);
    this.pulls = new Pulls(this.world, this.git);
    if (origin !== undefined) {
      const base = `/repos/${repository}`;
      this.#origin = new Origin(origin, "main", (method, path, body) => this.#ask(method, base + path, body));
      this.repositories.branches.add(`${repository} main`);
    }
    this.#routes = [
      this.owners,
      this.repositories,
      this.environments,
      this.environmentValues,
      this.deployments,
      this.rulesets,
      this.runs,
      this.actions,
      this.hooks,
      this.labels,
      this.packages,
      this.git,
      this.pulls,
    ].flatMap(({ routes }) => routes);
    if (origin !== undefined) {
      const base = `/repos/${repository}`;
      this.#origin = new Origin(origin, "main", (method, path, body) => this.#ask(method, base + path, body));
      this.repositories.branches.add(`${repository} main`);
    }
    server.on("request", (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.#problems.push(`${request.method} ${request.url}: ${(error as Error).stack}`);
        response.destroy();
      });
    });
  }

  /** With one repository of an organisation, and nothing in it. */
  static async start(options: Options): Promise<GitHubEmulator> {
    const { owner, name, isPrivate = true, exists = true, origin } = options;
    const { createEmulator } = await emulate();
    const inner = await createEmulator({
      service: "github",
      port: 0,
      seed: {
        tokens: { [administrator]: { login: "admin", scopes } },
        github: {
          users: [{ login: "ada", ...ada }],
          orgs: [{ login: owner, members: [{ login: "admin", role: "admin" }] }],
          repos: exists ? [{ owner, name, private: isPrivate, auto_init: origin === undefined }] : [],
        },
      },
    });
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new GitHubEmulator(server, inner, `${owner}/${name}`, origin);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends it. @throws Error with everything that GitHub's description does not allow */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.inner.close();
    if (this.#problems.length > 0)
      throw new Error(`GitHub's description does not allow:\n${[...new Set(this.#problems)].join("\n")}`);
  }

  /** A token of somebody's; by default Ada's, for the one repository. */
  token(permissions: Token["permissions"], changes: Partial<Token> = {}): string {
    const text = `github_pat_${this.#tokens.size}_${Math.random().toString(36).slice(2)}`;
    this.#tokens.set(text, { login: "ada", repositories: [this.repository], permissions, ...changes });
    return text;
  }

  /** A commit, and its full name. */
  async commit(message: string, parents: readonly string[] = [], author = ada): Promise<string> {
    const git = `/repos/${this.repository}/git`;
    const made = async (path: string, body: unknown) => {
      const { status, body: answer } = await this.#ask("POST", `${git}/${path}`, body);
      if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
      return (answer as { sha: string }).sha;
    };
    const blob = await made("blobs", { content: message, encoding: "utf-8" });
    const tree = await made("trees", {
      tree: [{ path: "message", mode: "100644", type: "blob", sha: blob }],
    });
    const date = "2026-11-21T16:00:00Z";
    return made("commits", { message, tree, parents, author: { ...author, date } });
  }

  fail(fault: Fault): void {
    this.#faults.push({ ...fault });
  }

  /** What was asked, as `METHOD path status`, without the repository. */
  get asked(): string[] {
    return this.seen.map(({ method, path, status }) => {
      const short = path.replace(`/repos/${this.repository}`, "").replace(/\?.*$/, "");
      return `${method} ${short} ${status ?? "lost"}`;
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = request;
    await this.#origin?.bring();
    const target = new URL(await this.#named(url.replace(/^\/api\/v3(?=\/)/, "")), this.url);
    const text = await textOf(request);
    const log = this.runs.logAt(url);
    if (log !== undefined) return void response.writeHead(200, { "content-type": "text/plain" }).end(log);
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const seen: Seen = { method, path: target.pathname + target.search, body, status: undefined };
    this.seen.push(seen);
    const fault = this.#fault(seen);
    if (fault === "silent") return void response.destroy();
    const answer = typeof fault === "object" ? fault : await this.#answer(request, method, target, body);
    await this.onAnswer(seen);
    if (fault === "lost") return void response.destroy();
    seen.status = answer.status;
    send(response, { ...answer, headers: { ...this.#limits(), ...answer.headers } }, fault === "cut");
  }

  /** Some still ask for a repository by its number, which GitHub answers and describes no longer. */
  async #named(url: string): Promise<string> {
    const [whole, id] = /^\/repositories\/(\d+)(?=\/)/.exec(url) ?? [];
    if (whole === undefined) return url;
    const { body } = await this.#ask("GET", `/repositories/${id}`);
    const { full_name: name } = body as { full_name?: string };
    return url.replace(whole, `/repos/${name ?? this.repository}`);
  }

  #fault({ method, path }: Seen): Fault["how"] | undefined {
    const fault = this.#faults.find(
      (one) => one.method === method && one.path.test(path) && (one.times ?? 1) > 0,
    );
    if (fault) fault.times = (fault.times ?? 1) - 1;
    return fault?.how;
  }

  #limits(): Record<string, string> {
    const { remaining, reset } = this.limit;
    return {
      "x-github-media-type": "github.v3; format=json",
      "x-ratelimit-limit": "5000",
      "x-ratelimit-remaining": String(remaining),
      "x-ratelimit-used": String(5_000 - remaining),
      "x-ratelimit-reset": String(reset),
      "x-ratelimit-resource": "core",
    };
  }

  async #answer(request: IncomingMessage, method: string, target: URL, body: unknown): Promise<Answer> {
    const token = this.#tokens.get(request.headers.authorization?.replace(/^(Bearer|token) /i, "") ?? "");
    if (request.headers.authorization !== undefined && token === undefined)
      return refusal(401, "Bad credentials");
    if (this.limit.remaining === 0) return refusal(403, "API rate limit exceeded for user ID 1.");
    this.limit.remaining -= 1;

    const found = operationOf(method, target.pathname);
    const where = `${method} ${target.pathname}`;
    const route = this.#routes.find((one) => one.method === method && one.path === found?.path);
    const needs = route?.needs ?? passedOn.find(([path]) => path.test(target.pathname))?.[1];
    if (found === undefined || (route === undefined && needs === undefined)) {
      this.#problems.push(`${where} is no route of the emulator`);
      return notFound();
    }
    this.#problems.push(
      ...problemsOfRequest(found, target.searchParams, body).map((problem) => `${where}: ${problem}`),
    );
    const { owner, repo } = found.parameters;
    const repository = repo === undefined ? "" : `${owner}/${repo}`;
    if (token === undefined && repository === "") return refusal(401, "Requires authentication");
    const answer =
      (await this.#refusal(repository, token, needs)) ??
      (await (route
        ? route.handle({
            repository: repository === "" ? "" : await this.#spelled(repository),
            parameters: found.parameters,
            query: target.searchParams,
            body: (body ?? {}) as Record<string, unknown>,
            login: token?.login ?? "ghost",
            isAdministrator: token?.isAdministrator ?? true,
            permissions: permissionsOf(token),
            isClassic: token?.scopes !== undefined,
            world: this.world,
          })
        : this.#ask(method, target.pathname + target.search, body)));
    if (token?.scopes) answer.headers = { "x-oauth-scopes": token.scopes.join(", "), ...answer.headers };
    const isOurs = route !== undefined;
    this.#problems.push(
      ...problemsOfAnswer(found, answer.status, answer.body, isOurs).map(
        (problem) => `${where}: ${answer.status}: ${problem}`,
      ),
    );
    return answer;
  }

  /** Why somebody may not ask this, in GitHub's order: a repository that is hidden is not there. */
  async #refusal(
    repository: string,
    token: Token | undefined,
    needs: readonly [string, "read" | "write"] | undefined,
  ): Promise<Answer | undefined> {
    if (needs === undefined) return undefined;
    const [permission, access] = needs;
    const has = permissionsOf(token)[permission];
    if (repository === "") return has === undefined ? notFound() : undefined;
    const { status, body } = await this.#ask("GET", `/repos/${repository}`);
    if (status !== 200) return notFound();
    const { private: isPrivate, full_name: name } = body as { private: boolean; full_name: string };
    const isGranted =
      token !== undefined && (token.repositories === "all" || token.repositories.includes(name));
    if (isPrivate && !isGranted) return notFound();
    if (permission === "metadata" || (!isPrivate && access === "read")) return undefined;
    if (token === undefined) return refusal(401, "Requires authentication");
    if (isGranted && (has === "write" || has === access)) return undefined;
    // To a classic token, what it may not see is not there.
    if (token.scopes) return notFound();
    return {
      ...refusal(403, "Resource not accessible by personal access token"),
      headers: { "x-accepted-github-permissions": `${permission}=${access}` },
    };
  }

  async #spelled(repository: string): Promise<string> {
    const { body } = await this.#ask("GET", `/repos/${repository}`);
    return (body as { full_name: string }).full_name;
  }

  /** What `emulate` answers its administrator, its own address replaced by ours. */
  async #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.inner.url + path, {
      method,
      headers: { authorization: `Bearer ${administrator}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const ours = (text: string) => text.replaceAll(this.inner.url, this.url);
    const text = await response.text();
    const link = response.headers.get("link");
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(ours(text)),
      ...(link === null ? {} : { headers: { link: ours(link) } }),
    };
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer, isCut: boolean): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  const type = {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  };
  response.writeHead(status, { ...(body === undefined ? {} : type), ...headers });
  if (isCut) response.write(text.slice(0, text.length / 2), () => response.destroy());
  else response.end(text);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** It is an ES module that names no entry for require(), which is what ts-node makes of import(). */
function emulate(): Promise<typeof Emulate> {
  const nativeImport = new Function("url", "return import(url)") as (url: string) => Promise<typeof Emulate>;
  return nativeImport(pathToFileURL(join(__dirname, "../../node_modules/emulate/dist/api.js")).href);
}
