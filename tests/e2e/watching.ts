/**
 * A watcher as its user starts it: a process of its own that says what it does, a line of JSON each. Promises that
 * nothing of it, nor of an engine that it had at work, outlives `end`.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Project, Stack } from "./harness";

const commandLine = resolve(__dirname, "../../cli/tagalong.mjs");
/** After which a test that waits in vain says what it has heard instead. */
const patienceMs = 240_000;

/** One line of the log. */
export interface Said {
  event: string;
  message: string;
  level: string;
  time: number;
  [fact: string]: unknown;
}

export class Watching {
  readonly said: Said[] = [];
  /** Standard output and error as they are. */
  output = "";
  readonly child: ChildProcess;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  private over = false;
  private read = 0;
  private wake = () => {};

  constructor(stack: Stack, options: { args?: string[]; env?: NodeJS.ProcessEnv; cwd?: string } = {}) {
    const args = options.args ?? ["--stack", stack.name, "--cwd", stack.project.folder];
    this.child = spawn(process.execPath, [commandLine, "watch", ...args], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      cwd: options.cwd,
      env: {
        ...stack.variables(),
        XDG_STATE_HOME: join(stack.project.folder, "watchers"),
        ...options.env,
      },
    });
    const { stdout, stderr } = this.child;
    assert(stdout && stderr);
    createInterface({ input: stdout }).on("line", (line) => {
      this.output += `${line}\n`;
      this.said.push(JSON.parse(line) as Said);
      this.wake();
    });
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
    });
    const kill = () => slay(this.pid);
    process.once("exit", kill); // a test run that somebody ends leaves no watcher behind
    this.ended = new Promise((done) => {
      this.child.once("close", (code, signal) => {
        process.off("exit", kill);
        this.over = true;
        this.wake();
        done(code ?? signal);
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What it says next of this event, or of these, in the order in which it says them; each line is given once. */
  async next(...events: string[]): Promise<Said> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      while (this.read < this.said.length) {
        const line = this.said[this.read++];
        if (line && events.includes(line.event)) return line;
      }
      const left = deadline - Date.now();
      if (this.over || left <= 0) {
        const why = this.over ? "it ended without saying it" : "it does not say it";
        assert.fail(`waiting for "${events.join('" or "')}": ${why}; it said:\n${this.output}`);
      }
      await new Promise<void>((heard) => {
        const timer = setTimeout(heard, left);
        this.wake = () => {
          clearTimeout(timer);
          heard();
        };
      });
    }
  }

  /** How often it has said it up to now. */
  count(event: string): number {
    return this.said.filter((line) => line.event === event).length;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Stops it as its user would. */
  async stop(): Promise<void> {
    if (!this.over) this.signal("SIGTERM");
    assert.equal(await this.ended, 0, this.output);
  }

  /** Kills it alone: what it had at work goes on. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** Kills it and whatever it had started, all at once, as a power cut would. */
  async powerCut(): Promise<void> {
    const started = descendants(this.pid);
    this.child.kill("SIGKILL");
    for (const { pid } of started) slay(pid);
    await this.ended;
  }

  /** After a test: whatever is left of it. */
  async end(): Promise<void> {
    await this.powerCut();
  }
}

/** A process of this machine: its id, its parent's, and the short name that the kernel has for it. */
interface Process {
  pid: number;
  parent: number;
  name: string;
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
        const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
        return state === "Z" ? [] : [{ pid: Number(entry), parent: Number(parent), name }];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

/** All processes below one. */
export function descendants(root: number): Process[] {
  const all = processes();
  const found = new Set([root]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => pid !== root && found.has(pid));
}

/** What works on a project's stacks, whoever started it, watchers included. */
export function atWorkOn({ folder }: Project): string[] {
  return processes()
    .filter(({ pid }) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`PULUMI_BACKEND_URL=file://${folder}/`);
      } catch {
        return false; // somebody else's, or gone
      }
    })
    .map(({ name }) => name)
    .sort();
}

/** Ends a process that may have ended by itself. */
export function slay(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
