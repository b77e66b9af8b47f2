// What Actions may run, and what a workflow's token may do.
import { type Call, type Route, refusal } from "../world";

const base = "/repos/{owner}/{repo}/actions/permissions";

interface Permissions {
  enabled: boolean;
  allowed_actions: string;
  sha_pinning_required: boolean;
}

export class Actions {
  readonly permissions = new Map<string, Permissions>();
  readonly selected = new Map<string, Record<string, unknown>>();
  readonly workflow = new Map<string, Record<string, unknown>>();
  /** Repositories whose organisation has settled what a workflow's token may do. */
  readonly settled = new Set<string>();

  #of(repository: string): Permissions {
    return (
      this.permissions.get(repository) ?? {
        enabled: true,
        allowed_actions: "all",
        sha_pinning_required: false,
      }
    );
  }

  readonly routes: Route[] = [
    {
      method: "GET",
      path: base,
      needs: ["administration", "read"],
      handle: ({ repository, world }) => {
        const url = `${world.repositoryUrl(repository)}/actions/permissions/selected-actions`;
        const own = this.#of(repository);
        const selected = own.allowed_actions === "selected" ? { selected_actions_url: url } : {};
        return { status: 200, body: { ...own, ...selected } };
      },
    },
    {
      method: "PUT",
      path: base,
      needs: ["administration", "write"],
      handle: ({ repository, body }) => {
        this.permissions.set(repository, { ...this.#of(repository), ...body });
        return { status: 204 };
      },
    },
    {
      method: "GET",
      path: `${base}/selected-actions`,
      needs: ["administration", "read"],
      handle: ({ repository }) => {
        if (this.#of(repository).allowed_actions !== "selected") return conflict();
        const none = { github_owned_allowed: false, verified_allowed: false, patterns_allowed: [] };
        return { status: 200, body: { ...none, ...this.selected.get(repository) } };
      },
    },
    {
      method: "PUT",
      path: `${base}/selected-actions`,
      needs: ["administration", "write"],
      handle: ({ repository, body }) => {
        if (this.#of(repository).allowed_actions !== "selected") return conflict();
        this.selected.set(repository, body);
        return { status: 204 };
      },
    },
    {
      method: "GET",
      path: `${base}/workflow`,
      needs: ["administration", "read"],
      handle: ({ repository }) => {
        const none = { default_workflow_permissions: "read", can_approve_pull_request_reviews: false };
        return { status: 200, body: { ...none, ...this.workflow.get(repository) } };
      },
    },
    {
      method: "PUT",
      path: `${base}/workflow`,
      needs: ["administration", "write"],
      handle: (call) => this.#setWorkflow(call),
    },
  ];

  #setWorkflow({ repository, body }: Call) {
    if (this.settled.has(repository)) return { status: 409 };
    this.workflow.set(repository, body);
    return { status: 204 };
  }
}

const conflict = () =>
  refusal(409, "The allowed actions policy must be set to 'selected' to set selected actions.");
