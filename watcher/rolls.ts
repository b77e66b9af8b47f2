// Brings the environment to a release, sees that it stays well for its soak time, and goes back where it does not. What
// came of it is put down as a verdict on each image and a receipt of the roll.

import { engineOf } from "../provider/engine";
import { type Eyes, Soak } from "../provider/soakTime";
import type { Receipt } from "../rollout/record";
import type { Release } from "../rollout/release";
import { judgeFailures, type UpdateFailure } from "../rollout/verdict";
import { isWell } from "./beginning";
import { messageOf, title } from "./log";
import type { Receipts, RollReceipt } from "./receipts";
import type { Records } from "./records";
import { type Changed, changes, factsOf, keyOf } from "./releases";
import { isLacking } from "./replicas";
import { Overtaken } from "./unlocked";
import type { HopTimes } from "./updateEvents";
import type { Verdicts } from "./verdicts";
import type { WayBack } from "./wayBack";
import type { Work } from "./work";

const longestBackOffMs = 60_000;
/** For an environment whose state has no gate. */
const nobody: Eyes = { look: async () => [], close() {} };

export interface Occasion {
  trigger: Receipt["trigger"];
  /** The release that the config names; "" where it names none. */
  release: string;
  /** When the first of its tags was seen to move. */
  observedAt: number | undefined;
  /** The receipt of a roll to the same that was cut short with its watcher. */
  interrupted: Receipt | undefined;
  /** Whether it may still roll, asked again. */
  confirm: () => Promise<boolean>;
}

export class Rolls {
  private soaking:
    | { soak: Soak; changed: Changed; receipt: RollReceipt; facts: Record<string, unknown> }
    | undefined;
  /** The release that somebody else's update was in the way of. */
  private overtaken = "";
  private retry = { key: "", attempts: 0, notBefore: 0, receipt: "" };

  constructor(
    private readonly work: Work,
    private readonly verdicts: Verdicts,
    private readonly receipts: Receipts,
    private readonly wayBack: WayBack,
    private readonly records: Records,
  ) {}

  /** Whether what serves has no verdict yet. */
  get isSoaking(): boolean {
    return this.soaking !== undefined;
  }

  /** Whether it is time for another try of a release that something was in the way of; any other goes at once. */
  mayTry(release: Release): boolean {
    return this.retry.key !== keyOf(release) || Date.now() >= this.retry.notBefore;
  }

  /** @throws Overtaken; Error where the engine cannot be asked */
  async roll(release: Release, occasion: Occasion): Promise<void> {
    const { log, abort, stack, place, runner, standing } = this.work;
    const from = standing.running;
    const refresh = await isLacking(place, standing.gate);
    const facts = { environment: stack, release: factsOf(release), from: factsOf(from) };
    const moves = changes(from, release).map(([image, one]) => `${image} to ${title(one)}`);
    const key = keyOf(release);
    if (this.overtaken !== key) log("rolling", moves.join(", "), facts);
    const former = this.soaking?.receipt;
    const leaveFormer = () => former?.end("live", "another roll began before its soak time was over");
    this.endSoak(); // what served up to now gets no verdict any more
    this.wayBack.drop();
    const again = this.retry.key === key ? { id: this.retry.receipt } : {};
    const receipt = occasion.interrupted
      ? this.receipts.take(occasion.interrupted)
      : this.receipts.begin({ ...occasion, ...again, from, to: release });
    const result = await runner
      .up(release, {
        refresh,
        // Whoever was in the way may have brought the environment elsewhere, or found out that this is no good.
        confirm: standing.isContested ? occasion.confirm : undefined,
        signal: abort,
        onRolling: () => receipt.started(),
        onLive: () => log("live", "the traffic goes to the new one", facts),
      })
      .catch((error: unknown) => {
        if (error instanceof Overtaken) {
          this.overtaken = key;
          receipt.drop();
        } else {
          this.retry = { ...this.retry, key, receipt: receipt.id };
          leaveFormer();
          receipt.end("failed", messageOf(error));
        }
        throw error;
      });
    this.overtaken = "";
    leaveFormer();
    if (!result.ok) return this.failed(from, release, receipt, result.failures, result.hops);
    this.retry = { key: "", attempts: 0, notBefore: 0, receipt: "" };
    standing.running = release;
    standing.ensure(result.gate);
    if (!result.hasRolled && !occasion.interrupted) {
      receipt.drop();
      throw new Overtaken("somebody else has brought the environment there");
    }
    receipt.live(result.hops);
    this.soak(changes(standing.good, release), receipt, result.hops.switched);
  }

  /** Begins the soak time of what runs. */
  soak(changed: Changed, receipt: RollReceipt, since = Date.now()): void {
    const { config, stack, standing } = this.work;
    const endsAt = since + config.now.rollout.soak;
    const soak = new Soak(standing.gate ? engineOf(standing.gate).lookout() : nobody, endsAt);
    const facts = { environment: stack, release: factsOf(standing.running) };
    this.endSoak();
    this.soaking = { soak, changed, receipt, facts };
  }

  /** Sees whether what serves now stays well; at the end of its soak time it has a verdict. */
  async keepSoaking(forMs: number): Promise<void> {
    if (!this.soaking) return;
    const { log, config, standing, stop } = this.work;
    const { soak, changed, receipt, facts } = this.soaking;
    const { unwell, gone, over } = await soak.look(forMs, stop);
    if (gone.length > 0) {
      // Nobody can say how it would have been; whoever removed it, what is true is found out anew.
      this.endSoak();
      throw new Overtaken(`gone or changed during the soak time: ${gone.join(", ")}`);
    }
    if (unwell.length > 0) {
      this.endSoak();
      await this.reject(standing.running, standing.good, receipt, unwell);
    } else if (over) {
      this.endSoak();
      standing.good = standing.running;
      const images = changed.length > 0 ? changed.map(([image]) => image) : Object.keys(standing.running);
      log("healthy", `${images.join(", ")} stayed well for ${config.now.rollout.soak / 1000} s`, facts);
      this.verdicts.healthy(changed, receipt.id);
      receipt.end("healthy");
    }
  }

  private endSoak(): void {
    this.soaking?.soak.close();
    this.soaking = undefined;
  }

  /** What came of a roll that did not get as far as the switch. */
  private async failed(
    from: Release,
    release: Release,
    receipt: RollReceipt,
    failures: UpdateFailure[],
    hops: HopTimes,
  ): Promise<void> {
    const { log, abort, config, stack, standing } = this.work;
    if (abort.aborted) {
      receipt.end("cancelled", "somebody cancelled it", hops);
      log("failed", "the roll was cancelled; the next watcher finishes it or goes back");
      return;
    }
    const served = await this.whatServed(from);
    const isProven = Object.keys(standing.good).length > 0;
    // What served before serves still, whether it is known to stay well or not.
    const back = isProven ? standing.good : served;
    const verdict = judgeFailures(failures, { stack, services: Object.keys(config.now.services) });
    if (verdict.kind === "rejected") {
      await this.reject(release, back, receipt, verdict.services, failures, hops);
    } else {
      receipt.end("failed", verdict.reason, hops);
      this.backOff(release, verdict.reason, receipt.id, failures);
      await this.wayBack.from(release, back, { isHeld: false, why: verdict.reason });
    }
    if (isProven || !standing.ensured) return;
    this.soak(changes({}, back), this.receipts.begin({ trigger: "return", from: release, to: back }));
  }

  /** What the environment was at before a roll that failed; somebody else may have brought it there, or found it well. */
  private async whatServed(from: Release): Promise<Release> {
    const { runner, standing } = this.work;
    const recorded = await runner.recorded().catch(() => undefined);
    const served = recorded?.release ?? from;
    standing.running = served;
    if (keyOf(standing.good) !== keyOf(served) && (await isWell(this.work, this.records, served)))
      standing.good = served;
    return served;
  }

  /** What was found out of a release that failed: it may not roll again, and the environment returns. */
  private async reject(
    release: Release,
    back: Release,
    receipt: RollReceipt,
    services: { service: string; reason: string }[],
    failures: UpdateFailure[] = [],
    hops: HopTimes = {},
  ): Promise<void> {
    const why = this.verdicts.rejected(release, changes(back, release), services, failures, receipt.id);
    receipt.end("rejected", why, hops);
    await this.wayBack.from(release, back, { isHeld: true, why });
  }

  private backOff(release: Release, reason: string, receipt: string, failures: UpdateFailure[]): void {
    const key = keyOf(release);
    const attempts = this.retry.key === key ? this.retry.attempts + 1 : 1;
    const waitMs = Math.min(longestBackOffMs, 1000 * 2 ** attempts);
    this.retry = { key, attempts, notBefore: Date.now() + waitMs, receipt };
    this.work.log("failed", `${reason}; next try in ${waitMs / 1000} s`, {
      detail: failures.map(({ message }) => message),
    });
  }
}
