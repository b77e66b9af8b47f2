// The watcher as a child: its decisions, one JSON line each, read from its log as they are written.
import { closeSync, openSync, readSync } from "node:fs";
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
  #heard = [];
  #rest = "";
  #offset = 0;

  /**
   * @param {import("./story-processes.mjs").Processes} processes
   * @param {readonly string[]} command
   * @param {string} cwd
   */
  constructor(processes, [program = "", ...args], cwd) {
    this.name = "watch";
    this.child = processes.spawn(this.name, program, args, cwd);
    this.decisions = processes.path(this.name, "out");
    this.log = processes.path(this.name, "log");
    this.file = openSync(this.decisions, "r");
  }

  /** How many decisions were heard so far: a mark to wait from. */
  get heard() {
    return this.#heard.length;
  }

  #read() {
    const buffer = Buffer.alloc(64 * 1024);
    for (;;) {
      const size = readSync(this.file, buffer, 0, buffer.length, this.#offset);
      if (size === 0) return;
      this.#offset += size;
      // The lines are ASCII but for messages; a character cut in two spoils no more than its message.
      const { decisions, rest } = decisionsIn(this.#rest + buffer.toString("utf8", 0, size));
      this.#rest = rest;
      this.#heard.push(...decisions);
    }
  }

  /**
   * Tells every decision from a mark on, until one is what was waited for.
   * @param {object} options
   * @param {number} options.from
   * @param {string} options.what for the message where it does not come
   * @param {number} options.seconds
   * @param {AbortSignal} options.signal
   * @param {(decision: Decision) => boolean} options.until
   * @returns {Promise<Decision>}
   */
  async hear({ from, what, seconds, signal, until }) {
    const end = Date.now() + seconds * 1000;
    for (let next = from; ; ) {
      if (signal.aborted) throw new Interrupted();
      const ended = this.child.ended;
      this.#read();
      for (; next < this.#heard.length; next++) {
        const decision = this.#heard[next];
        if (decision && until(decision)) return decision;
      }
      const logs = `its logs: ${this.log} and ${this.decisions}`;
      if (ended) {
        throw new Failure(`the watcher ended while ${what}: ${lastError(await this.#said())}`, logs);
      }
      if (Date.now() > end) {
        const last = this.#heard.at(-1)?.message ?? "nothing";
        throw new Failure(`the watcher took longer than ${seconds} s, ${what}; it last said: ${last}`, logs);
      }
      await sleep(POLL_MILLISECONDS);
    }
  }

  async #said() {
    const { readFile } = await import("node:fs/promises");
    return `${this.#heard.at(-1)?.message ?? ""}\n${await readFile(this.log, "utf8")}`;
  }

  close() {
    closeSync(this.file);
  }
}
