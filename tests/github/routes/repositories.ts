// A repository, as `emulate` has it, with what its answer lacks.
import { type Call, notFound, type Route } from "../world";

export const repositories: Route[] = [
  {
    method: "GET",
    path: "/repos/{owner}/{repo}",
    needs: ["metadata", "read"],
    handle: async ({ world, repository }: Call) => {
      const { status, body } = await world.ask("GET", `/repos/${repository}`);
      if (status !== 200) return notFound();
      const whole = body as { owner: { login: string }; forks_count: number; watchers_count: number };
      const { forks_count: network_count, watchers_count: subscribers_count } = whole;
      return {
        status,
        body: { ...whole, owner: await world.user(whole.owner.login), network_count, subscribers_count },
      };
    },
  },
];
