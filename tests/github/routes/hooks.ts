// Webhooks and labels of a repository.
import { type Answer, type Call, notFound, type Route, refusal } from "../world";

interface Hook {
  id: number;
  repository: string;
  active: boolean;
  events: string[];
  config: Record<string, string>;
}

const base = "/repos/{owner}/{repo}/hooks";

export class Hooks {
  readonly all: Hook[] = [];
  #ids = 900;

  readonly routes: Route[] = [
    {
      method: "GET",
      path: base,
      needs: ["repository_hooks", "read"],
      handle: (call) => ({ status: 200, body: this.#of(call).map((one) => shown(call, one)) }),
    },
    {
      method: "POST",
      path: base,
      needs: ["repository_hooks", "write"],
      handle: (call) => {
        const { config = {}, events = ["push"], active = true } = call.body as Partial<Hook>;
        if (this.#of(call).some((one) => one.config["url"] === config["url"]))
          return refusal(422, "Validation Failed", [
            { resource: "Hook", code: "custom", message: "Hook already exists on this repository" },
          ]);
        const hook = { id: ++this.#ids, repository: call.repository, config, events, active };
        this.all.push(hook);
        return { status: 201, body: shown(call, hook) };
      },
    },
    {
      method: "GET",
      path: `${base}/{hook_id}`,
      needs: ["repository_hooks", "read"],
      handle: (call) => this.#with(call, (one) => ({ status: 200, body: shown(call, one) })),
    },
    {
      method: "PATCH",
      path: `${base}/{hook_id}`,
      needs: ["repository_hooks", "write"],
      handle: (call) =>
        this.#with(call, (one) => {
          Object.assign(one, call.body);
          return { status: 200, body: shown(call, one) };
        }),
    },
    {
      method: "DELETE",
      path: `${base}/{hook_id}`,
      needs: ["repository_hooks", "write"],
      handle: (call) =>
        this.#with(call, (one) => {
          this.all.splice(this.all.indexOf(one), 1);
          return { status: 204 };
        }),
    },
  ];

  #of({ repository }: Call): Hook[] {
    return this.all.filter((one) => one.repository === repository);
  }

  #with(call: Call, handle: (one: Hook) => Answer): Answer {
    const one = this.#of(call).find(({ id }) => String(id) === call.parameters["hook_id"]);
    return one ? handle(one) : notFound();
  }
}

function shown({ world }: Call, { id, repository, config, events, active }: Hook) {
  const url = `${world.repositoryUrl(repository)}/hooks/${id}`;
  return {
    ...{ type: "Repository", id, name: "web", active, events, url },
    config: { ...config, ...(config["secret"] ? { secret: "********" } : {}) },
    updated_at: "2026-01-01T00:00:00Z",
    created_at: "2026-01-01T00:00:00Z",
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: { code: null, status: "unused", message: null },
  };
}
