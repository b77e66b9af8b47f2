// Rolls on the repository's page on GitHub, where one is configured. Nobody waits for it, and nothing depends on it.
import { mirrorTo } from "../github";
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
  const mirror = mirrorTo({ directory, env: process.env }, (problem) => log("unreported", problem));
  return {
    sinks: mirror ? [(receipt) => mirror.report(receipt)] : [],
    close: async () => mirror?.close(lastWordsMs),
  };
}
