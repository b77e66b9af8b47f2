// Environments, as far as deployments make them.
import { type Call, notFound, type Route } from "../world";

interface Environment {
  id: number;
  repository: string;
  name: string;
  created_at: string;
}

export class Environments {
  readonly #all: Environment[] = [];

  /** A deployment to an environment that is not there makes it. Names differ by more than capitals. */
  ensure(repository: string, name: string): void {
    if (this.#find(repository, name)) return;
    const id = this.#all.length + 1;
    this.#all.push({ id, repository, name, created_at: new Date().toISOString() });
  }

  #find(repository: string, name: string): Environment | undefined {
    return this.#all.find(
      (one) => one.repository === repository && one.name.toLowerCase() === name.toLowerCase(),
    );
  }

  readonly routes: Route[] = [
    {
      method: "GET",
      path: "/repos/{owner}/{repo}/environments",
      needs: ["actions", "read"],
      handle: (call) => {
        const environments = this.#all.filter(({ repository }) => repository === call.repository);
        return {
          status: 200,
          body: {
            total_count: environments.length,
            environments: environments.map((one) => shown(call, one)),
          },
        };
      },
    },
    {
      method: "GET",
      path: "/repos/{owner}/{repo}/environments/{environment_name}",
      needs: ["actions", "read"],
      handle: (call) => {
        const one = this.#find(call.repository, call.parameters["environment_name"] ?? "");
        return one ? { status: 200, body: shown(call, one) } : notFound();
      },
    },
  ];
}

const shown = ({ world }: Call, { id, repository, name, created_at }: Environment) => ({
  id,
  node_id: `EN_${id}`,
  name,
  url: `${world.repositoryUrl(repository)}/environments/${encodeURIComponent(name)}`,
  html_url: `${world.url}/${repository}/deployments/activity_log?environments_filter=${encodeURIComponent(name)}`,
  created_at,
  updated_at: created_at,
  protection_rules: [],
  deployment_branch_policy: null,
});
