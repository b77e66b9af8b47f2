// The repository's stack of a project on a GitHub of our own: the real provider, the real program, the real registry.

import assert from "node:assert/strict";
import { GitHubEmulator, type Options } from "../github/emulator";
import { type Config, Project, Stack } from "./harness";

export const settings = { owner: "acme", name: "shop" };

export class OnGitHub {
  private constructor(
    readonly emulator: GitHubEmulator,
    readonly project: Project,
    readonly stack: Stack,
    readonly token: string,
  ) {}

  /** With a stack `repository`, and one environment's file for each name. */
  static async open(
    options: Partial<Options> = {},
    { environments = ["dev"] }: { environments?: string[] } = {},
  ): Promise<OnGitHub> {
    const emulator = await GitHubEmulator.start({ ...settings, ...options });
    const project = new Project(["server"]);
    for (const environment of environments) project.write(`Pulumi.${environment}.yaml`, { config: {} });
    const stack = new Stack(project, "repository");
    project.stacks.push(stack);
    const scopes = ["repo", "workflow", "read:org", "write:packages"];
    const token = emulator.token({}, { scopes, repositories: "all" });
    Object.assign(stack.env, {
      GITHUB_TOKEN: token,
      GITHUB_API_URL: emulator.url,
      // Nobody's credentials but those of the test.
      DOCKER_CONFIG: project.folder,
    });
    await stack.run("stack", "init", "repository");
    return new OnGitHub(emulator, project, stack, token);
  }

  configure(repository: Config): void {
    this.stack.configure({ repository: { ...settings, ...repository } });
  }

  /** Encrypts a value below `tagalong:repository`. */
  async setSecret(path: string, value: string): Promise<void> {
    const full = `tagalong:repository.${path}`;
    const run = this.stack.start("config", "set", "--secret", "--path", full, "-s", "repository");
    run.child.stdin?.end(value);
    const { code, output } = await run.done;
    assert.equal(code, 0, output);
  }

  /** What was changed on GitHub, as `METHOD path`; forgets it. */
  changes(): string[] {
    const changes = this.emulator.asked.filter((line) => !line.startsWith("GET "));
    this.emulator.seen.length = 0;
    return changes;
  }

  async close(): Promise<void> {
    await this.project.close();
    await this.emulator.close();
  }
}
