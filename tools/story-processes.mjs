// The processes of one `npm start`: each has a log, a process group of its own, so that a Ctrl-C reaches it only when
// its turn has come, and a line in a record, so that the next run can end what a killed one left.
import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "./failure.mjs";
import { processStart } from "./lock.mjs";
import { lastError } from "./story-text.mjs";

/** @typedef {{ name: string, pid: number, started: string }} Known */
/** @typedef {{ story: Known, children: Known[] }} Content */

/** Tells this story's processes, and those that they started in turn, from all others. */
const MARK = "TAGALONG_STORY";

/** How long a process may take to end in good order. */
const PATIENCE_SECONDS = 40;

export class Interrupted extends Error {}

export class Record {
  /** @type {Known[]} */
  #children = [];

  /** @param {string} file */
  constructor(file) {
    this.file = file;
  }

  /** @returns {Content | undefined} what the run before wrote */
  read() {
    try {
      return JSON.parse(readFileSync(this.file, "utf8"));
    } catch {
      return undefined; // none yet, or its folder was cleared
    }
  }

  write() {
    const story = { name: "npm start", pid: process.pid, started: processStart(process.pid) ?? "" };
    writeFileSync(`${this.file}.${process.pid}`, JSON.stringify({ story, children: this.#children }));
    renameSync(`${this.file}.${process.pid}`, this.file);
  }

  clear() {
    this.#children = [];
    rmSync(this.file, { force: true });
  }

  /**
   * @param {string} name
   * @param {number} pid
   */
  add(name, pid) {
    this.#children.push({ name, pid, started: processStart(pid) ?? "" });
    this.write();
  }

  /** @param {number} pid */
  remove(pid) {
    this.#children = this.#children.filter((child) => child.pid !== pid);
    this.write();
  }
}

/** @param {Known} known */
export const alive = ({ pid, started }) => started !== "" && processStart(pid) === started;

/**
 * @typedef {object} Child
 * @property {number} pid
 * @property {boolean} ended
 * @property {Promise<string>} exit how it ended: "" in good order
 * @property {() => void} release lets this process end before it
 */

export class Processes {
  /** @type {Map<number, Child>} */
  #running = new Map();

  /**
   * @param {object} options
   * @param {string} options.folder of the story, whose record this keeps
   * @param {NodeJS.ProcessEnv} options.env
   */
  constructor({ folder, env }) {
    this.logs = join(folder, "logs");
    this.record = new Record(join(folder, "run.json"));
    this.mark = `${MARK}=${folder}`;
    this.env = { ...env, [MARK]: folder };
  }

  /**
   * @param {string} name of its log
   * @param {string} command
   * @param {readonly string[]} args
   * @param {string} cwd
   * @returns {Child}
   */
  spawn(name, command, args, cwd) {
    mkdirSync(this.logs, { recursive: true });
    const [out, err] = [`${name}.out`, `${name}.log`].map((file) => openSync(join(this.logs, file), "w"));
    const spawned = spawn(command, args, {
      cwd,
      env: this.env,
      detached: true,
      stdio: ["ignore", out, err],
    });
    const pid = spawned.pid ?? 0;
    if (pid) this.record.add(name, pid);
    for (const file of [out, err]) if (file !== undefined) closeSync(file);
    /** @type {Child} */
    const child = {
      pid,
      ended: false,
      release: () => spawned.unref(),
      exit: new Promise((resolve) => {
        /** @param {string} how */
        const end = (how) => {
          child.ended = true;
          this.#running.delete(pid);
          resolve(how);
        };
        spawned.once("error", (error) => end(error.message));
        spawned.once("exit", (code, signal) =>
          end(code === 0 ? "" : signal ? `was ended by ${signal}` : `ended with exit code ${code}`),
        );
      }),
    };
    if (pid) this.#running.set(pid, child);
    return child;
  }

  /**
   * Runs a program to its end.
   * @param {string} name of its log
   * @param {string} command
   * @param {readonly string[]} args
   * @param {object} options
   * @param {string} options.what for the message where it fails
   * @param {string} options.cwd
   * @param {AbortSignal} [options.signal]
   * @param {number} [options.seconds] how long it may take
   * @returns {Promise<string>} what it wrote to standard output
   */
  async run(name, command, args, { what, cwd, signal, seconds = 300 }) {
    if (signal?.aborted) throw new Interrupted();
    const child = this.spawn(name, command, args, cwd);
    const late = new AbortController();
    const how = await Promise.race([
      child.exit,
      aborted(signal, late.signal).then(() => "interrupted"),
      sleep(seconds * 1000, `took longer than ${seconds} s`, { signal: late.signal }).catch(() => ""),
    ]);
    late.abort();
    if (!child.ended) await this.end(child);
    this.record.remove(child.pid);
    if (signal?.aborted) throw new Interrupted();
    const [out, log] = [this.#text(`${name}.out`), this.#text(`${name}.log`)];
    if (how === "") return out;
    throw new Failure(`${what} failed: ${lastError(`${out}\n${log}`)}`, this.#where(name, how));
  }

  /**
   * @param {string} name
   * @param {string} how
   */
  #where(name, how) {
    return `it ${how}; its logs: ${this.path(name, "log")} and ${this.path(name, "out")}`;
  }

  /**
   * @param {string} name
   * @param {"log" | "out"} kind what it wrote to standard error, or to standard output
   */
  path(name, kind) {
    return join(this.logs, `${name}.${kind}`);
  }

  /** @param {string} file */
  #text(file) {
    try {
      return readFileSync(join(this.logs, file), "utf8");
    } catch {
      return "";
    }
  }

  /** @param {Child} child */
  async end(child) {
    if (!child.ended) await endGroup(child.pid, () => !child.ended);
    this.record.remove(child.pid);
  }

  /** Ends everything that this run started and that still runs. */
  async endAll() {
    await Promise.all([...this.#running.values()].map((child) => this.end(child)));
    await this.#endMarked();
  }

  /**
   * Ends what an earlier run left.
   * @returns {Promise<string[]>} the names of what was ended
   */
  async endLeftovers() {
    const left = (this.record.read()?.children ?? []).filter(alive);
    await Promise.all(left.map((known) => endGroup(known.pid, () => alive(known))));
    await this.#endMarked();
    return left.map(({ name }) => name);
  }

  /**
   * What is in no record: an engine's provider outlives an engine that was killed, and finishes what it was at. Only
   * Linux shows it; elsewhere such a provider ends by itself within half a minute.
   */
  async #endMarked() {
    for (const pid of marked(this.mark)) {
      const started = processStart(pid);
      if (started) await endGroup(pid, () => processStart(pid) === started, 5);
    }
  }
}

/**
 * Asks a process group to end, as Ctrl-C does, and ends it when patience is over.
 * @param {number} pid of its leader, or of a process in somebody else's group
 * @param {() => boolean} lives
 * @param {number} [patience] seconds
 */
async function endGroup(pid, lives, patience = PATIENCE_SECONDS) {
  signalTo(pid, "SIGINT");
  for (const end = Date.now() + patience * 1000; lives() && Date.now() < end; ) await sleep(50);
  signalTo(pid, "SIGKILL");
  for (const end = Date.now() + 5000; lives() && Date.now() < end; ) await sleep(20);
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function signalTo(pid, signal) {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // No group of that number, or no process of it is left.
    }
  }
}

/**
 * @param {string} mark
 * @returns {number[]}
 */
function marked(mark) {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(join("/proc", pid, "environ"), "utf8")
            .split("\0")
            .includes(mark);
        } catch {
          return false; // gone meanwhile, or another user's
        }
      })
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * @param {AbortSignal | undefined} signal
 * @param {AbortSignal} enough when nobody waits any more
 * @returns {Promise<void>}
 */
export function aborted(signal, enough) {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true, signal: enough });
  });
}
