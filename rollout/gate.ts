// When a replica passes the gate, when it cannot any more, and how that is said: pure decisions over what was seen.

/** What was seen of one replica, in one look. */
export interface ReplicaSight {
  service: string;
  /** The container's or pod's name. */
  name: string;
  /** repository@digest that it must run, and the one it was made from. */
  wanted: string;
  runs: string;
  state: "starting" | "running" | "exited" | "restarting" | "gone";
  exitCode?: number;
  outOfMemory?: boolean;
  restarts: number;
  /** Milliseconds since it was last started. */
  upForMs: number;
  probe: "http" | "healthcheck" | "port" | "readiness" | "none";
  /** Good answers in a row up to now. */
  goodAnswers: number;
  /** What the last answer was, in words: `503 to GET /healthz`. */
  lastAnswer?: string;
}

export type GateDecision =
  | { kind: "pass" }
  | { kind: "wait" }
  | {
      kind: "fail";
      reason: string;
      /** Whose log says more. */
      replica?: string;
      /** Something else is to blame than the image, which is not rejected for it. */
      isBlameless?: boolean;
    };

/** Good answers in a row before a replica counts as healthy: one alone may be luck. */
export const enoughAnswers = 3;
/** How long a replica without anything to probe must stay up to count as healthy. */
export const steadyMs = 1000;

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Judges one replica: `fail` is final, since it says what cannot get better by waiting. */
export function judgeReplica(sight: ReplicaSight): GateDecision {
  if (sight.state === "gone")
    return { kind: "fail", reason: `${sight.name} was removed while it was starting` };
  if (sight.state === "exited" || sight.state === "restarting" || sight.restarts > 0) {
    const code = sight.exitCode === undefined ? "" : ` with code ${sight.exitCode}`;
    const why = sight.outOfMemory ? "ran out of memory" : `exited${code}`;
    return { kind: "fail", reason: `${sight.name} ${why}` };
  }
  if (sight.state === "starting") return { kind: "wait" };
  if (sight.runs !== sight.wanted) {
    return { kind: "fail", reason: `${sight.name} runs ${sight.runs} instead of ${sight.wanted}` };
  }
  const healthy = sight.probe === "none" ? sight.upForMs >= steadyMs : sight.goodAnswers >= enoughAnswers;
  return healthy ? { kind: "pass" } : { kind: "wait" };
}

/** Judges a replica that has not passed when the deadline is over. */
export const tooSlow = (sight: ReplicaSight, deadlineMs: number): string =>
  `${sight.name} was not healthy within ${seconds(deadlineMs)}: ${sight.lastAnswer ?? "it never answered"}`;

/** What a reason and the last lines of a log hint at, for defaults of ours that an image may not expect. */
export function hintOf({ service, reason, lastLines }: GateFailure): string | undefined {
  const text = [reason, ...lastLines].join("\n");
  if (/runAsNonRoot/.test(text)) {
    return `no container may run as root: give the image a user by number, or set tagalong:services.${service}.user, for instance to 1000`;
  }
  if (/exec format error|no match(ing manifest)? for platform/i.test(text)) {
    return "the image is for another platform than the machine that was to run it: build it for that one too";
  }
  if (/read-only file system|EROFS/i.test(text)) {
    return "the root file system is read-only: give the image a volume where it writes, or set readOnly: false";
  }
  if (/operation not permitted|EPERM|setgroups|chown.*not permitted|setuid/i.test(text)) {
    return "all capabilities are dropped: name those it needs in capabilities, for instance [CHOWN, SETGID, SETUID]";
  }
  return undefined;
}

export interface GateFailure {
  service: string;
  /** repository@digest that is to blame; left out where no image is. */
  reference?: string;
  reason: string;
  lastLines: readonly string[];
}

/** The gate's error, as a person reads it and as {@link parseFailures} finds it again in the engine's diagnostics. */
export function formatFailures(failures: readonly GateFailure[]): string {
  return failures
    .map((failure) => {
      const hint = hintOf(failure);
      return [
        `service ${failure.service}: ${failure.reason}`,
        ...(failure.reference ? [`  image ${failure.reference}`] : []),
        ...(failure.lastLines.length > 0
          ? ["  its last lines:", ...failure.lastLines.map((line) => `  | ${line}`)]
          : []),
        ...(hint ? [`  hint: ${hint}`] : []),
      ].join("\n");
    })
    .join("\n");
}

/** Service and reason of each failure of an image in a text that holds what {@link formatFailures} wrote. */
export function parseFailures(text: string): { service: string; reason: string; reference: string }[] {
  return [...text.matchAll(/^[^|\n]*?service (\S+): (.+)\n\s+image (\S+)$/gm)].map(
    ([, service, reason, reference]) => ({
      service: service ?? "",
      reason: reason ?? "",
      reference: reference ?? "",
    }),
  );
}
