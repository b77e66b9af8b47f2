// Sees to it that what should run does: at the start, after a failure, and when somebody removed or stopped some.
import { firstLine } from "./log";
import { nothingLost } from "./place";
import type { Receipts } from "./receipts";
import { keyOf } from "./releases";
import type { HopTimes } from "./updateEvents";
import type { WayBack } from "./wayBack";
import type { Work } from "./work";

/** How often the engine is asked whether everything runs. */
export const vigilEveryMs = 5_000;

export class Vigil {
  constructor(
    private readonly work: Work,
    private readonly receipts: Receipts,
    private readonly wayBack: WayBack,
  ) {}

  /** @throws Overtaken */
  async keep(): Promise<void> {
    const { place, runner, standing, voice, log, abort } = this.work;
    if (standing.checkedAt !== 0 && Date.now() - standing.checkedAt < vigilEveryMs) return;
    if (this.wayBack.isOpen) return this.wayBack.go();
    const first = standing.checkedAt === 0;
    const observedAt = Date.now();
    standing.checkedAt = observedAt;
    let lost = standing.gate ? await place.lost(standing.gate) : nothingLost;
    if (lost.services.length > 0 && !first) {
      // Somebody's own `pulumi up` may have put others in their place.
      standing.gate = (await runner.recorded()).gate;
      lost = standing.gate ? await place.lost(standing.gate) : lost;
    }
    if (standing.ensured && lost.services.length === 0) return;
    const names = lost.services.join(", ");
    if (names) voice.once("failed", lost.why, { lost: lost.services });
    await place.startAgain(lost.stopped);
    const { running } = standing;
    const result = await runner.up(running, {
      signal: abort,
      // Rare enough to make sure that it does not undo what somebody else has done.
      confirm: async () => keyOf((await runner.recorded()).release) === keyOf(running),
      refresh: first || lost.services.length > 0,
    });
    standing.ensured = result.ok;
    if (result.ok) {
      standing.gate = result.gate;
      voice.forget();
      if (result.hasRolled) this.writeDown(lost.why, observedAt, result.hops);
      if (names) log("repaired", `runs again: ${names}`, { lost: lost.services });
    } else if (!abort.aborted) {
      const reasons = result.failures.map(({ message }) => firstLine(message)).join("; ");
      voice.once("failed", reasons, { detail: result.failures });
    }
  }

  private writeDown(lost: string, observedAt: number, hops: HopTimes): void {
    const { running, good } = this.work.standing;
    // Where nothing was gone, it was made anew for an edit of the config.
    const trigger = lost ? "repair" : "config";
    const receipt = this.receipts.begin({ trigger, from: running, to: running, observedAt });
    receipt.end(keyOf(running) === keyOf(good) ? "healthy" : "live", lost, hops);
  }
}
