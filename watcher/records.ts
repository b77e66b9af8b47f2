// What is on record of digests, as far as this watcher has asked: read when a digest is first seen, while its image is
// being pulled, and again only while it is refused or waited for, or when a roll comes long after the reading.
import type { Ledger } from "../ledger";
import { type Admission, admit } from "../rollout/admission";
import type { Clearance } from "../rollout/plan";
import type { Findings, Hold } from "../rollout/record";
import { messageOf } from "./log";
import type { Outbox } from "./outbox";
import type { Work } from "./work";

type Asked = Pick<Ledger, "findings" | "overrideOf" | "hold">;

interface Entry {
  reading: Promise<void>;
  own?: Findings;
  after?: Findings;
  /** Why the last reading said nothing sure. */
  problem?: unknown;
  /** When the last reading ended, milliseconds since the epoch; 0 before the first. */
  readAt: number;
  /** Readings since it was first seen. */
  readings: number;
}

/** What a digest waits for from another environment is looked for ever more slowly, up to this. */
const longestPauseMs = 30_000;
/** Of this many looks at a digest that is refused, all but one ask for an override alone. */
const wholeLookEvery = 15;

export class Records {
  private readonly entries = new Map<string, Entry>();
  private held: { reading: Promise<Hold | undefined>; askedAt: number } | undefined;

  constructor(
    private readonly work: Pick<Work, "stack" | "config">,
    private readonly outbox: Pick<Outbox, "verdict">,
    private ledger: Asked,
  ) {}

  /** Asks this one from now on: what is known was said of other images, or under other credentials. */
  follow(ledger: Asked): void {
    this.ledger = ledger;
    this.entries.clear();
    this.held = undefined;
  }

  /** Starts to read, so that the answers are there when a roll can start. */
  prepare(image: string, digest: string): void {
    this.entryOf(image, digest);
    void this.hold(0).catch(() => {});
  }

  /** Whether a digest may roll. What cannot be known now is asked again after a while. */
  async clearance(image: string, digest: string): Promise<Clearance> {
    const entry = this.entryOf(image, digest);
    await entry.reading;
    const before = this.judge(image, digest, entry);
    if (before.kind === "clear" || !this.isDue(entry, before)) return before;
    const isWhole = before.kind !== "refused" || entry.readings % wholeLookEvery === 0;
    entry.reading = isWhole ? this.read(entry, image, digest) : this.readOverride(entry, image, digest);
    await entry.reading;
    return this.judge(image, digest, entry);
  }

  /**
   * What the environment has on record of a digest, and what this watcher alone knows so far.
   * @throws Error where that is not sure
   */
  async findings(image: string, digest: string): Promise<Findings> {
    const entry = this.entryOf(image, digest);
    await entry.reading;
    if (entry.problem !== undefined) {
      entry.reading = this.read(entry, image, digest);
      await entry.reading;
    }
    if (entry.problem !== undefined || !entry.own) throw entry.problem;
    return this.withUnwritten(image, digest, entry.own);
  }

  /**
   * Reads again what was read longer ago than this, so that a roll after a long wait goes by what is true now.
   * @returns whether there was any
   */
  async renew(digests: readonly [image: string, digest: string][], olderThanMs: number): Promise<boolean> {
    const old = digests
      .map(([image, digest]) => ({ image, digest, entry: this.entryOf(image, digest) }))
      .filter(({ entry }) => Date.now() - entry.readAt >= olderThanMs);
    await Promise.all(
      old.map(({ image, digest, entry }) => {
        entry.reading = this.read(entry, image, digest);
        return entry.reading;
      }),
    );
    return old.length > 0;
  }

  /** Whether it is known to have been rejected here, whatever the configuration was. */
  isRejected(image: string, digest: string): boolean {
    const own = this.entryOf(image, digest).own ?? {};
    return this.withUnwritten(image, digest, own).rejected !== undefined;
  }

  /**
   * Whether the environment is to stay where it is.
   * @param olderThanMs an answer up to this age will do
   * @throws RegistryError where that is not sure
   */
  hold(olderThanMs: number): Promise<Hold | undefined> {
    if (!this.held || Date.now() - this.held.askedAt >= olderThanMs) {
      this.held = { reading: this.ledger.hold(), askedAt: Date.now() };
      this.held.reading.catch(() => {}); // who asks hears of it, again and again until it is time for another try
    }
    return this.held.reading;
  }

  /** After something was put on record of a digest: what was read before is out of date. */
  forget(image: string, digest: string): void {
    const own = JSON.stringify([image, digest]).slice(0, -1);
    for (const key of this.entries.keys()) if (key.startsWith(own)) this.entries.delete(key);
  }

  private conditions(image: string) {
    const { after, for: forMs = 0 } = this.work.config.now.rollout;
    return {
      configuration: this.work.config.configurationOf(image),
      ...(after === undefined ? {} : { after: { environment: after, forMs } }),
    };
  }

  private entryOf(image: string, digest: string): Entry {
    const { after } = this.conditions(image);
    const key = JSON.stringify([image, digest, after?.environment]);
    const known = this.entries.get(key);
    if (known) return known;
    const entry: Entry = { reading: Promise.resolve(), readAt: 0, readings: 0 };
    entry.reading = this.read(entry, image, digest);
    this.entries.set(key, entry);
    return entry;
  }

  private isDue(entry: Entry, clearance: Clearance): boolean {
    const { interval } = this.work.config.now.rollout;
    const age = Date.now() - entry.readAt;
    if (entry.problem !== undefined || clearance.kind !== "open") return age >= interval;
    const pauseMs = Math.min(interval * 2 ** Math.min(entry.readings - 1, 10), longestPauseMs);
    return age >= Math.max(interval, pauseMs);
  }

  private async read(entry: Entry, image: string, digest: string): Promise<void> {
    const { after } = this.conditions(image);
    await this.reading(entry, async () => {
      const [own, other] = await Promise.all([
        this.ledger.findings(image, digest),
        after ? this.ledger.findings(image, digest, after.environment) : undefined,
      ]);
      entry.own = own;
      if (other) entry.after = other;
    });
  }

  private async readOverride(entry: Entry, image: string, digest: string): Promise<void> {
    await this.reading(entry, async () => {
      const override = await this.ledger.overrideOf(image, digest);
      const { override: _old, ...own } = entry.own ?? {};
      entry.own = { ...own, ...(override ? { override } : {}) };
    });
  }

  private async reading(entry: Entry, ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
      delete entry.problem;
    } catch (error) {
      entry.problem = error;
    }
    entry.readAt = Date.now();
    entry.readings += 1;
  }

  private judge(image: string, digest: string, entry: Entry): Clearance {
    const { problem } = entry;
    const unknown = `what is on record of it is not known: ${messageOf(problem)}`;
    const own = this.withUnwritten(image, digest, entry.own ?? {});
    const { configuration, after } = this.conditions(image);
    const now = Date.now();
    const admission = admit({
      image,
      digest,
      environment: this.work.stack,
      configuration,
      own,
      ...(after ? { after: { ...after, findings: entry.after ?? {} } } : {}),
      now,
    });
    const clearance = clearanceOf(admission, configuration, now);
    // What is known of a digest that may not roll will do; one that may needs a sure answer.
    const isSure = clearance.kind === "refused" || problem === undefined;
    return isSure ? clearance : { kind: "open", reason: unknown };
  }

  private withUnwritten(image: string, digest: string, findings: Findings): Findings {
    const verdict = this.outbox.verdict(image, digest);
    if (!verdict) return findings;
    return verdict.outcome === "healthy"
      ? { ...findings, healthy: verdict }
      : { ...findings, rejected: { ...verdict, record: "" } };
  }
}

/** What has a rejection behind it stays as it is until somebody changes it; anything else time may bring. */
export function clearanceOf(admission: Admission, configuration: string, now: number): Clearance {
  if (admission.admitted) return { kind: "clear" };
  const { reason, untilMs, evidence } = admission;
  if (untilMs !== undefined) return { kind: "open", reason, untilMs: Math.max(0, untilMs - now) };
  const isRejected =
    evidence.own.rejected?.configuration === configuration || evidence.after?.findings.rejected !== undefined;
  return { kind: isRejected ? "refused" : "open", reason };
}
