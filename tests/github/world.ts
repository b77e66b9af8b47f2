// What the added routes share: who asks, and the repositories, commits and users that npm's `emulate` keeps.

/** A fine-grained token, or an app's: permissions by name, on repositories by `owner/name`. */
export interface Token {
  login: string;
  permissions: Readonly<Record<string, "read" | "write">>;
  repositories: readonly string[] | "all";
  /** Of a classic token, instead of permissions; GitHub names them in each answer. */
  scopes?: readonly string[];
  /** Whether who it belongs to is an administrator; by default so. */
  isAdministrator?: boolean;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** One request to an added route; where it is of a repository, that is there, and who asks may ask. */
export interface Call {
  /** `owner/name`, as the repository itself spells it; "" where the request is of none. */
  repository: string;
  parameters: Readonly<Record<string, string>>;
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** Who asks. */
  login: string;
  isAdministrator: boolean;
  permissions: Readonly<Record<string, "read" | "write">>;
  /** Whether with a classic token. */
  isClassic: boolean;
  world: World;
}

export interface Route {
  method: string;
  /** As the description writes it. */
  path: string;
  /** Left out where the route decides itself. */
  needs?: readonly [permission: string, access: "read" | "write"];
  handle(call: Call): Answer | Promise<Answer>;
}

const documentation = "https://docs.github.com/rest";

/** An error as GitHub writes it. */
export const refusal = (status: number, message: string, errors?: unknown[]): Answer => ({
  status,
  body: {
    message,
    ...(errors ? { errors } : {}),
    documentation_url: documentation,
    // Its description of what it cannot process has no such field.
    ...(status === 422 ? {} : { status: String(status) }),
  },
});

export const notFound = (): Answer => refusal(404, "Not Found");

export class World {
  /** Commits on which a status or check is not green. */
  readonly failing = new Set<string>();

  /**
   * @param url where the whole answers
   * @param ask npm's `emulate`, as its administrator
   */
  constructor(
    readonly url: string,
    readonly ask: (method: string, path: string, body?: unknown) => Promise<Answer>,
  ) {}

  repositoryUrl(repository: string): string {
    return `${this.url}/repos/${repository}`;
  }

  /** The commit that a branch, a tag or a name of it leads to. */
  async commit(repository: string, ref: string): Promise<string | undefined> {
    const { status, body } = await this.ask("GET", `/repos/${repository}/commits/${encodeURIComponent(ref)}`);
    return status === 200 ? (body as { sha: string }).sha : undefined;
  }

  /** Somebody by number, as reviewers are named. */
  async userOf(id: number): Promise<Record<string, unknown> | undefined> {
    for (const login of ["ada", "admin"]) {
      const user = await this.user(login);
      if (user["id"] === id) return user;
    }
    return undefined;
  }

  /** Somebody, or an organisation, as other things name them. */
  async user(login: string): Promise<Record<string, unknown>> {
    const person = await this.ask("GET", `/users/${login}`);
    const isPerson = person.status === 200;
    const known = (isPerson ? person : await this.ask("GET", `/orgs/${login}`)).body as Record<
      string,
      unknown
    >;
    const { id, node_id, avatar_url } = known;
    const url = `${this.url}/users/${login}`;
    return {
      ...{ login, id, node_id, avatar_url, gravatar_id: "", url },
      html_url: `${this.url}/${login}`,
      followers_url: `${url}/followers`,
      following_url: `${url}/following{/other_user}`,
      gists_url: `${url}/gists{/gist_id}`,
      starred_url: `${url}/starred{/owner}{/repo}`,
      subscriptions_url: `${url}/subscriptions`,
      organizations_url: `${url}/orgs`,
      repos_url: `${url}/repos`,
      events_url: `${url}/events{/privacy}`,
      received_events_url: `${url}/received_events`,
      type: isPerson ? "User" : "Organization",
      site_admin: false,
    };
  }
}

/** One page of a list, newest first as GitHub lists, with the links to the others. */
export function paged({ query }: Call, url: string, items: readonly unknown[]): Answer {
  const size = Math.min(Math.max(Number(query.get("per_page") ?? 30), 1), 100);
  const page = Math.max(Number(query.get("page") ?? 1), 1);
  const last = Math.max(Math.ceil(items.length / size), 1);
  const link = (number: number, rel: string) => {
    const target = new URL(url);
    for (const [name, value] of query) target.searchParams.set(name, value);
    target.searchParams.set("page", String(number));
    return `<${target}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, "prev")] : []),
    ...(page < last ? [link(page + 1, "next"), link(last, "last")] : []),
    ...(page > 1 ? [link(1, "first")] : []),
  ];
  return {
    status: 200,
    body: items.slice((page - 1) * size, page * size),
    ...(links.length > 0 ? { headers: { link: links.join(", ") } } : {}),
  };
}
