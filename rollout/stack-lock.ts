// Whose lock stands in the way of an update: read from the engine's own words, decided without touching anything.

/** A lock on a stack, as the engine's error names it. */
export interface StackLock {
  user: string;
  host: string;
  pid: number;
}

/** The locks that a "currently locked" error of a self-managed backend lists (pkg/backend/diy/lock.go). */
export function parseLocks(text: string): StackLock[] {
  return [...text.matchAll(/created by (\S+)@(\S+) \(pid (\d+)\)/g)].map(([, user, host, pid]) => ({
    user: user ?? "",
    host: host ?? "",
    pid: Number(pid),
  }));
}

/**
 * What to do about them. Only locks of processes that ran on this machine and are gone may be cleared; one alone that
 * is alive, or elsewhere, and nothing is touched.
 */
export function judgeLocks(
  locks: readonly StackLock[],
  here: { host: string; alive: (pid: number) => boolean },
): { kind: "clear" } | { kind: "wait"; holder: string } {
  const holder = locks.find((lock) => lock.host !== here.host || here.alive(lock.pid));
  if (holder) return { kind: "wait", holder: `${holder.user}@${holder.host} (pid ${holder.pid})` };
  return locks.length > 0 ? { kind: "clear" } : { kind: "wait", holder: "somebody" };
}
