// One line a decision: a sentence for a person on a terminal, a JSON object for a machine elsewhere.
import pino from "pino";
import pretty from "pino-pretty";

/** What the watcher does, in the order in which it usually happens. */
export type WatchEvent =
  | "watching"
  | "recovered"
  | "moved"
  | "waiting"
  | "refused"
  | "rolling"
  | "live"
  | "healthy"
  | "rejected"
  | "returned"
  | "held"
  | "repaired"
  | "recorded"
  | "unreported"
  | "unknown"
  | "sure"
  | "config"
  | "failed"
  | "stopping"
  | "stopped";

export type Log = (event: WatchEvent, message: string, facts?: Record<string, unknown>) => void;

const warnings: readonly WatchEvent[] = ["held", "refused", "rejected", "unknown", "unreported", "failed"];

/** Standard output; that nobody reads it any more is no reason to leave a roll half done. */
function output(): pino.DestinationStream {
  const destination = pino.destination({ fd: 1, sync: true });
  destination.on("error", () => {});
  return destination;
}

/** @param human whether a person reads it; by default, whether standard output is a terminal */
export function createLog(human = process.stdout.isTTY): Log {
  const options = {
    base: null,
    timestamp: () => `,"time":${Date.now()}`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = human
    ? pino(
        options,
        pretty({
          sync: true,
          colorize: process.env["NO_COLOR"] === undefined,
          translateTime: "SYS:HH:MM:ss.l",
          hideObject: true,
          messageFormat: "{event} {msg}",
          ignore: "level",
        }),
      )
    : pino({ ...options, messageKey: "message" }, output());
  return (event, message, facts = {}) => {
    logger[warnings.includes(event) ? "warn" : "info"]({ event, ...facts }, message);
  };
}

/** A digest as a person can take it in. */
export const short = (digest = ""): string => digest.slice(0, "sha256:".length + 12);

/** An image by its version, where it has one, and its digest. */
export const title = ({ version, digest }: { version?: string; digest: string }): string =>
  version ? `${version} (${short(digest)})` : short(digest);

export const firstLine = (text: string): string => text.split("\n")[0] ?? "";
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
