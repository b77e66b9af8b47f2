// Packages of an owner on GHCR, as far as they can be read; nothing can be set.
import { type Answer, type Call, notFound, type Route, refusal } from "../world";

export interface Package {
  owner: string;
  /** Without the owner; with slashes. */
  name: string;
  visibility: "private" | "public" | "internal";
  /** `owner/name` of the repository that it is linked to. */
  repository?: string;
}

export class Packages {
  readonly all: Package[] = [];

  readonly routes: Route[] = [
    {
      method: "GET",
      path: "/orgs/{org}/packages/{package_type}/{package_name}",
      handle: (call) => this.#shown(call, call.parameters["org"] ?? "", "orgs"),
    },
    {
      method: "GET",
      path: "/users/{username}/packages/{package_type}/{package_name}",
      handle: (call) => this.#shown(call, call.parameters["username"] ?? "", "users"),
    },
  ];

  async #shown(call: Call, owner: string, place: "orgs" | "users"): Promise<Answer> {
    const { world, parameters } = call;
    if (call.permissions["packages"] === undefined)
      return refusal(403, "You need at least read:packages scope to get a package.");
    const isOrganization = (await world.ask("GET", `/orgs/${owner}`)).status === 200;
    const found = this.all.find(
      (one) => one.owner.toLowerCase() === owner.toLowerCase() && one.name === parameters["package_name"],
    );
    if (!found || isOrganization !== (place === "orgs")) return notFound();
    const name = encodeURIComponent(found.name);
    const { body: linked } = found.repository
      ? await world.ask("GET", `/repos/${found.repository}`)
      : { body: undefined };
    return {
      status: 200,
      body: {
        id: this.all.indexOf(found) + 1,
        name: found.name,
        package_type: "container",
        owner: await world.user(owner),
        version_count: 1,
        visibility: found.visibility,
        url: `${world.url}/${place}/${owner}/packages/container/${name}`,
        created_at: "2026-01-01T00:00:00Z",
        updated_at: "2026-01-01T00:00:00Z",
        html_url: `${world.url}/${place}/${owner}/packages/container/package/${name}`,
        ...(linked ? { repository: await minimal(call, linked as Record<string, unknown>) } : {}),
      },
    };
  }
}

/** A repository, as a package names it. */
async function minimal({ world }: Call, whole: Record<string, unknown>): Promise<Record<string, unknown>> {
  const names = ["id", "node_id", "name", "full_name", "private", "html_url", "description", "fork", "url"];
  const urls = Object.keys(whole).filter(
    (name) =>
      name.endsWith("_url") && !["git_url", "ssh_url", "clone_url", "svn_url", "mirror_url"].includes(name),
  );
  const owner = await world.user((whole["owner"] as { login: string }).login);
  return { ...Object.fromEntries([...names, ...urls].map((name) => [name, whole[name]])), owner };
}
