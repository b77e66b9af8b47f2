// The way back: to the release that last stayed well, which then holds until somebody names another or moves the tag on.
import type { Release } from "../rollout/release";
import { firstLine, title } from "./log";
import type { Receipts } from "./receipts";
import { factsOf } from "./releases";
import { isLacking } from "./replicas";
import type { Work } from "./work";

interface Reason {
  why: string;
  /** Whether the environment stays there, and does not try the same again. */
  isHeld: boolean;
}

export class WayBack {
  /** What the environment is to leave, and why; until it has. */
  private leaving: (Reason & { release: Release; since: number }) | undefined;

  constructor(
    private readonly work: Work,
    private readonly receipts: Receipts,
  ) {}

  /** Whether there is a way that it has not gone to its end. */
  get isOpen(): boolean {
    return this.leaving !== undefined;
  }

  /** Returns from a release. Where nothing is known to be good, everything stays as it is. */
  async from(release: Release, reason: Reason): Promise<void> {
    const { standing } = this.work;
    standing.ensured = false;
    if (Object.keys(standing.good).length === 0) return;
    standing.running = standing.good;
    this.leaving = { ...reason, release, since: Date.now() };
    await this.go();
  }

  /** Goes on with it. */
  async go(): Promise<void> {
    if (!this.leaving) return;
    const { release, why, isHeld, since } = this.leaving;
    const { abort, log, place, runner, standing, voice } = this.work;
    standing.checkedAt = Date.now();
    const refresh = await isLacking(place, standing.gate);
    const result = await runner.up(standing.good, { refresh, signal: abort });
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
      const receipt = { trigger: "return", from: release, to: standing.good, observedAt: since } as const;
      this.receipts.begin(receipt).end("healthy", why, result.hops);
    }
    const images = Object.entries(standing.good).map(([image, one]) => `${image} ${title(one)}`);
    const stays = isHeld ? "is held at" : "runs";
    log("returned", `the environment ${stays} ${images.join(", ")}, because of ${why}`, {
      release: factsOf(standing.good),
      from: factsOf(release),
    });
  }
}
