// What each process of a side used while it rolled: the most memory that it ever had, as the kernel keeps it, and CPU time.
import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { processesBelow } from "../processes.mjs";

const everyMs = 200;

/** @typedef {{megabytes: number, cpuSeconds: number}} Peak of the largest process of a program, and of all of them */

/**
 * Looks at a process and all below it until `end` is called. What lived for less than a look's interval is not seen.
 * @param {number} root
 * @param {string} [only] the one program that counts
 * @returns {{end: () => Record<string, Peak>}} by the name of the program
 */
export function peaksOf(root, only) {
  /** @type {Map<number, {program: string, kilobytes: number, ticks: number, before: number}>} */
  const seen = new Map();
  let isFirst = true;
  const look = () => {
    for (const { pid, ticks } of processesBelow(root)) {
      try {
        const kilobytes = Number(
          /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0,
        );
        const program = basename(readlinkSync(`/proc/${pid}/exe`));
        if (only !== undefined && program !== only) continue;
        const before = seen.get(pid)?.before ?? (isFirst ? ticks : 0);
        const most = Math.max(kilobytes, seen.get(pid)?.kilobytes ?? 0);
        seen.set(pid, { program, kilobytes: most, ticks, before });
      } catch {
        // It has ended meanwhile.
      }
    }
    isFirst = false;
  };
  look();
  const timer = setInterval(look, everyMs);
  return {
    end() {
      look();
      clearInterval(timer);
      /** @type {Record<string, Peak>} */
      const peaks = {};
      for (const { program, kilobytes, ticks, before } of seen.values()) {
        const peak = peaks[program] ?? { megabytes: 0, cpuSeconds: 0 };
        peaks[program] = {
          megabytes: Math.max(peak.megabytes, Math.round((kilobytes * 1024) / 1e6)),
          cpuSeconds: Math.round((peak.cpuSeconds + (ticks - before) / 100) * 100) / 100,
        };
      }
      return peaks;
    },
  };
}
