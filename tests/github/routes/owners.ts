// Users, organisations and teams, as far as somebody asks who owns a repository and who may approve.
import { type Answer, type Call, notFound, type Route, refusal } from "../world";

const times = { created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" };

export class Owners {
  /** What the owner pays for: `free`, `team`, `enterprise`. Shown to its administrators alone, as by GitHub. */
  plan = "enterprise";
  /** Whether members may make repositories. */
  mayMembersCreate = true;
  readonly #teams = new Map<string, number>();

  /** A team of the organisation; its id. */
  team(organization: string, slug: string): number {
    const id = 100 + this.#teams.size;
    this.#teams.set(`${organization}/${slug}`, id);
    return id;
  }

  readonly routes: Route[] = [
    {
      method: "GET",
      path: "/user",
      handle: async ({ world, login }) =>
        login.endsWith("[bot]")
          ? refusal(403, "Resource not accessible by integration")
          : this.#person(await world.ask("GET", `/users/${login}`)),
    },
    {
      method: "GET",
      path: "/users/{username}",
      handle: async ({ world, parameters }) =>
        this.#person(await world.ask("GET", `/users/${parameters["username"]}`)),
    },
    { method: "GET", path: "/orgs/{org}", handle: (call) => this.#organization(call) },
    {
      method: "GET",
      path: "/orgs/{org}/teams/{team_slug}",
      needs: ["members", "read"],
      handle: (call) => this.#team(call),
    },
  ];

  #person({ status, body }: Answer): Answer {
    if (status !== 200) return notFound();
    const { bio, blog, ...known } = body as Record<string, unknown>;
    return { status, body: { bio: bio ?? null, blog: blog ?? null, ...known, user_view_type: "public" } };
  }

  async #organization({ world, parameters, isAdministrator }: Call): Promise<Answer> {
    const { status, body } = await world.ask("GET", `/orgs/${parameters["org"]}`);
    if (status !== 200) return notFound();
    const { user_view_type: _, site_admin: __, blog: ___, ...known } = body as Record<string, unknown>;
    const given = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null));
    return {
      status,
      body: {
        ...given,
        description: known["description"] ?? null,
        archived_at: null,
        members_can_create_repositories: this.mayMembersCreate,
        ...(isAdministrator
          ? { plan: { name: this.plan, space: 0, private_repos: 0, filled_seats: 1, seats: 1 } }
          : {}),
      },
    };
  }

  async #team(call: Call): Promise<Answer> {
    const { org = "", team_slug: slug = "" } = call.parameters;
    const id = this.#teams.get(`${org}/${slug}`);
    if (id === undefined) return notFound();
    const url = `${call.world.url}/organizations/1/team/${id}`;
    const { body: organization } = await this.#organization(call);
    const { plan: _, ...rest } = organization as Record<string, unknown>;
    return {
      status: 200,
      body: {
        ...{ id, node_id: `T_${id}`, url, name: slug, slug, description: null, permission: "pull", ...times },
        html_url: `${call.world.url}/orgs/${org}/teams/${slug}`,
        members_url: `${url}/members{/member}`,
        repositories_url: `${url}/repos`,
        parent: null,
        type: "organization",
        organization_id: 1,
        members_count: 1,
        repos_count: 1,
        organization: rest,
      },
    };
  }

  /** A team, as other things name it. */
  async reviewer(call: Call, id: number): Promise<Record<string, unknown> | undefined> {
    const [name = "", found] = [...this.#teams].find(([, one]) => one === id) ?? [];
    if (found === undefined) return undefined;
    const [org = "", team_slug = ""] = name.split("/");
    const { body } = await this.#team({ ...call, parameters: { org, team_slug } });
    const {
      members_count: _,
      repos_count: __,
      organization: ___,
      created_at: ____,
      updated_at: _____,
      ...team
    } = body as Record<string, unknown>;
    return team;
  }
}
