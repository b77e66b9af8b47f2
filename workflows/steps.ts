// The steps that the workflows share.
import type { Login } from "./settings";
import { defined, expression, type Job, type Step } from "./syntax";

/** Where the scripts stand in the repository. */
export const FOLDER = ".github/tagalong";
/** The runner of all jobs that build nothing. */
export const RUNNER = "ubuntu-24.04";

/** @param depth "all" where a script looks back through the history */
export function checkout(depth: "all" | "one" = "one"): Step {
  const history = depth === "all" ? { "fetch-depth": 0, "fetch-tags": true } : {};
  return { uses: "actions/checkout", with: { "persist-credentials": false, ...history } };
}

/** A step of ours: what it needs comes by its environment, and never by text pasted into a shell. */
export function script(
  name: string,
  command: string,
  { id, env = {}, ...rest }: { id?: string; if?: string; env?: Readonly<Record<string, string>> } = {},
): Step {
  return defined({
    name,
    ...(id !== undefined && { id }),
    ...rest,
    run: `node ${FOLDER}/run.mjs ${command}`,
    ...(Object.keys(env).length > 0 && { env }),
  });
}

/** For the scripts that ask the registry. */
export const registryEnv = (login: Login | undefined): Record<string, string> =>
  login === undefined ? {} : { REGISTRY_USERNAME: login.username, REGISTRY_PASSWORD: login.password };

/** For what asks Docker's credentials: builders, attestations, our provider. */
export const loginSteps = (login: Login | undefined): Step[] =>
  login === undefined
    ? []
    : [
        {
          uses: "docker/login-action",
          with: { registry: login.registry, username: login.username, password: login.password },
        },
      ];

export function node(version: string | undefined): Step[] {
  return version === undefined
    ? []
    : // What a pull request puts into a cache, the next run of the default branch would trust.
      [{ uses: "actions/setup-node", with: { "node-version": version, "package-manager-cache": false } }];
}

/** The user's own commands, a step each, so that the page of the run says which one failed. */
export const commands = (lines: readonly string[]): Step[] => lines.map((run) => ({ name: run, run }));

/** Tells of the run's failure. @param needs the jobs that it waits for */
export function notice(needs: readonly string[], secret: string | undefined, condition = "failure()"): Job {
  return {
    "//": "Names the first job that failed, and the line of its log that says why.",
    needs,
    if: condition,
    permissions: { actions: "read", contents: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 5,
    steps: [
      checkout(),
      script("Tell of the failure", "notice", {
        env: {
          GITHUB_TOKEN: expression("github.token"),
          ...(secret !== undefined && { WEBHOOK: expression(`secrets.${secret}`) }),
        },
      }),
    ],
  };
}

/** Finds out which environments' stacks a run is about. @param env what the commits are compared with */
export function stacks(env: Readonly<Record<string, string>>): Job {
  return {
    permissions: { contents: "read" },
    "runs-on": RUNNER,
    "timeout-minutes": 5,
    outputs: { environments: expression("steps.stacks.outputs.environments") },
    steps: [checkout("all"), script("Which environments", "stacks", { id: "stacks", env })],
  };
}
