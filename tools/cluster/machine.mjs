// What a cluster needs of the machine, and how its programs come into its folder.
import { copyFileSync, linkSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { executable, onPath } from "../command.mjs";
import { isDebian, isRoot, unpacked } from "../debian.mjs";
import { Failure } from "../failure.mjs";

/** What the machine itself must have, and the Debian package that has it. */
const tools = {
  unshare: "util-linux",
  mount: "util-linux",
  ip: "iproute2",
  iptables: "iptables",
  openssl: "openssl",
};

/** What runs containers and wires them: Debian's package is unpacked where the machine has none. */
const containerPrograms = {
  containerd: "usr/bin/containerd",
  "containerd-shim-runc-v2": "usr/bin/containerd-shim-runc-v2",
  runc: "usr/sbin/runc",
  ptp: "usr/lib/cni/ptp",
  "host-local": "usr/lib/cni/host-local",
  loopback: "usr/lib/cni/loopback",
};

/** @type {Record<keyof typeof containerPrograms, string>} */
const packageOf = {
  containerd: "containerd",
  "containerd-shim-runc-v2": "containerd",
  runc: "runc",
  ptp: "containernetworking-plugins",
  "host-local": "containernetworking-plugins",
  loopback: "containernetworking-plugins",
};

/** The names that the program of tools/go/cluster goes by. */
const clusterPrograms = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "coredns",
  "kwok",
  "kubectl",
  "forward",
];

const NETWORK_FOLDERS = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/**
 * Why a cluster cannot run on this machine, before anything is built for it.
 * @returns {Failure | undefined}
 */
export function obstacle(platform = process.platform, root = isRoot(), env = process.env) {
  if (platform !== "linux") {
    return new Failure("a cluster runs on Linux only", "run this in a Linux virtual machine or in CI");
  }
  if (!root) {
    const again = `sudo --preserve-env=PATH,TAGALONG_CACHE npm run cluster -- up`;
    return new Failure("a cluster needs root, for namespaces and control groups of its own", again);
  }
  const missing = Object.entries(tools).filter(([name]) => !onPath(name, env));
  if (!missing.length) return undefined;
  const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
  return new Failure(
    `a cluster needs ${missing.map(([name]) => name).join(", ")} on PATH`,
    isDebian() ? `apt-get install ${packages}` : `install ${packages} with the system's package manager`,
  );
}

/**
 * @param {keyof typeof containerPrograms} name
 * @returns {Promise<string>}
 */
async function containerProgram(name) {
  const there = onPath(name) ?? NETWORK_FOLDERS.map((folder) => join(folder, name)).find(executable);
  if (there) return there;
  if (isDebian()) return unpacked(packageOf[name], containerPrograms[name]);
  throw new Failure(
    `a cluster needs ${name}, which is not on PATH nor in ${NETWORK_FOLDERS.join(", ")}`,
    `install the package ${packageOf[name]} with the system's package manager`,
  );
}

/**
 * Every program that a cluster runs, under its own name in one folder; no more space is taken where links can do it.
 * @param {string} built the program of tools/go/cluster
 * @param {string} folder
 */
export async function layPrograms(built, folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of clusterPrograms) lay(built, join(folder, name));
  for (const name of /** @type {(keyof typeof containerPrograms)[]} */ (Object.keys(containerPrograms)))
    lay(await containerProgram(name), join(folder, name));
}

/** @param {string} from @param {string} to */
function lay(from, to) {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
