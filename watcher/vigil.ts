// Sees to it that what should run does: at the start, after a failure, and when somebody removed or stopped some.
import { firstLine } from "./log";
import type { Work } from "./work";

/** How often the engine is asked whether everything runs. */
export const vigilEveryMs = 5_000;

export class Vigil {
  constructor(private readonly work: Work) {}

  /** Whether containers are gone that the state still has, so that an update must look before it decides. */
  async isLacking(): Promise<boolean> {
    const { place, standing } = this.work;
    if (!standing.gate) return false;
    const lost = await place.lost(standing.gate);
    await place.startAgain(lost.stopped);
    return lost.services.length > 0;
  }

  async keep(): Promise<void> {
    const { place, runner, standing, voice, log, abort } = this.work;
    if (standing.checkedAt !== 0 && Date.now() - standing.checkedAt < vigilEveryMs) return;
    const first = standing.checkedAt === 0;
    standing.checkedAt = Date.now();
    let lost = standing.gate ? await place.lost(standing.gate) : { services: [], stopped: [] };
    if (lost.services.length > 0 && !first) {
      // Somebody's own `pulumi up` may have put others in their place.
      standing.gate = (await runner.recorded()).gate;
      lost = standing.gate ? await place.lost(standing.gate) : lost;
    }
    if (standing.ensured && lost.services.length === 0) return;
    const names = lost.services.join(", ");
    if (names) voice.once("failed", `gone from the engine: ${names}`, { lost: lost.services });
    await place.startAgain(lost.stopped);
    const result = await runner.up(standing.running, {
      signal: abort,
      refresh: first || lost.services.length > 0,
    });
    standing.ensured = result.ok;
    if (result.ok) {
      standing.gate = result.gate;
      voice.forget();
      if (names) log("repaired", `runs again: ${names}`, { lost: lost.services });
    } else if (!abort.aborted) {
      const reasons = result.failures.map(({ message }) => firstLine(message)).join("; ");
      voice.once("failed", reasons, { detail: result.failures });
    }
  }
}
