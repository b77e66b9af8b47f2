// Labels of issues.
import { type Answer, type Call, notFound, type Route, refusal } from "../world";

interface Label {
  id: number;
  repository: string;
  name: string;
  color: string;
  description: string | null;
}

const base = "/repos/{owner}/{repo}/labels";

export class Labels {
  readonly all: Label[] = [];

  add(repository: string, label: Pick<Label, "name" | "color" | "description">): Label {
    const own = { ...label, id: this.all.length + 1, repository };
    this.all.push(own);
    return own;
  }

  readonly routes: Route[] = [
    {
      method: "GET",
      path: base,
      needs: ["issues", "read"],
      handle: (call) => ({ status: 200, body: this.#of(call).map((one) => shown(call, one)) }),
    },
    {
      method: "POST",
      path: base,
      needs: ["issues", "write"],
      handle: (call) => {
        const { name, color = "ededed", description = null } = call.body as unknown as Label;
        if (this.#find(call, name))
          return refusal(422, "Validation Failed", [
            { resource: "Label", code: "already_exists", field: "name" },
          ]);
        return { status: 201, body: shown(call, this.add(call.repository, { name, color, description })) };
      },
    },
    {
      method: "GET",
      path: `${base}/{name}`,
      needs: ["issues", "read"],
      handle: (call) => this.#with(call, (one) => ({ status: 200, body: shown(call, one) })),
    },
    {
      method: "PATCH",
      path: `${base}/{name}`,
      needs: ["issues", "write"],
      handle: (call) =>
        this.#with(call, (one) => {
          const {
            new_name: name = one.name,
            color = one.color,
            description = one.description,
          } = call.body as unknown as Label & { new_name?: string };
          Object.assign(one, { name, color, description });
          return { status: 200, body: shown(call, one) };
        }),
    },
    {
      method: "DELETE",
      path: `${base}/{name}`,
      needs: ["issues", "write"],
      handle: (call) =>
        this.#with(call, (one) => {
          this.all.splice(this.all.indexOf(one), 1);
          return { status: 204 };
        }),
    },
  ];

  #of({ repository }: Call): Label[] {
    return this.all.filter((one) => one.repository === repository);
  }

  #find(call: Call, name: string): Label | undefined {
    return this.#of(call).find((one) => one.name.toLowerCase() === name.toLowerCase());
  }

  #with(call: Call, handle: (one: Label) => Answer): Answer {
    const one = this.#find(call, call.parameters["name"] ?? "");
    return one ? handle(one) : notFound();
  }
}

const shown = ({ world }: Call, { id, repository, ...label }: Label) => ({
  ...label,
  id,
  node_id: `LA_${id}`,
  url: `${world.repositoryUrl(repository)}/labels/${encodeURIComponent(label.name)}`,
  default: false,
});
