// The watcher: observe the tags, decide, roll, see that it stays well. It remembers nothing that it cannot find out
// again: what runs is what the stack's state says, what should run and what was found out is what the registry says.
import { ConfigError, type EnvironmentConfig } from "../config";
import { formatReference, RegistryError } from "../registry";
import type { Release, ReleasedImage } from "../rollout/release";
import { Access } from "./access";
import { Authority } from "./authority";
import { followed } from "./decide";
import { Decider, type Decision } from "./decider";
import { EngineError, SetUpError } from "./engine";
import { messageOf, short } from "./log";
import { Outbox } from "./outbox";
import { pause } from "./pause";
import { type ReceiptSink, Receipts } from "./receipts";
import { Records } from "./records";
import { changes } from "./releases";
import { Resumption } from "./resumption";
import { Rolls } from "./rolls";
import { Scribe } from "./scribe";
import { Tags } from "./tags";
import { Overtaken } from "./unlocked";
import { Verdicts } from "./verdicts";
import { Vigil, vigilEveryMs } from "./vigil";
import { Voice } from "./voice";
import { WayBack } from "./wayBack";
import type { Work } from "./work";

/** While tags are on the move, the next look comes sooner than the interval, but only so often. */
const quickLook = { everyMs: 200, times: 25 };
const giveWayMs = 2_000;
/** At the end, for what the registry does not have yet. */
const lastWordsMs = 3_000;

export class Watcher {
  private readonly access: Access;
  private readonly tags: Tags;
  private readonly outbox: Outbox;
  private readonly records: Records;
  private readonly authority: Authority;
  private readonly decider: Decider;
  private readonly vigil: Vigil;
  private readonly rolls: Rolls;
  private readonly resumption: Resumption;
  /** Apart from what is decided meanwhile. */
  private readonly lockVoice: Voice;
  private quickLooks = 0;
  private nextLook = 0;
  /** Whether the tags carry something that is refused, and whether the config was edited since. */
  private refusal: "none" | "refused" | "edited since" = "none";

  constructor(
    private readonly work: Work,
    directory: string,
    sinks: readonly ReceiptSink[],
  ) {
    const { stack, log, runner } = work;
    const access = new Access(stack);
    const scribe = new Scribe(access, (image, digest) => this.records.forget(image, digest));
    const outbox = new Outbox(runner.outboxFile, { write: (one) => scribe.write(one), log });
    const receipts = new Receipts({ stack, directory, log }, outbox, sinks);
    const wayBack = new WayBack(work, receipts);
    this.access = access;
    this.lockVoice = new Voice(log);
    this.outbox = outbox;
    this.tags = new Tags({ ...work, onMoved: (image, carried) => this.prepare(image, carried) });
    this.records = new Records(work, outbox, access.asking.ledger);
    this.authority = new Authority(work);
    this.decider = new Decider(work, this.tags, this.records, this.authority);
    this.vigil = new Vigil(work, receipts, wayBack);
    this.rolls = new Rolls(work, new Verdicts(work, outbox), receipts, wayBack, this.records);
    const { authority, records, rolls } = this;
    this.resumption = new Resumption(work, { access, authority, outbox, receipts, wayBack, records, rolls });
  }

  async run(): Promise<void> {
    const { log, stack, stop, config, runner, standing } = this.work;
    // A question under way to a registry that does not answer keeps nobody waiting.
    stop.addEventListener("abort", () => void this.access.hush());
    await this.adopt(config.now);
    const { release, gate, authorisation } = await runner.recorded();
    Object.assign(standing, { running: release, gate });
    this.authority.adopt(authorisation);
    this.outbox.start();
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
    await this.outbox.close(lastWordsMs);
    await this.access.close();
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
      if (isEdited && this.refusal === "refused") this.refusal = "edited since";
      if ((isDue || isEdited) && (await this.tags.look(standing.running))) this.quickLooks = 0;
      if (stop.aborted || config.problem !== "") return interval;
      const decision = await this.decide();
      if (decision.kind === "roll" && this.rolls.mayTry(decision.release)) {
        await this.roll(decision.release);
        return 0;
      }
      this.say(decision);
      if (decision.kind !== "wait" && decision.kind !== "roll") this.resumption.giveUp();
      if (standing.ensured) this.resumption.endOthers();
      const endsInMs = decision.kind === "wait" ? decision.untilMs : undefined;
      if (endsInMs !== undefined && endsInMs < interval) return endsInMs;
      if (this.rolls.isSoaking) {
        await this.rolls.keepSoaking(Math.min(interval, vigilEveryMs));
        return interval;
      }
      const mayEndAnyMoment = decision.kind === "wait" && endsInMs === undefined;
      const moving = mayEndAnyMoment && this.quickLooks++ < quickLook.times;
      if (!moving && Object.keys(standing.running).length > 0) await this.vigil.keep();
      if (standing.ensured) this.resumption.goOn();
      return moving ? Math.min(interval, quickLook.everyMs) : interval;
    } catch (error) {
      if (stop.aborted) return 0;
      if (error instanceof Overtaken) return this.giveWay(error, interval);
      if (error instanceof SetUpError && !standing.ensured) throw error;
      const facts = isExpected(error) ? {} : { trace: (error as Error).stack };
      voice.once("failed", messageOf(error), facts);
      return interval;
    }
  }

  private async decide(): Promise<Decision> {
    try {
      await this.resumption.begin();
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return { kind: "wait", reason: `what is on record of what runs is not known: ${error.message}` };
    }
    return this.decider.decide();
  }

  private say(decision: Decision): void {
    const { standing, voice } = this.work;
    if (decision.kind === "wait") voice.once("waiting", decision.reason);
    else if (decision.kind === "hold") voice.once("held", decision.reason);
    else if (decision.kind === "refuse") {
      if (this.refusal === "none") this.refusal = "refused";
      const [one] = decision.refused;
      const message = `${one?.image} ${short(one?.digest)}: ${one?.reason}`;
      voice.once("refused", message, { refused: decision.refused });
    } else if (decision.kind === "stay" && standing.ensured) {
      voice.forget();
      this.lockVoice.forget();
    }
  }

  private async roll(release: Release): Promise<void> {
    const { release: named } = this.authority;
    const isByConfig = named !== "" || this.refusal === "edited since";
    const moves = changes(this.work.standing.running, release).map(
      ([image]) => this.tags.carried[image]?.movedAt,
    );
    const observedAt = Math.min(...moves.map((at) => at ?? Date.now()));
    this.refusal = "none";
    const interrupted = this.resumption.interruptedOf(release);
    this.resumption.giveUp();
    this.resumption.goOn();
    const trigger = isByConfig ? "config" : "tag";
    const confirm = () => this.decider.isStill(release);
    await this.rolls.roll(release, { trigger, release: named, observedAt, interrupted, confirm });
  }

  /** Somebody else is at work on the environment, or has been: when that is over, everything is found out anew. */
  private async giveWay({ message }: Overtaken, interval: number): Promise<number> {
    this.lockVoice.once("waiting", message);
    await this.resumption.again().catch((error: unknown) => {
      this.work.voice.once("failed", messageOf(error));
    });
    return Math.min(interval, giveWayMs);
  }

  private async adopt(config: EnvironmentConfig): Promise<void> {
    let explicit = {};
    if (Object.keys(config.registries).length > 0) {
      explicit = JSON.parse((await this.work.runner.config("tagalong:registries")) ?? "{}");
    }
    await this.access.follow(followed(config), explicit);
    this.tags.follow(this.access.references, this.access.asking.client);
    this.records.follow(this.access.asking.ledger);
  }

  /**
   * What a tag has moved to is fetched while the others move, and what is on record of it read: both are there when the
   * roll can start, or it says why not.
   */
  private prepare(image: string, { digest, reference }: ReleasedImage): void {
    this.records.prepare(image, digest);
    if (this.records.isRejected(image, digest)) return;
    const pull = async () => {
      await this.authority.look([[image, digest]]);
      if (this.authority.problem(image, digest) !== undefined) return;
      await this.work.place.pull(reference, this.access.credentials, this.work.abort);
    };
    void pull().catch(() => {});
  }
}

/** Errors whose message says all; of others, where they came from matters. */
const isExpected = (error: unknown): boolean =>
  [RegistryError, EngineError, SetUpError, ConfigError].some((kind) => error instanceof kind);
