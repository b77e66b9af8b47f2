// What a cluster might leave on the machine, looked for from the outside.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const read = (file: string) => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // A process that ended meanwhile.
    return "";
  }
};

/** The processes of a cluster: those that see its folder, and those of its pods. */
export function processesOf(folder: string, group: string): { pid: number; program: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const seen = read(`/proc/${pid}/mountinfo`);
      return seen.includes(` ${folder} /run/cluster `) || read(`/proc/${pid}/cgroup`).includes(`/${group}/`);
    })
    .map((pid) => ({ pid: Number(pid), program: read(`/proc/${pid}/comm`).trim() }));
}

/** What there is of a cluster, by kind, and what the parts of any cluster would leave at fixed places. */
export function tracesOf(folder: string, group: string): Record<string, string[]> {
  const interfaces = readdirSync("/sys/class/net");
  const trees = ["", ...readdirSync("/sys/fs/cgroup")].map((tree) => join("/sys/fs/cgroup", tree, group));
  const lines = (text: string) => text.split("\n").filter(Boolean);
  const fixed = ["/var/lib", "/var/log", "/run", "/opt", "/etc", "/usr/libexec"].filter(existsSync);
  return {
    "the folder": existsSync(folder) ? [folder] : [],
    processes: processesOf(folder, group).map(({ pid, program }) => `${pid} ${program}`),
    mounts: lines(read("/proc/self/mounts")).filter(
      (line) => line.includes(folder) || /kubelet|cni/.test(line),
    ),
    "network interfaces": interfaces.filter(
      (name) => read(`/sys/class/net/${name}/ifalias`).trim() === group,
    ),
    "control groups": trees.filter(existsSync),
    "packet filter rules": lines(execFileSync("iptables-save", { encoding: "utf8" })).filter((line) =>
      /KUBE|CNI/.test(line),
    ),
    "entries of the machine's folders": fixed.flatMap((at) =>
      readdirSync(at)
        .filter((name) => /kube|cni|containerd|etcd|netns|^pods$|^containers$/.test(name))
        .map((name) => join(at, name)),
    ),
  };
}
