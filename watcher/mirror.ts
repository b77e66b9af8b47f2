// Rolls on the repository's page on GitHub, where one is configured. Nobody waits for it, and nothing depends on it.
import { findGitHub, ReceiptMirror } from "../github";
import type { Log } from "./log";
import type { ReceiptSink } from "./receipts";

/** At the end, for what GitHub has not been told yet. */
const lastWordsMs = 2_000;

export interface Mirror {
  sinks: ReceiptSink[];
  close(): Promise<void>;
}

/** @param directory the project's folder */
export function openMirror(directory: string, log: Log): Mirror {
  const found = findGitHub({ directory, env: process.env });
  const say = (problem: string) => log("unreported", problem);
  if (!("github" in found)) {
    if (found.reason) say(found.reason);
    return { sinks: [], close: async () => {} };
  }
  const mirror = new ReceiptMirror(found.github, { say });
  return { sinks: [(receipt) => mirror.report(receipt)], close: () => mirror.close(lastWordsMs) };
}
