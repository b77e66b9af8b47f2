// Brings the environment to a release, sees that it stays well for its soak time, and goes back where it does not.

import { Soak } from "../provider/soakTime";
import type { Release } from "../rollout/release";
import { judgeFailures, type UpdateFailure, type Verdict } from "../rollout/verdict";
import { firstLine, title } from "./log";
import type { Rejections } from "./rejections";
import { type Changed, changes, factsOf, keyOf } from "./releases";
import type { Vigil } from "./vigil";
import type { Work } from "./work";

const longestBackOffMs = 60_000;

export class Rolls {
  private soaking: { soak: Soak; changed: Changed; facts: Record<string, unknown> } | undefined;
  private retry = { key: "", attempts: 0, notBefore: 0 };

  constructor(
    private readonly work: Work,
    private readonly vigil: Vigil,
    private readonly rejections: Rejections,
  ) {}

  /** Whether what serves has no verdict yet. */
  get isSoaking(): boolean {
    return this.soaking !== undefined;
  }

  /** Whether it is time for another try of a release that something was in the way of; any other goes at once. */
  mayTry(release: Release): boolean {
    return this.retry.key !== keyOf(release) || Date.now() >= this.retry.notBefore;
  }

  async roll(release: Release): Promise<void> {
    const { log, abort, stack, config, place, runner, standing } = this.work;
    const changed = changes(standing.running, release);
    const facts = { environment: stack, release: factsOf(release), from: factsOf(standing.running) };
    log("rolling", changed.map(([image, one]) => `${image} to ${title(one)}`).join(", "), facts);
    this.soaking = undefined; // what served up to now gets no verdict any more
    const result = await runner.up(release, {
      refresh: await this.vigil.isLacking(),
      signal: abort,
      onLive: () => log("live", "the traffic goes to the new one", facts),
    });
    if (!result.ok) {
      if (abort.aborted) {
        log("failed", "the roll was cancelled; the next watcher finishes it or goes back", facts);
        return;
      }
      const services = Object.keys(config.now.services);
      const verdict = judgeFailures(result.failures, { stack, services });
      return this.goBack(release, changes(standing.good, release), verdict, result.failures);
    }
    standing.running = release;
    standing.ensure(result.gate);
    this.retry = { key: "", attempts: 0, notBefore: 0 };
    if (!result.gate) {
      standing.good = release;
      return;
    }
    const endsAt = (result.switchedAt ?? Date.now()) + config.now.rollout.soak;
    const soak = new Soak(place.lookout(result.gate), endsAt);
    this.soaking = { soak, changed: changes(standing.good, release), facts };
  }

  /** Sees whether what serves now stays well; at the end of its soak time it has a verdict. */
  async keepSoaking(forMs: number): Promise<void> {
    if (!this.soaking) return;
    const { log, config, standing, stop } = this.work;
    const { soak, changed, facts } = this.soaking;
    const { unwell, over } = await soak.look(forMs, stop);
    if (unwell.length > 0) {
      this.soaking = undefined;
      await this.goBack(standing.running, changed, { kind: "rejected", services: unwell }, []);
    } else if (over) {
      this.soaking = undefined;
      standing.good = standing.running;
      const images = changed.map(([image]) => image).join(", ");
      log("healthy", `${images} stayed well for ${config.now.rollout.soak / 1000} s`, facts);
    }
  }

  /** After a failed roll: remembers what may not roll again, and returns to what was good before. */
  private async goBack(
    release: Release,
    changed: Changed,
    verdict: Verdict,
    failures: UpdateFailure[],
  ): Promise<void> {
    const { log, abort, runner, standing } = this.work;
    if (verdict.kind === "rejected") this.rejections.add(release, changed, verdict.services, failures);
    else this.backOff(release, verdict.reason, failures);
    standing.ensured = false;
    if (Object.keys(standing.good).length === 0) return;
    standing.running = standing.good;
    const refresh = await this.vigil.isLacking();
    const back = await runner.up(standing.good, { refresh, signal: abort });
    if (back.ok) {
      standing.ensure(back.gate);
      const images = Object.entries(standing.good).map(([image, one]) => `${image} ${title(one)}`);
      log("returned", `the environment runs ${images.join(", ")}`, { release: factsOf(standing.good) });
    } else if (!abort.aborted) {
      const reasons = back.failures.map(({ message }) => firstLine(message)).join("; ");
      log("failed", `it could not be tidied up, and will be tried again: ${reasons}`, {
        detail: back.failures,
      });
      standing.checkedAt = Date.now();
    }
  }

  private backOff(release: Release, reason: string, failures: UpdateFailure[]): void {
    const key = keyOf(release);
    const attempts = this.retry.key === key ? this.retry.attempts + 1 : 1;
    const waitMs = Math.min(longestBackOffMs, 1000 * 2 ** attempts);
    this.retry = { key, attempts, notBefore: Date.now() + waitMs };
    this.work.log("failed", `${reason}; next try in ${waitMs / 1000} s`, {
      detail: failures.map(({ message }) => message),
    });
  }
}
