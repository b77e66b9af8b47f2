// One watcher a stack on a machine: a small file says which process it is and which engine it has at work. Whoever comes
// next learns from it whether another lives, and ends what a killed one left running.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

interface LeaseFile {
  pid: number;
  /** When the process started, in the kernel's own unit: a number that a later process of the same id does not have. */
  startedAt: string;
  /** The process group of the engine at work. */
  group?: number;
  groupStartedAt?: string;
}

/** When a process started; undefined where it is gone. Without /proc its id alone has to do. */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
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
    private content: LeaseFile,
  ) {}

  /**
   * Takes the lease of a stack. A dead holder's engine is ended first, its whole process group.
   * @throws Error naming the living holder
   */
  static async take(stack: string, folder = defaultFolder()): Promise<Lease> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, `${createHash("sha256").update(stack).digest("hex").slice(0, 16)}.json`);
    const former = read(file);
    if (former && former.pid !== process.pid && processStart(former.pid) === former.startedAt) {
      throw new Error(
        `another watcher follows ${stack} on this machine (process ${former.pid}): stop it first, or leave the work to it`,
      );
    }
    if (former?.group !== undefined && processStart(former.group) === former.groupStartedAt)
      await endGroup(former.group);
    const lease = new Lease(file, { pid: process.pid, startedAt: processStart(process.pid) ?? "" });
    lease.write();
    return lease;
  }

  /** Notes which engine is at work, for whoever comes next. */
  atWork(group: number | undefined): void {
    const { pid, startedAt } = this.content;
    this.content =
      group === undefined
        ? { pid, startedAt }
        : { pid, startedAt, group, groupStartedAt: processStart(group) ?? "" };
    this.write();
  }

  release(): void {
    rmSync(this.file, { force: true });
  }

  private write(): void {
    writeFileSync(`${this.file}.${process.pid}`, JSON.stringify(this.content), { mode: 0o600 });
    renameSync(`${this.file}.${process.pid}`, this.file);
  }
}

const defaultFolder = (): string =>
  join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "tagalong");

function read(file: string): LeaseFile | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as LeaseFile;
  } catch {
    return undefined; // none yet, or half a file from a crash: nothing can be learned from it
  }
}

/** Asks a process group to end, as Ctrl-C does, and ends it after ten seconds. */
async function endGroup(group: number): Promise<void> {
  const send = (signal: NodeJS.Signals): boolean => {
    try {
      return process.kill(-group, signal);
    } catch {
      return false; // no process of the group is left
    }
  };
  if (!send("SIGINT")) return;
  for (let tenths = 0; tenths < 100; tenths++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (processStart(group) === undefined) break;
  }
  send("SIGKILL");
}
