// What the environment should do next, from everything that has a say in it: the tags, what the config names, what is on
// record, and whether somebody holds the environment where it is.
import { type Clearance, type Plan, plan } from "../rollout/plan";
import type { Hold } from "../rollout/record";
import type { Release, ReleasedImage } from "../rollout/release";
import type { Authority } from "./authority";
import { messageOf } from "./log";
import { pause } from "./pause";
import type { Records } from "./records";
import { keyOf } from "./releases";
import type { Tags } from "./tags";
import type { Work } from "./work";

export type Decision = Plan<ReleasedImage> | { kind: "hold"; reason: string };

/** Whoever has just ended an update may take so long to write down what came of it. */
const lastWordMs = 1_000;

type Digests = readonly [image: string, digest: string][];

export class Decider {
  constructor(
    private readonly work: Work,
    private readonly tags: Tags,
    private readonly records: Records,
    private readonly authority: Authority,
  ) {}

  /** Whether and where to roll. What is asked for that was asked when the tags moved, so that there is no wait for it. */
  async decide(): Promise<Decision> {
    const { interval } = this.work.config.now.rollout;
    const decision = await this.plan();
    if (decision.kind !== "roll") return decision;
    try {
      const moved = this.moved();
      const [hold, isRenewed] = await Promise.all([
        this.records.hold(interval),
        this.records.renew(moved, interval),
      ]);
      if (hold) return { kind: "hold", reason: this.inWords(hold) };
      return isRenewed ? this.plan() : decision;
    } catch (error) {
      return { kind: "wait", reason: `whether the environment is held is not known: ${messageOf(error)}` };
    }
  }

  /** Whether it would decide the same now, from what is true at this moment, and what somebody else has just found out. */
  async isStill(release: Release): Promise<boolean> {
    await pause(lastWordMs, this.work.stop);
    const isHeld = this.records.hold(0).then(
      (hold) => hold !== undefined,
      () => true,
    );
    const [{ release: running }] = await Promise.all([
      this.work.runner.recorded(),
      this.records.renew(this.moved(), 0),
    ]);
    if (keyOf(running) !== keyOf(this.work.standing.running)) return false;
    const decision = await this.plan();
    return !(await isHeld) && decision.kind === "roll" && keyOf(decision.release) === keyOf(release);
  }

  private async plan(): Promise<Plan<ReleasedImage>> {
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
    const moved = this.moved();
    const clearances = await this.clearances(moved);
    return plan({
      running,
      carried,
      unsure: [...unsure.keys()],
      images,
      clearance: (image) => clearances[image] ?? { kind: "clear" },
      lockstep,
      agreement:
        lockstep && moved.length > 0 ? await this.tags.agreement(next, interval) : { kind: "agreed" },
      settleMs: settle,
      now: Date.now(),
    });
  }

  private moved(): Digests {
    const { carried, references } = this.tags;
    return Object.keys(references).flatMap((image): Digests => {
      const digest = carried[image]?.image.digest;
      const isMoved = digest !== undefined && digest !== this.work.standing.running[image]?.digest;
      return isMoved ? [[image, digest]] : [];
    });
  }

  private async clearances(moved: Digests): Promise<Record<string, Clearance>> {
    await this.authority.look(moved);
    const asked = moved.map(async ([image, digest]): Promise<[string, Clearance]> => {
      const problem = this.authority.problem(image, digest);
      if (problem !== undefined) return [image, { kind: "refused", reason: problem }];
      return [image, await this.records.clearance(image, digest)];
    });
    return Object.fromEntries(await Promise.all(asked));
  }

  private inWords({ by, at, reason }: Hold): string {
    const why = reason === "" ? "" : `: ${reason}`;
    return `held by ${by} since ${at.slice(0, 19).replace("T", " ")} UTC${why}; \`tagalong resume ${this.work.stack}\` lets it go on`;
  }
}
