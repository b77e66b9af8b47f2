// One repository on a GitHub of our own, three commits in a row in it, and clients that wait for nothing.
import { GitHub } from "../../../github";
import type { Clock } from "../../../github/client";
import type { Receipt } from "../../../rollout/record";
import { GitHubEmulator, type Options } from "../../github/emulator";
import { receipt } from "../../github/receipts";
import type { Token } from "../../github/world";

export const repository = { owner: "acme", name: "shop" };
const deploys: Token["permissions"] = { deployments: "write", contents: "read" };

export class Stage {
  /** What was waited for, in milliseconds. */
  readonly pauses: number[] = [];
  /** What happens while somebody waits. */
  meanwhile: () => void = () => {};

  private constructor(
    readonly emulator: GitHubEmulator,
    readonly commits: readonly [string, string, string],
  ) {}

  static async open(changes: Partial<Options> = {}): Promise<Stage> {
    const emulator = await GitHubEmulator.start({ ...repository, ...changes });
    const first = await emulator.commit("The first");
    const second = await emulator.commit("The second", [first]);
    return new Stage(emulator, [first, second, await emulator.commit("The third", [second])]);
  }

  /** A client that knows nothing of what others have done: another process, or the same after a restart. */
  github(token = this.emulator.token(deploys)): GitHub {
    const clock: Clock = {
      now: Date.now,
      pause: async (ms) => {
        this.pauses.push(ms);
        this.meanwhile();
      },
    };
    return new GitHub(repository, { baseUrl: this.emulator.url, token, variable: "GITHUB_TOKEN" }, clock);
  }

  /** The receipt of a roll to one of the commits, 1 to 3, in the order in which they were started. */
  roll(number: 1 | 2 | 3, changes: Partial<Receipt> = {}): Receipt {
    const revision = this.commits[number - 1] ?? "";
    return receipt({
      id: `20261121T16150${number}.000Z-00000${number}`,
      images: { server: { from: "sha256:0", to: `sha256:${number}`, version: `1.0.${number}`, revision } },
      ...changes,
    });
  }

  /** Oldest deployment first, each with its states, oldest first. */
  get shown(): [commit: number, environment: string, ...states: string[]][] {
    return this.emulator.deployments.all.toReversed().map(({ sha, environment, statuses }) => {
      const states = statuses.map(({ state }) => state).toReversed();
      return [this.commits.indexOf(sha) + 1, environment, ...states];
    });
  }
}
