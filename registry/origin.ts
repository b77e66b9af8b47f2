/**
 * Where a registry answers, and how. Promises HTTPS for every host but loopback ones and those that were
 * listed as insecure by name: nobody gets plain HTTP by accident.
 */
import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Docker Hub's registry answers under another name than its references carry. */
const apiHosts: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/** The hosts of `TAGALONG_INSECURE_REGISTRIES`, a comma list of `host` or `host:port`. */
export function insecureHosts(env: NodeJS.ProcessEnv = process.env): ReadonlySet<string> {
  const list = (env.TAGALONG_INSECURE_REGISTRIES ?? "").split(",").map((entry) => entry.trim().toLowerCase());
  return new Set(list.filter((entry) => entry !== ""));
}

/** Whether the host (`name`, `name:port`, `[::1]:port`) may be spoken to without TLS. */
export function allowsPlainHttp(host: string, insecure: ReadonlySet<string>): boolean {
  const lower = host.toLowerCase();
  const name = hostname(lower);
  return isLoopback(name) || insecure.has(lower) || insecure.has(name);
}

/** The origin of a registry's API: `https://ghcr.io`, `http://localhost:5000`, `https://registry-1.docker.io`. */
export function originOf(registry: string, insecure: ReadonlySet<string>): string {
  const api = apiHosts[registry] ?? registry;
  return new URL(`${allowsPlainHttp(api, insecure) ? "http" : "https"}://${api}`).origin;
}

/** Whether a URL that a registry named (realm, redirect) may be followed: HTTPS, or plain where both ends allow it. */
export function mayFollow(target: URL, registry: string, insecure: ReadonlySet<string>): boolean {
  if (target.username !== "" || target.password !== "") return false;
  if (target.protocol === "https:") return true;
  if (target.protocol !== "http:") return false;
  return allowsPlainHttp(registry, insecure) && allowsPlainHttp(target.host, insecure);
}

function hostname(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host);
  return bracketed?.[1] ?? host.replace(/:\d+$/, "");
}

function isLoopback(name: string): boolean {
  if (name === "localhost") return true;
  const family = isIP(name);
  return family !== 0 && loopback.check(name, family === 6 ? "ipv6" : "ipv4");
}
