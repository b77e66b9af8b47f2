// The stack's config as the watcher goes by it: read again when its files have been edited; while they are broken,
// what was read before stands, and nothing rolls.
import { isDeepStrictEqual } from "node:util";
import type { EnvironmentConfig } from "../config";
import { configurationIn } from "../rollout/configuration";
import { EngineError } from "./engine";
import { type Log, messageOf } from "./log";
import { readConfigFiles, readSecretTexts, type StackFolder, stampOf } from "./stackFiles";

export class FollowedConfig {
  /** Why the files as they are now cannot be followed; "" while they can. */
  problem = "";
  /** Of the files that the config was read from, or could not be. */
  private stamp: string;
  /** The encrypted texts of the stack's secrets, which tell a changed one without knowing it. */
  private secretTexts: Readonly<Record<string, unknown>>;
  private config: EnvironmentConfig;

  /** @throws ConfigError; Error where a file is missing */
  constructor(
    private readonly folder: StackFolder,
    private readonly log: Log,
  ) {
    this.stamp = stampOf(folder);
    this.config = readConfigFiles(folder);
    this.secretTexts = readSecretTexts(folder);
  }

  get now(): EnvironmentConfig {
    return this.config;
  }

  /**
   * Reads the files again if they have changed.
   * @param adopt called with what they say now; an error of it is a problem of the config
   * @returns whether there is a new config
   */
  async follow(adopt: (config: EnvironmentConfig) => Promise<void>): Promise<boolean> {
    const stamp = stampOf(this.folder);
    if (stamp === this.stamp) return false;
    try {
      const config = readConfigFiles(this.folder);
      this.checkPlace(config);
      await adopt(config);
      this.config = config;
      this.secretTexts = readSecretTexts(this.folder);
      this.stamp = stamp;
      this.problem = "";
      this.log("config", "the stack's config was read again");
      return true;
    } catch (error) {
      // What the engine could not decrypt now, it may at the next look; a mistake stays until somebody edits it.
      if (!(error instanceof EngineError)) this.stamp = stamp;
      const problem = messageOf(error);
      if (this.problem !== problem) this.log("failed", `nothing rolls until this is put right: ${problem}`);
      this.problem = problem;
      return false;
    }
  }

  /** @throws Error where the config names another place for the environment than the one that is followed */
  private checkPlace(edited: EnvironmentConfig): void {
    const moved = (["engine", "kubernetes"] as const).find(
      (key) => !isDeepStrictEqual(edited[key], this.config[key]),
    );
    if (!moved) return;
    throw new Error(
      `tagalong:${moved} leads to another place than where this watcher follows the environment: stop it, run \`pulumi up -s ${this.folder.stack}\`, and start it again`,
    );
  }

  /** Tells what of the config the image's containers are made from, see rollout/configuration.ts. */
  configurationOf(image: string): string {
    return configurationIn(this.config, image, this.secretTexts);
  }
}
