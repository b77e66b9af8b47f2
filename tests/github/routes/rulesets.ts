// Rulesets of a repository; GitHub has none for private repositories of the free plan.
import { type Answer, type Call, notFound, type Route, refusal } from "../world";
import type { Owners } from "./owners";

interface Ruleset extends Record<string, unknown> {
  id: number;
  repository: string;
  name: string;
}

const base = "/repos/{owner}/{repo}/rulesets";
/** The role of an administrator, as bypass lists name it. */
const administrator = 5;

export class Rulesets {
  readonly all: Ruleset[] = [];
  #ids = 500;

  constructor(private readonly owners: Owners) {}

  /** One that was there before anybody asked. */
  add(repository: string, ruleset: Record<string, unknown> & { name: string }): number {
    const own = { ...ruleset, id: ++this.#ids, repository };
    this.all.push(own);
    return own.id;
  }

  /** The active rules of a branch. */
  async rulesOf(
    call: Call,
    branch: string,
  ): Promise<{ type: string; parameters?: unknown; id: number; isBypassed: boolean }[]> {
    const { body } = await call.world.ask("GET", `/repos/${call.repository}`);
    const names = [
      ...["~ALL", `refs/heads/${branch}`],
      ...((body as { default_branch: string }).default_branch === branch ? ["~DEFAULT_BRANCH"] : []),
    ];
    return this.#of(call).flatMap((one) => {
      const { conditions, rules = [] } = one as {
        conditions?: { ref_name?: { include?: string[] } };
        rules?: { type: string; parameters?: unknown }[];
      };
      const isMeant = conditions?.ref_name?.include?.some((name) => names.includes(name)) === true;
      if (!isMeant || one["enforcement"] !== "active" || one["target"] !== "branch") return [];
      return rules.map((rule) => ({ ...rule, id: one.id, isBypassed: bypasses(call, one) }));
    });
  }

  readonly routes: Route[] = [
    {
      method: "GET",
      path: "/repos/{owner}/{repo}/rules/branches/{branch}",
      needs: ["metadata", "read"],
      handle: (call) =>
        this.#where(call, async () => ({
          status: 200,
          body: (await this.rulesOf(call, call.parameters["branch"] ?? "")).map(
            ({ id, isBypassed: _, ...rule }) => ({
              ...rule,
              ...{ ruleset_source_type: "Repository", ruleset_source: call.repository, ruleset_id: id },
            }),
          ),
        })),
    },
    {
      method: "GET",
      path: base,
      needs: ["metadata", "read"],
      handle: (call) =>
        this.#where(call, () => ({
          status: 200,
          body: this.#of(call).map((one) => {
            const { rules: _, conditions: __, bypass_actors: ___, ...short } = shown(call, one);
            return short;
          }),
        })),
    },
    {
      method: "POST",
      path: base,
      needs: ["administration", "write"],
      handle: (call) =>
        this.#where(call, () => {
          const { name } = call.body as { name: string };
          if (this.#of(call).some((one) => one.name === name))
            return refusal(422, "Validation Failed: Name must be unique");
          this.add(call.repository, { ...call.body, name });
          return { status: 201, body: shown(call, this.all.at(-1) as Ruleset) };
        }),
    },
    {
      method: "GET",
      path: `${base}/{ruleset_id}`,
      needs: ["metadata", "read"],
      handle: (call) => this.#with(call, (one) => ({ status: 200, body: shown(call, one) })),
    },
    {
      method: "PUT",
      path: `${base}/{ruleset_id}`,
      needs: ["administration", "write"],
      handle: (call) =>
        this.#with(call, (one) => {
          // What is left out stays.
          Object.assign(one, call.body);
          return { status: 200, body: shown(call, one) };
        }),
    },
    {
      method: "DELETE",
      path: `${base}/{ruleset_id}`,
      needs: ["administration", "write"],
      handle: (call) =>
        this.#with(call, (one) => {
          this.all.splice(this.all.indexOf(one), 1);
          return { status: 204 };
        }),
    },
  ];

  #of({ repository }: Call): Ruleset[] {
    return this.all.filter((one) => one.repository === repository);
  }

  #with(call: Call, handle: (one: Ruleset) => Answer): Promise<Answer> {
    return this.#where(call, () => {
      const one = this.#of(call).find(({ id }) => String(id) === call.parameters["ruleset_id"]);
      return one ? handle(one) : notFound();
    });
  }

  async #where({ world, repository }: Call, handle: () => Answer | Promise<Answer>): Promise<Answer> {
    const { body } = await world.ask("GET", `/repos/${repository}`);
    const { private: isPrivate } = body as { private: boolean };
    return isPrivate && this.owners.plan === "free"
      ? refusal(403, "Upgrade to GitHub Team or make this repository public to enable this feature.")
      : handle();
  }
}

function bypasses(
  { isAdministrator }: Call,
  { bypass_actors: actors = [] }: Record<string, unknown>,
): boolean {
  const all = actors as { actor_id?: number; actor_type: string; bypass_mode?: string }[];
  return (
    isAdministrator &&
    all.some(
      ({ actor_id: id, actor_type: type, bypass_mode: mode = "always" }) =>
        type === "RepositoryRole" && id === administrator && mode === "always",
    )
  );
}

function shown(call: Call, { id, repository, ...given }: Ruleset): Record<string, unknown> {
  const { world } = call;
  return {
    target: "branch",
    bypass_actors: [],
    ...given,
    id,
    source_type: "Repository",
    source: repository,
    node_id: `RRS_${id}`,
    current_user_can_bypass: bypasses(call, given) ? "always" : "never",
    _links: {
      self: { href: `${world.repositoryUrl(repository)}/rulesets/${id}` },
      html: { href: `${world.url}/${repository}/rules/${id}` },
    },
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-01T00:00:00Z",
  };
}
