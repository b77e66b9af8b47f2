// One watcher a stack on a machine: a small file says which process it is, and by which mark the processes that it
// started can be told. Whoever comes next learns from it whether another lives, and ends what a killed one left running.
import { createHash, randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

interface LeaseFile {
  /** What the holder follows, as it was given to `take`. */
  stack: string;
  pid: number;
  /** When the process started, in the kernel's own unit: a number that a later process of the same id does not have. */
  startedAt: string;
  mark: string;
  /** Marks of dead holders whose processes may not all be ended yet. */
  former: string[];
}

/** The environment variable by which a watcher marks its engines, and they whatever they start. */
const markName = "TAGALONG_WATCHER";
/** Two that start at once both write the file; after this the last one's stands. */
const raceMs = 50;
const patience = { everyMs: 100, times: 100 };

/** The fields of a process behind its name, as proc(5) has them; undefined where it is gone. */
function statOf(pid: number): string[] | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields;
}

/** When a process started; undefined where it is gone. Without /proc its id alone has to do. */
export function processStart(pid: number): string | undefined {
  try {
    return statOf(pid)?.[19];
  } catch {
    try {
      process.kill(pid, 0);
      return process.platform === "linux" ? undefined : "running";
    } catch {
      return undefined;
    }
  }
}

export class Lease {
  private constructor(
    private readonly file: string,
    private readonly content: LeaseFile,
  ) {}

  /**
   * Takes the lease of a stack. What a dead holder left running is ended first, engines and their providers.
   * @throws Error naming the living holder
   */
  static async take(stack: string, folder = stateFolder()): Promise<Lease> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, `${createHash("sha256").update(stack).digest("hex").slice(0, 16)}.json`);
    const holder = read(file);
    if (holder && processStart(holder.pid) === holder.startedAt) throw taken(stack, holder);
    const own = { stack, pid: process.pid, startedAt: processStart(process.pid) ?? "", mark: randomUUID() };
    const former = holder ? [holder.mark, ...holder.former] : [];
    write(file, { ...own, former });
    await sleep(raceMs);
    const now = read(file);
    if (now && now.mark !== own.mark) throw taken(stack, now);
    for (const mark of former) await endMarked(mark);
    const lease = new Lease(file, { ...own, former: [] });
    write(file, lease.content);
    return lease;
  }

  /** What every process that the holder starts must have in its environment. */
  get environment(): Record<string, string> {
    return { [markName]: this.content.mark };
  }

  /** Where the holder keeps what the next one must find, whoever that is. */
  get keepsake(): string {
    return this.file.replace(/\.json$/, ".unwritten.json");
  }

  /** Kills whatever the holder has started. */
  kill(): void {
    for (const pid of marked(this.content.mark)) send(pid, "SIGKILL");
  }

  release(): void {
    if (read(this.file)?.mark === this.content.mark) rmSync(this.file, { force: true });
  }
}

/** The watchers that live on this machine, by what they follow, with the time since when. */
export function livingHolders(folder = stateFolder()): { stack: string; pid: number; since: string }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const file = join(folder, name);
    const holder = name.endsWith(".json") ? read(file) : undefined;
    if (!holder || processStart(holder.pid) !== holder.startedAt) return [];
    const written = statSync(file, { throwIfNoEntry: false });
    return written ? [{ stack: holder.stack, pid: holder.pid, since: written.mtime.toISOString() }] : [];
  });
}

/** What watchers keep on this machine. */
export const stateFolder = (): string =>
  join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "tagalong");

const taken = (stack: string, { pid }: LeaseFile): Error =>
  new Error(
    `another watcher follows ${stack} on this machine (process ${pid}): stop it first, or leave the work to it`,
  );

function read(file: string): LeaseFile | undefined {
  try {
    const { stack, pid, startedAt, mark, former } = JSON.parse(
      readFileSync(file, "utf8"),
    ) as Partial<LeaseFile>;
    if (pid === undefined || startedAt === undefined || mark === undefined) return undefined;
    return { stack: stack ?? "", pid, startedAt, mark, former: former ?? [] };
  } catch {
    return undefined; // none yet, or not one of ours: nothing can be learned from it
  }
}

function write(file: string, content: LeaseFile): void {
  const draft = `${file}.${content.pid}`;
  writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
  renameSync(draft, file);
}

/** Processes of this user that carry a mark; none where the system has no /proc to find them by. */
function marked(mark: string): number[] {
  const entry = `${markName}=${mark}`;
  return numbersIn("/proc").filter((pid) => {
    try {
      return (
        statOf(pid) !== undefined && readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(entry)
      );
    } catch {
      return false; // somebody else's, or gone
    }
  });
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * Ends the processes that carry a mark: engines are asked as Ctrl-C does, so that they note what they had done; what is
 * left after ten seconds, or outlives its engine, as providers do by far, is killed.
 */
async function endMarked(mark: string): Promise<void> {
  const leaders = marked(mark).filter((pid) => isAsked(pid));
  for (const pid of leaders) send(pid, "SIGINT");
  for (let i = 0; i < patience.times && leaders.some((pid) => processStart(pid) !== undefined); i++)
    await sleep(patience.everyMs);
  for (let i = 0; i < patience.times; i++) {
    const left = marked(mark);
    if (left.length === 0) return;
    for (const pid of left) send(pid, "SIGKILL");
    await sleep(patience.everyMs);
  }
}

/** Whether Ctrl-C would reach it: engines lead a session of their own; a provider that does ends with its engine. */
function isAsked(pid: number): boolean {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, "utf8");
    return statOf(pid)?.[3] === String(pid) && !name.startsWith("pulumi-resource");
  } catch {
    return false;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
