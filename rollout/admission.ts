// Whether an environment may run an image, given what it and the one before it have on record: a pure decision.
import type { Findings, Override, Verdict } from "./record";

/** One image on its way into an environment. */
export interface Candidacy {
  image: string;
  digest: string;
  environment: string;
  /** What its services are configured like here, see configurationOf. */
  configuration: string;
  own: Findings;
  /** The environment where it must have been healthy first, with what that one has on record. */
  after?: { environment: string; forMs: number; findings: Findings };
  /** Milliseconds since the epoch. */
  now: number;
}

/** What a decision rests on. */
export interface Evidence {
  environment: string;
  own: Findings;
  after?: { environment: string; forMs: number; findings: Findings };
  /** Whether an override of this environment is what admits it, or would. */
  isOverridden: boolean;
}

export type Admission =
  | { admitted: true; evidence: Evidence }
  /** `reason`: plain words with the way out. `untilMs`: when (milliseconds since the epoch) time alone admits it. */
  | { admitted: false; reason: string; untilMs?: number; evidence: Evidence };

export function admit(candidacy: Candidacy): Admission {
  const { own, after, environment, configuration } = candidacy;
  const binding = own.rejected?.configuration === configuration ? own.rejected : undefined;
  const isOverridden = overrides(own.override, [own.rejected, after?.findings.rejected]);
  const evidence: Evidence = { environment, own, ...(after ? { after } : {}), isOverridden };
  if (isOverridden) return { admitted: true, evidence };
  if (binding) {
    const other = "change its configuration, let the tag move on, or";
    const reason = `${rejectedIn(environment, binding)}; ${other} ${overriding(candidacy)}`;
    return { admitted: false, reason, evidence };
  }
  if (!after) return { admitted: true, evidence };

  const { rejected } = after.findings;
  const healthy = lastWord(after.findings);
  if (rejected && !healthy) {
    const reason = `${rejectedIn(after.environment, rejected)}; name another release, or ${overriding(candidacy)}`;
    return { admitted: false, reason, evidence };
  }
  if (!healthy) {
    const reason = `${after.environment} has not found it healthy yet; wait until it has, or ${overriding(candidacy)}`;
    return { admitted: false, reason, evidence };
  }
  const untilMs = Date.parse(healthy.at) + after.forMs;
  if (candidacy.now < untilMs) {
    const reason = `healthy in ${after.environment} since ${time(healthy.at)}, which is not ${duration(after.forMs)} yet; wait until ${time(new Date(untilMs).toISOString())}, or ${overriding(candidacy)}`;
    return { admitted: false, reason, untilMs, evidence };
  }
  return { admitted: true, evidence };
}

/** The command that lets an environment run an image in spite of what is on record. */
export function overrideCommand(environment: string, image: string, digest: string): string {
  return `tagalong override ${environment} --image ${image}@${digest} --reason "…"`;
}

/** An override is one of what its author knew of: of every rejection that is on record now. */
function overrides(
  override: Override | undefined,
  rejections: readonly (Findings["rejected"] | undefined)[],
) {
  if (!override) return false;
  return rejections.every((rejected) => !rejected || override.rejections.includes(rejected.record));
}

/** The healthy verdict, unless a rejection stands against it: a later one, or one of the same configuration. */
function lastWord({ healthy, rejected }: Findings): Verdict | undefined {
  if (!healthy || !rejected) return healthy;
  const isLater = Date.parse(healthy.at) > Date.parse(rejected.at);
  return isLater && healthy.configuration !== rejected.configuration ? healthy : undefined;
}

function rejectedIn(environment: string, { at, reason }: Verdict): string {
  return `rejected in ${environment} at ${time(at)}${reason === "" ? "" : `: ${reason}`}`;
}

function overriding({ environment, image, digest }: Candidacy): string {
  return `say that it may: ${overrideCommand(environment, image, digest)}`;
}

/** `2026-11-21 16:15:00 UTC` */
function time(at: string): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `90 s`, `30 min`, `2 h`: the largest unit that it is a whole number of. */
function duration(ms: number): string {
  if (ms > 0 && ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms > 0 && ms % 60_000 === 0) return `${ms / 60_000} min`;
  return `${ms / 1_000} s`;
}
