// The watcher: observe the tags, decide, roll, see that it stays well. It remembers nothing that it cannot find out
// again: what runs is what the stack's state says, what should run is what the registry says.

import { ConfigError, type EnvironmentConfig } from "../config";
import type { GateInputs } from "../provider/gate";
import { formatReference, RegistryError } from "../registry";
import { type Plan, plan } from "../rollout/plan";
import type { Release, ReleasedImage } from "../rollout/release";
import { judgeFailures, type UpdateFailure, type Verdict } from "../rollout/verdict";
import { followed } from "./decide";
import { EngineError, SetUpError } from "./engine";
import { type Log, short, title } from "./log";
import { pause } from "./pause";
import { type Program, Runner } from "./runner";
import { readConfigFiles, readProject, readSecretTexts, type StackFolder, stampOf } from "./stackFiles";
import { Tags } from "./tags";
import { lostReplicas, Soak, startAgain } from "./vigil";

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
const vigilEveryMs = 5_000;
const longestBackOffMs = 60_000;

/** @throws ConfigError, SetUpError, or Error where it cannot start; from then on nothing but `stop` ends it */
export async function watch(options: WatchOptions): Promise<void> {
  const project = readProject(options.directory);
  const config = readConfigFiles(options);
  const runner = await Runner.open({ ...options, project });
  try {
    await new Watcher(options, config, runner).run();
  } finally {
    runner.close();
  }
}

type Changed = [image: string, one: ReleasedImage][];

class Watcher {
  /** Of the files that the config was read from, or could not be. */
  private configStamp: string;
  /** Why the files as they are now cannot be followed. */
  private configProblem = "";
  /** The encrypted texts of the stack's secrets, which tell a changed one without knowing it. */
  private secretTexts: Readonly<Record<string, unknown>> = {};
  private readonly tags: Tags;
  /** What the last update that succeeded brought the environment to. */
  private running: Release = {};
  /** What stayed well for its soak time: where a failed roll goes back to. */
  private good: Release = {};
  private gate: GateInputs | undefined;
  private soaking: { soak: Soak; changed: Changed; facts: Record<string, unknown> } | undefined;
  /** Whether an update of this process has succeeded since something went wrong, or since it started. */
  private ensured = false;
  /** `image@digest` → why it may not roll and for which configuration that was found. */
  private readonly rejected = new Map<string, { reason: string; configuration: string }>();
  private lastSaid = "";
  private quickLooks = 0;
  private retry = { key: "", attempts: 0, notBefore: 0 };
  private lastVigil = 0;
  private nextLook = 0;

  constructor(
    private readonly options: WatchOptions,
    private config: EnvironmentConfig,
    private readonly runner: Runner,
  ) {
    this.configStamp = stampOf(options);
    this.tags = new Tags(options);
  }

  async run(): Promise<void> {
    const { log, stack, stop } = this.options;
    // A question under way to a registry that does not answer keeps nobody waiting.
    stop.addEventListener("abort", () => void this.tags.close());
    await this.adoptConfig(this.config);
    const { release, gate } = await this.runner.recorded();
    this.running = release;
    this.good = release;
    this.gate = gate;
    const tags = Object.values(this.tags.references).map(formatReference);
    const message = `${tags.join(", ")}, every ${this.config.rollout.interval / 1000} s`;
    log("watching", message, { environment: stack, tags });
    while (!stop.aborted) {
      const started = Date.now();
      const isDue = started >= this.nextLook;
      const inMs = await this.turn(isDue);
      if (isDue || inMs === 0) this.nextLook = started + inMs;
      const rest = Math.max(0, this.nextLook - Date.now());
      await pause(Math.min(rest, this.soaking ? quickLook.everyMs : vigilEveryMs), stop);
    }
    await this.tags.close();
    log("stopped", "the environment stays as it is", { environment: stack });
  }

  /**
   * One round: look, decide, do. Says in how many milliseconds from its start the next look is due.
   * @param isDue whether it is time to look at the tags; if not, only what is at hand is cared for
   */
  private async turn(isDue: boolean): Promise<number> {
    const { interval } = this.config.rollout;
    try {
      const isEdited = await this.followConfig();
      if (isDue || isEdited) {
        const isRejected = (image: string, digest: string) => this.rejected.has(`${image}@${digest}`);
        if (await this.tags.look(this.running, isRejected)) this.quickLooks = 0;
      }
      if (this.options.stop.aborted || this.configProblem !== "") return interval;
      const decision = await this.decide();
      if (decision.kind === "roll" && this.mayTry(decision.release)) {
        await this.roll(decision.release);
        return 0;
      }
      if (decision.kind === "wait") {
        this.sayOnce("waiting", decision.reason);
        if (decision.untilMs !== undefined) return Math.min(interval, decision.untilMs);
      } else if (decision.kind === "refuse") {
        const [one] = decision.refused;
        const message = `${one?.image} ${short(one?.digest)}: ${one?.reason}`;
        this.sayOnce("refused", message, { refused: decision.refused });
      } else if (decision.kind === "stay" && this.ensured) this.lastSaid = "";
      if (this.soaking) {
        await this.keepSoaking(Math.min(interval, vigilEveryMs));
        return interval;
      }
      const moving = decision.kind === "wait" && this.quickLooks++ < quickLook.times;
      if (!moving && Object.keys(this.running).length > 0) await this.keepVigil();
      return moving ? Math.min(interval, quickLook.everyMs) : interval;
    } catch (error) {
      if (this.options.stop.aborted) return 0;
      if (error instanceof SetUpError && !this.ensured) throw error;
      this.sayOnce("failed", messageOf(error), isExpected(error) ? {} : { trace: (error as Error).stack });
      return interval;
    }
  }

  /**
   * Reads the stack's files again when they have changed; while they are broken nothing rolls.
   * @returns whether there is a new config
   */
  private async followConfig(): Promise<boolean> {
    const stamp = stampOf(this.options);
    if (stamp === this.configStamp) return false;
    const { log } = this.options;
    try {
      await this.adoptConfig(readConfigFiles(this.options));
      this.configStamp = stamp;
      this.configProblem = "";
      log("config", "the stack's config was read again");
      return true;
    } catch (error) {
      // What the engine could not decrypt now, it may at the next look; a mistake stays until somebody edits it.
      if (!(error instanceof EngineError)) this.configStamp = stamp;
      const problem = messageOf(error);
      if (this.configProblem !== problem) log("failed", `nothing rolls until this is put right: ${problem}`);
      this.configProblem = problem;
      return false;
    }
  }

  private async adoptConfig(config: EnvironmentConfig): Promise<void> {
    let explicit = {};
    if (Object.keys(config.registries).length > 0) {
      explicit = JSON.parse((await this.runner.config("tagalong:registries")) ?? "{}");
    }
    this.config = config;
    this.secretTexts = readSecretTexts(this.options);
    await this.tags.follow(followed(config), explicit);
  }

  private async decide(): Promise<Plan<ReleasedImage>> {
    const { lockstep, settle, interval } = this.config.rollout;
    const { carried, references, unsure } = this.tags;
    const images = Object.keys(references);
    const next = Object.fromEntries(
      images.flatMap((image) => {
        const one = carried[image]?.image ?? this.running[image];
        return one ? [[image, one]] : [];
      }),
    );
    const moved = images.some((image) => next[image]?.digest !== this.running[image]?.digest);
    return plan({
      running: this.running,
      carried,
      unsure: [...unsure.keys()],
      images,
      rejection: (image, digest) => {
        const found = this.rejected.get(`${image}@${digest}`);
        return found?.configuration === this.configurationOf(image) ? found.reason : undefined;
      },
      lockstep,
      agreement: lockstep && moved ? await this.tags.agreement(next, interval) : { kind: "agreed" },
      settleMs: settle,
      now: Date.now(),
    });
  }

  /** Whether it is time for another try of a release that something was in the way of; any other goes at once. */
  private mayTry(release: Release): boolean {
    return this.retry.key !== keyOf(release) || Date.now() >= this.retry.notBefore;
  }

  private async roll(release: Release): Promise<void> {
    const { log, abort, stack } = this.options;
    const changed = changes(this.running, release);
    const facts = { environment: stack, release: factsOf(release), from: factsOf(this.running) };
    log("rolling", changed.map(([image, one]) => `${image} to ${title(one)}`).join(", "), facts);
    this.soaking = undefined; // what served up to now gets no verdict any more
    const result = await this.runner.up(release, {
      refresh: await this.isLacking(),
      signal: abort,
      onLive: () => log("live", "the traffic goes to the new one", facts),
    });
    if (!result.ok) {
      if (abort.aborted) {
        log("failed", "the roll was cancelled; the next watcher finishes it or goes back", facts);
        return;
      }
      const services = Object.keys(this.config.services);
      const verdict = judgeFailures(result.failures, { stack, services });
      return this.goBack(release, changes(this.good, release), verdict, result.failures);
    }
    this.running = release;
    this.gate = result.gate;
    this.ensured = true;
    this.lastVigil = Date.now();
    this.retry = { key: "", attempts: 0, notBefore: 0 };
    if (!result.gate) {
      this.good = release;
      return;
    }
    const endsAt = (result.switchedAt ?? Date.now()) + this.config.rollout.soak;
    this.soaking = { soak: new Soak(result.gate, endsAt), changed: changes(this.good, release), facts };
  }

  /** Sees whether what serves now stays well; at the end of its soak time it has a verdict. */
  private async keepSoaking(forMs: number): Promise<void> {
    if (!this.soaking) return;
    const { soak, changed, facts } = this.soaking;
    const { unwell, over } = await soak.look(forMs, this.options.stop);
    if (unwell.length > 0) {
      this.soaking = undefined;
      await this.goBack(this.running, changed, { kind: "rejected", services: unwell }, []);
    } else if (over) {
      this.soaking = undefined;
      this.good = this.running;
      const images = changed.map(([image]) => image).join(", ");
      const message = `${images} stayed well for ${this.config.rollout.soak / 1000} s`;
      this.options.log("healthy", message, facts);
    }
  }

  /** After a failed roll: remembers what may not roll again, and returns to what was good before. */
  private async goBack(
    release: Release,
    changed: Changed,
    verdict: Verdict,
    failures: UpdateFailure[],
  ): Promise<void> {
    const { log, abort } = this.options;
    if (verdict.kind === "rejected") this.reject(release, changed, verdict.services, failures);
    else {
      const key = keyOf(release);
      const attempts = this.retry.key === key ? this.retry.attempts + 1 : 1;
      const waitMs = Math.min(longestBackOffMs, 1000 * 2 ** attempts);
      this.retry = { key, attempts, notBefore: Date.now() + waitMs };
      log("failed", `${verdict.reason}; next try in ${waitMs / 1000} s`, {
        detail: failures.map(({ message }) => message),
      });
    }
    this.ensured = false;
    if (Object.keys(this.good).length === 0) return;
    this.running = this.good;
    const back = await this.runner.up(this.good, { refresh: await this.isLacking(), signal: abort });
    if (back.ok) {
      this.gate = back.gate;
      this.ensured = true;
      this.lastVigil = Date.now();
      const images = Object.entries(this.good).map(([image, one]) => `${image} ${title(one)}`);
      log("returned", `the environment runs ${images.join(", ")}`, { release: factsOf(this.good) });
    } else if (!abort.aborted) {
      const reasons = back.failures.map(({ message }) => firstLine(message)).join("; ");
      log("failed", `it could not be tidied up, and will be tried again: ${reasons}`, {
        detail: back.failures,
      });
      this.lastVigil = Date.now();
    }
  }

  private reject(
    release: Release,
    changed: Changed,
    services: { service: string; reason: string }[],
    failures: UpdateFailure[],
  ): void {
    const found = services.flatMap(({ service, reason }) => {
      const image = this.config.services[service]?.image ?? "";
      const digest = release[image]?.digest;
      return digest && changed.some(([name]) => name === image) ? [{ service, image, digest, reason }] : [];
    });
    // A failure that no changed image explains (a worker that an old one broke) still must not be tried forever.
    const reason = services[0]?.reason ?? "the roll failed";
    const rejected =
      found.length > 0
        ? found
        : changed.map(([image, { digest }]) => ({ service: image, image, digest, reason }));
    for (const { image, digest, reason } of rejected) {
      this.rejected.set(`${image}@${digest}`, { reason, configuration: this.configurationOf(image) });
    }
    const sentences = rejected.map(({ service, digest, reason }) => `${service} ${short(digest)}: ${reason}`);
    this.options.log("rejected", sentences.join("; "), {
      environment: this.options.stack,
      failures: rejected.map(({ service, digest, reason }) => ({ service, digest, reason })),
      detail: failures.map(({ message }) => message),
    });
  }

  /** Whether containers are gone that the state still has, so that an update must look before it decides. */
  private async isLacking(): Promise<boolean> {
    if (!this.gate) return false;
    const lost = await lostReplicas(this.gate);
    await startAgain(lost.stopped);
    return lost.services.length > 0;
  }

  /** Sees to it that what should run does: at the start, after a failure, and when somebody removed or stopped some. */
  private async keepVigil(): Promise<void> {
    if (this.lastVigil !== 0 && Date.now() - this.lastVigil < vigilEveryMs) return;
    const first = this.lastVigil === 0;
    this.lastVigil = Date.now();
    let lost = this.gate ? await lostReplicas(this.gate) : { services: [], stopped: [] };
    if (lost.services.length > 0 && !first) {
      // Somebody's own `pulumi up` may have put others in their place.
      this.gate = (await this.runner.recorded()).gate;
      lost = this.gate ? await lostReplicas(this.gate) : lost;
    }
    if (this.ensured && lost.services.length === 0) return;
    const names = lost.services.join(", ");
    if (names) this.sayOnce("failed", `gone from the engine: ${names}`, { lost: lost.services });
    await startAgain(lost.stopped);
    const result = await this.runner.up(this.running, {
      signal: this.options.abort,
      refresh: first || lost.services.length > 0,
    });
    this.ensured = result.ok;
    if (result.ok) {
      this.gate = result.gate;
      this.lastSaid = "";
      if (names) this.options.log("repaired", `runs again: ${names}`, { lost: lost.services });
    } else if (!this.options.abort.aborted) {
      const reasons = result.failures.map(({ message }) => firstLine(message)).join("; ");
      this.sayOnce("failed", reasons, { detail: result.failures });
    }
  }

  /** What of the config the image's containers are made from. */
  private configurationOf(image: string): string {
    const services = Object.values(this.config.services).filter((service) => service.image === image);
    const secrets = services.flatMap((service) => service.secrets.map((name) => this.secretTexts[name]));
    return JSON.stringify([services, secrets]);
  }

  /** A state that lasts is said when it begins, not at every look. */
  private sayOnce(
    event: "waiting" | "refused" | "failed",
    message: string,
    facts: Record<string, unknown> = {},
  ): void {
    if (this.lastSaid === `${event} ${message}`) return;
    this.lastSaid = `${event} ${message}`;
    this.options.log(event, message, facts);
  }
}

const firstLine = (text: string): string => text.split("\n")[0] ?? "";
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
/** Errors whose message says all; of others, where they came from matters. */
const isExpected = (error: unknown): boolean =>
  [RegistryError, EngineError, SetUpError, ConfigError].some((kind) => error instanceof kind);
const keyOf = (release: Release): string =>
  JSON.stringify(Object.entries(release).map(([image, { digest }]) => [image, digest]));
/** Images that another release has another digest of. */
const changes = (from: Release, to: Release): Changed =>
  Object.entries(to).filter(([image, { digest }]) => from[image]?.digest !== digest);
const factsOf = (release: Release) =>
  Object.fromEntries(
    Object.entries(release).map(([image, { digest, version, revision }]) => [
      image,
      { digest, version, revision },
    ]),
  );
