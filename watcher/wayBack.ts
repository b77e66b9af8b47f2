// The way back: to the release that last stayed well, which then holds until somebody names another or moves the tag on.
import type { Release } from "../rollout/release";
import { firstLine, title } from "./log";
import type { Receipts } from "./receipts";
import { factsOf, keyOf } from "./releases";
import { isLacking } from "./replicas";
import type { Work } from "./work";

interface Reason {
  why: string;
  /** Whether the environment stays there, and does not try the same again. */
  isHeld: boolean;
}

export class WayBack {
  /** What the environment is to leave, for what, and why; until it has. */
  private leaving: (Reason & { release: Release; to: Release; before: Release; since: number }) | undefined;

  constructor(
    private readonly work: Work,
    private readonly receipts: Receipts,
  ) {}

  /** Whether there is a way that it has not gone to its end. */
  get isOpen(): boolean {
    return this.leaving !== undefined;
  }

  /** Another roll begins, which leaves nothing to go back from. */
  drop(): void {
    this.leaving = undefined;
  }

  /**
   * Returns from a release to one before.
   * @param to empty where there is none: then everything stays as it is
   */
  async from(release: Release, to: Release, reason: Reason): Promise<void> {
    const { log, standing } = this.work;
    standing.ensured = false;
    if (Object.keys(to).length === 0) {
      log("failed", "there is nothing to go back to: nothing is known to have stayed well here");
      return;
    }
    this.leaving = { ...reason, release, to, before: standing.running, since: Date.now() };
    standing.running = to;
    await this.go();
  }

  /**
   * Goes on with it.
   * @throws Overtaken
   */
  async go(): Promise<void> {
    if (!this.leaving) return;
    const { release, to, before, why, isHeld, since } = this.leaving;
    const { abort, log, place, runner, standing, voice } = this.work;
    standing.checkedAt = Date.now();
    const refresh = await isLacking(place, standing.gate);
    const result = await runner.up(to, {
      refresh,
      signal: abort,
      confirm: standing.isContested ? () => this.isAt([release, to, before]) : undefined,
    });
    if (!result.ok) {
      if (abort.aborted) return;
      const reasons = result.failures.map(({ message }) => firstLine(message)).join("; ");
      const message = `it could not be tidied up, and will be tried again: ${reasons}`;
      voice.once("failed", message, { detail: result.failures });
      return;
    }
    this.leaving = undefined;
    standing.ensure(result.gate);
    if (result.hasRolled) {
      const receipt = { trigger: "return", from: release, to, observedAt: since } as const;
      this.receipts.begin(receipt).end("healthy", why, result.hops);
    }
    const images = Object.entries(to).map(([image, one]) => `${image} ${title(one)}`);
    const stays = isHeld ? "is held at" : "runs";
    log("returned", `the environment ${stays} ${images.join(", ")}, because of ${why}`, {
      release: factsOf(to),
      from: factsOf(release),
    });
  }

  private async isAt(releases: readonly Release[]): Promise<boolean> {
    const key = keyOf((await this.work.runner.recorded()).release);
    return releases.some((release) => keyOf(release) === key);
  }
}
