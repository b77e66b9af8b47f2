// The watcher as a child: its decisions, one JSON line each, read from its log as they are written.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "./failure.mjs";
import { Interrupted } from "./story-processes.mjs";
import { lastError } from "./story-text.mjs";

const POLL_MILLISECONDS = 25;

/** @typedef {{ digest: string, version?: string, revision?: string }} Image */
/** @typedef {{ service: string, digest: string, reason: string }} Refusal */

/**
 * @typedef {object} Decision
 * @property {number} time
 * @property {string} event
 * @property {string} message
 * @property {Record<string, Image>} [release]
 * @property {Refusal[]} [failures]
 */

/**
 * The decisions in a log's text, and what is left of a line that is not whole yet.
 * @param {string} text
 * @returns {{ decisions: Decision[], rest: string }}
 */
export function decisionsIn(text) {
  const lines = text.split("\n");
  const rest = lines.pop() ?? "";
  const decisions = lines.flatMap((line) => {
    try {
      const read = JSON.parse(line);
      return typeof read?.event === "string" ? [read] : [];
    } catch {
      return []; // what Node.js itself may say
    }
  });
  return { decisions, rest };
}

export class Watcher {
  /** @type {Decision[]} */
  #unheard = [];
  #rest = "";
  #offset = 0;
  #last = "nothing";

  /**
   * @param {import("./story-processes.mjs").Processes} processes
   * @param {readonly string[]} command
   * @param {string} cwd
   */
  constructor(processes, [program = "", ...args], cwd) {
    this.child = processes.spawn("watch", program, args, cwd);
    this.decisions = processes.path("watch", "out");
    this.log = processes.path("watch", "log");
    this.#file = openSync(this.decisions, "r");
  }

  #file;

  #read() {
    const buffer = Buffer.alloc(64 * 1024);
    for (;;) {
      const size = readSync(this.#file, buffer, 0, buffer.length, this.#offset);
      if (size === 0) return;
      this.#offset += size;
      // A character that is cut in two spoils no more than its message.
      const { decisions, rest } = decisionsIn(this.#rest + buffer.toString("utf8", 0, size));
      this.#rest = rest;
      this.#unheard.push(...decisions);
    }
  }

  /**
   * Hears one decision after the other, each once, until one is what was waited for.
   * @param {object} options
   * @param {string} options.what for the message where it does not come
   * @param {number} [options.seconds]
   * @param {AbortSignal} options.signal
   * @param {(decision: Decision) => boolean} options.until
   * @returns {Promise<Decision>}
   */
  async hear({ what, seconds = 120, signal, until }) {
    const logs = `its logs: ${this.log} and ${this.decisions}`;
    for (const end = Date.now() + seconds * 1000; ; await sleep(POLL_MILLISECONDS)) {
      if (signal.aborted) throw new Interrupted();
      const ended = this.child.ended;
      this.#read();
      for (let next = this.#unheard.shift(); next; next = this.#unheard.shift()) {
        this.#last = next.message;
        if (until(next)) return next;
      }
      if (ended) {
        const said = `${this.#last}\n${readFileSync(this.log, "utf8")}`;
        throw new Failure(`the watcher ended before ${what}: ${lastError(said)}`, logs);
      }
      if (Date.now() > end) {
        throw new Failure(
          `after ${seconds} s still not: ${what}; the watcher last said: ${this.#last}`,
          logs,
        );
      }
    }
  }

  close() {
    closeSync(this.#file);
  }
}
