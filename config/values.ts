/**
 * The formats that single values of the config are written in, each parsed once: durations to
 * milliseconds, memory to bytes, host ports to address and port. Decisions only; no input or output.
 */
import { isIP } from "node:net";

/** Where a service is reached on the host; `address` is an IP address in its canonical form. */
export interface Publish {
  readonly address: string;
  readonly port: number;
}

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const BYTES = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, K: 1e3, M: 1e6, G: 1e9 } as const;

export const DURATION = /^\d+(?:ms|s|m|h)$/;
export const MEMORY = /^\d+(?:Ki|Mi|Gi|K|M|G)$/;

/** Names of services, images and volumes: lowercase, as a DNS label is, at most 40 characters. */
export const LABEL = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
/** One part of a DNS name (RFC 1123), as Kubernetes' namespaces have it. */
export const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** A DNS name (RFC 1123), as most objects of Kubernetes have it. */
export const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
/** Names of environment variables; `__proto__` cannot be a key of a plain object. */
export const VARIABLE = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/;
/** A registry as a reference names it: `ghcr.io`, `localhost:5000`. */
export const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/;

const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const FIXED_TAG = /^(?:sha-[0-9a-f]+|sha256-[0-9a-f]+.*|v?\d+\.\d+\.\d+(?:[-+.].*)?)$/i;
/** What a release is named by: a version's tag, a commit's, or a digest. Each of them always leads to the same image. */
export const RELEASE =
  /^(?:v?\d+\.\d+\.\d+(?:[.-][A-Za-z0-9._-]+)?|sha-[0-9a-f]{40}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
/** What a tag of 128 leaves beside `sha256-<64 digits>.` and `.rejected`. */
export const LONGEST_ENVIRONMENT = 47;
/** Names of environments; verdicts have them in their tags, so they are no longer than fits there. */
export const ENVIRONMENT = new RegExp(`^[A-Za-z0-9_.-]{1,${LONGEST_ENVIRONMENT}}$`);

/** Topics of a GitHub repository. */
export const TOPIC = /^[a-z0-9][a-z0-9-]{0,49}$/;

/** Whom an environment's job waits for: a user's login, or a team of the organisation. */
export type Reviewer = { readonly kind: "user" | "team"; readonly name: string };

/** "ada" or "team:platform"; undefined for anything else. */
export function reviewerOf(text: string): Reviewer | undefined {
  const [, team] = /^team:([a-z0-9][a-z0-9_-]*)$/.exec(text) ?? [];
  if (team !== undefined) return { kind: "team", name: team };
  return /^[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}$/.test(text) ? { kind: "user", name: text } : undefined;
}

/** Who may bypass a ruleset; `role` has GitHub's own number (rulesets know repository roles by it). */
export type Bypass =
  | { readonly kind: "role" | "app"; readonly id: number }
  | { readonly kind: "team"; readonly name: string }
  | { readonly kind: "organization-admin" };

const ROLES: Readonly<Record<string, number>> = { maintain: 2, write: 4, admin: 5 };

/** "admin", "team:platform", "app:12345"; undefined for anything else. */
export function bypassOf(text: string): Bypass | undefined {
  const role = ROLES[text];
  if (role !== undefined) return { kind: "role", id: role };
  if (text === "organization-admin") return { kind: "organization-admin" };
  const [, team] = /^team:([a-z0-9][a-z0-9_-]*)$/.exec(text) ?? [];
  if (team !== undefined) return { kind: "team", name: team };
  const [, app] = /^app:([1-9]\d{0,14})$/.exec(text) ?? [];
  return app === undefined ? undefined : { kind: "app", id: Number(app) };
}

/** "500ms", "5s", "2m", "1h" in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  const unit = match?.[2] as keyof typeof MILLISECONDS | undefined;
  return unit === undefined ? undefined : Number(match?.[1]) * MILLISECONDS[unit];
}

/** "256Mi", "1Gi", "512M" in bytes; undefined for anything else. */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+)(Ki|Mi|Gi|K|M|G)$/.exec(text);
  const unit = match?.[2] as keyof typeof BYTES | undefined;
  return unit === undefined ? undefined : Number(match?.[1]) * BYTES[unit];
}

/** Why a tag cannot be followed, as "what is wrong — how to fix it"; undefined when it can. */
export function tagProblem(tag: string): string | undefined {
  if (!TAG.test(tag)) {
    return `${JSON.stringify(tag)} is not a tag — use letters, digits, "_", "." and "-", at most 128, starting with a letter, digit or "_"`;
  }
  if (FIXED_TAG.test(tag)) {
    return `${JSON.stringify(tag)} names one release and never moves — follow a moving tag, for example dev`;
  }
  return undefined;
}

/** Why a text names no release, as "what is wrong — how to fix it"; undefined when it does. */
export function releaseProblem(release: string): string | undefined {
  const text = JSON.stringify(release);
  const stays = "a version's tag such as 1.4.2, sha-<commit>, or a digest where there is one image";
  if (RELEASE.test(release) && (release.includes(":") || TAG.test(release))) {
    return undefined;
  }
  if (/^-?[\d.]+(?:e[+-]?\d+)?$/i.test(release) && !Number.isNaN(Number(release))) {
    return `${release} is a number to YAML, where 1.10 loses its zero — write the whole version in quotes, for example "1.10.0"`;
  }
  if (/^[0-9a-f]{40}$/.test(release)) {
    return `${text} is a commit — write sha-${release}`;
  }
  if (/^sha-/.test(release)) {
    return `${text} is not the tag of one commit — write sha- and all 40 of its lowercase digits`;
  }
  if (/^v?\d+\.\d+\.\d+\+/.test(release)) {
    return `${text} is not a tag, which has no + — write the version as the image's tag has it`;
  }
  if (/^sha\d+[:-]/.test(release)) {
    return `${text} is not a digest — write sha256: and 64 lowercase hexadecimal digits`;
  }
  return TAG.test(release)
    ? `${text} is a tag that may move — write what stays: ${stays}`
    : `${text} names no release — write ${stays}`;
}

/** A port number as it stands in the config. */
export function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/** A host port (bound to loopback) or "ADDRESS:PORT"; undefined for anything else. */
export function parsePublish(value: unknown): Publish | undefined {
  if (isPort(value)) {
    return { address: "127.0.0.1", port: value };
  }
  const match = typeof value === "string" ? /^(?:\[([^\]%]+)\]|([^:]+)):(\d{1,5})$/.exec(value) : null;
  const port = Number(match?.[3]);
  const v6 = match?.[1];
  const v4 = match?.[2];
  if (!isPort(port)) {
    return undefined;
  }
  if (v6 !== undefined && isIP(v6) === 6) {
    return { address: new URL(`http://[${v6}]`).hostname.slice(1, -1), port };
  }
  return v4 !== undefined && isIP(v4) === 4 ? { address: v4, port } : undefined;
}

/** Whether two publications ask the host for the same port. `::` also takes the IPv4 addresses. */
export function publishOverlap(a: Publish, b: Publish): boolean {
  const takes = (one: Publish, other: Publish): boolean =>
    one.address === "::" || (one.address === "0.0.0.0" && isIP(other.address) === 4);
  return a.port === b.port && (a.address === b.address || takes(a, b) || takes(b, a));
}

/** An absolute path below "/" in a container, without a trailing slash; undefined for anything else. */
export function parseMountPath(text: string): string | undefined {
  const path = text.replace(/\/+$/, "");
  const steps = path.split("/").slice(1);
  const plain = steps.every((step) => step !== "" && step !== "." && step !== "..");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return path.startsWith("/") && plain && !/[:,\u0000-\u001f]/.test(path) ? path : undefined;
}

/** Why a container cannot use a Pulumi backend, as "what is wrong — how to fix it"; undefined when it can. */
export function backendProblem(text: string): string | undefined {
  if (/^[a-z0-9+]+:\/\/[^/@]*:[^/]*@/i.test(text)) {
    return "holds a password — leave it out of the URL, put it into tagalong:secrets and name it in tagalong:watcher.secrets";
  }
  if (!/^(?:file:\/\/\/[^/\s]|(?:s3|gs|azblob|https):\/\/[^/\s])\S*$/.test(text)) {
    const fix = "write file:///path, s3://bucket, gs://bucket, azblob://container or https://host";
    return `${JSON.stringify(text)} is not the URL of a state backend — ${fix}`;
  }
  return undefined;
}

/** Linux capabilities, without the prefix CAP_ (capabilities(7)). */
export const CAPABILITIES = (
  "AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE " +
  "DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE " +
  "MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID " +
  "SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO " +
  "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM"
).split(" ");
