// The watcher: observe the tags, decide, roll, see that it stays well. It remembers nothing that it cannot find out
// again: what runs is what the stack's state says, what should run is what the registry says.

import { ConfigError, type EnvironmentConfig } from "../config";
import { credentialLookup, formatReference, RegistryClient, RegistryError } from "../registry";
import { type Plan, plan } from "../rollout/plan";
import type { ReleasedImage } from "../rollout/release";
import { followed } from "./decide";
import { dockerPlace } from "./docker";
import { EngineError, SetUpError } from "./engine";
import { FollowedConfig } from "./followedConfig";
import { type Log, messageOf, short } from "./log";
import { pause } from "./pause";
import { Rejections } from "./rejections";
import { Rolls } from "./rolls";
import { type Program, Runner } from "./runner";
import { readProject, type StackFolder } from "./stackFiles";
import { Tags } from "./tags";
import { Vigil, vigilEveryMs } from "./vigil";
import { Voice } from "./voice";
import { Standing, type Work } from "./work";

export interface WatchOptions extends StackFolder {
  program: Program;
  log: Log;
  /** Ends the watcher at the next safe point: a roll under way is finished first. */
  stop: AbortSignal;
  /** Cancels a roll under way too. */
  abort: AbortSignal;
}

/** While tags are on the move, the next look comes sooner than the interval, but only so often. */
const quickLook = { everyMs: 200, times: 25 };

/** @throws ConfigError, SetUpError, or Error where it cannot start; from then on nothing but `stop` ends it */
export async function watch(options: WatchOptions): Promise<void> {
  const { stack, log, stop, abort } = options;
  const project = readProject(options.directory);
  const config = new FollowedConfig(options, log);
  const place = dockerPlace;
  const runner = await Runner.open({ ...options, project, place });
  const [standing, voice] = [new Standing(), new Voice(log)];
  const watcher = new Watcher({ stack, config, runner, place, standing, log, voice, stop, abort });
  try {
    await watcher.run();
  } finally {
    runner.close();
  }
}

class Watcher {
  private readonly tags: Tags;
  private readonly rejections: Rejections;
  private readonly vigil: Vigil;
  private readonly rolls: Rolls;
  private credentials = credentialLookup();
  private client = new RegistryClient();
  private quickLooks = 0;
  private nextLook = 0;

  constructor(private readonly work: Work) {
    this.rejections = new Rejections(work);
    this.vigil = new Vigil(work);
    this.rolls = new Rolls(work, this.vigil, this.rejections);
    this.tags = new Tags({ ...work, onMoved: (image, carried) => this.prepare(image, carried) });
  }

  async run(): Promise<void> {
    const { log, stack, stop, config, runner, standing } = this.work;
    // A question under way to a registry that does not answer keeps nobody waiting.
    stop.addEventListener("abort", () => void this.client.close());
    await this.adopt(config.now);
    const { release, gate } = await runner.recorded();
    Object.assign(standing, { running: release, good: release, gate });
    const tags = Object.values(this.tags.references).map(formatReference);
    const message = `${tags.join(", ")}, every ${config.now.rollout.interval / 1000} s`;
    log("watching", message, { environment: stack, tags });
    while (!stop.aborted) {
      const started = Date.now();
      const isDue = started >= this.nextLook;
      const inMs = await this.turn(isDue);
      if (isDue || inMs === 0) this.nextLook = started + inMs;
      const rest = Math.max(0, this.nextLook - Date.now());
      await pause(Math.min(rest, this.rolls.isSoaking ? quickLook.everyMs : vigilEveryMs), stop);
    }
    await this.client.close();
    log("stopped", "the environment stays as it is", { environment: stack });
  }

  /**
   * One round: look, decide, do. Says in how many milliseconds from its start the next look is due.
   * @param isDue whether it is time to look at the tags; if not, only what is at hand is cared for
   */
  private async turn(isDue: boolean): Promise<number> {
    const { config, standing, voice, stop } = this.work;
    const { interval } = config.now.rollout;
    try {
      const isEdited = await config.follow((edited) => this.adopt(edited));
      if ((isDue || isEdited) && (await this.tags.look(standing.running))) this.quickLooks = 0;
      if (stop.aborted || config.problem !== "") return interval;
      const decision = await this.decide();
      if (decision.kind === "roll" && this.rolls.mayTry(decision.release)) {
        await this.rolls.roll(decision.release);
        return 0;
      }
      if (decision.kind === "wait") {
        voice.once("waiting", decision.reason);
        if (decision.untilMs !== undefined) return Math.min(interval, decision.untilMs);
      } else if (decision.kind === "refuse") {
        const [one] = decision.refused;
        const message = `${one?.image} ${short(one?.digest)}: ${one?.reason}`;
        voice.once("refused", message, { refused: decision.refused });
      } else if (decision.kind === "stay" && standing.ensured) voice.forget();
      if (this.rolls.isSoaking) {
        await this.rolls.keepSoaking(Math.min(interval, vigilEveryMs));
        return interval;
      }
      const moving = decision.kind === "wait" && this.quickLooks++ < quickLook.times;
      if (!moving && Object.keys(standing.running).length > 0) await this.vigil.keep();
      return moving ? Math.min(interval, quickLook.everyMs) : interval;
    } catch (error) {
      if (stop.aborted) return 0;
      if (error instanceof SetUpError && !standing.ensured) throw error;
      const facts = isExpected(error) ? {} : { trace: (error as Error).stack };
      voice.once("failed", messageOf(error), facts);
      return interval;
    }
  }

  private async adopt(config: EnvironmentConfig): Promise<void> {
    let explicit = {};
    if (Object.keys(config.registries).length > 0) {
      explicit = JSON.parse((await this.work.runner.config("tagalong:registries")) ?? "{}");
    }
    await this.client.close();
    this.credentials = credentialLookup(explicit);
    this.client = new RegistryClient({ credentials: this.credentials });
    this.tags.follow(followed(config), this.client);
  }

  /** What a tag has moved to is fetched while the others move: it is there when the roll starts, or that says why not. */
  private prepare(image: string, { digest, reference }: ReleasedImage): void {
    if (this.rejections.has(image, digest)) return;
    void this.work.place.pull(reference, this.credentials, this.work.abort).catch(() => {});
  }

  private async decide(): Promise<Plan<ReleasedImage>> {
    const { config, standing } = this.work;
    const { running } = standing;
    const { lockstep, settle, interval } = config.now.rollout;
    const { carried, references, unsure } = this.tags;
    const images = Object.keys(references);
    const next = Object.fromEntries(
      images.flatMap((image) => {
        const one = carried[image]?.image ?? running[image];
        return one ? [[image, one]] : [];
      }),
    );
    const moved = images.some((image) => next[image]?.digest !== running[image]?.digest);
    return plan({
      running,
      carried,
      unsure: [...unsure.keys()],
      images,
      rejection: (image, digest) => this.rejections.reason(image, digest),
      lockstep,
      agreement: lockstep && moved ? await this.tags.agreement(next, interval) : { kind: "agreed" },
      settleMs: settle,
      now: Date.now(),
    });
  }
}

/** Errors whose message says all; of others, where they came from matters. */
const isExpected = (error: unknown): boolean =>
  [RegistryError, EngineError, SetUpError, ConfigError].some((kind) => error instanceof kind);
