// Imports run one way: docs/architecture.md says which room may import which, and this check holds every file to it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./paths.mjs";

/**
 * A room may import itself, what stands here, and packages. `types of` allows `import type` only.
 * @type {Record<string, readonly string[]>}
 */
const allowed = {
  registry: [],
  rollout: ["types of registry"],
  config: ["registry", "rollout"],
  components: [
    "config",
    "types of registry",
    "registry/reference",
    "rollout",
    "types of access",
    "types of github",
    "provider/resources",
    "provider/docker/layout",
    "provider/kubernetes/layout",
  ],
  github: ["types of rollout", "registry/within"],
  ledger: ["registry", "rollout"],
  access: ["registry", "github", "config"],
  provider: ["registry", "rollout", "ledger", "github"],
  watcher: [
    "registry",
    "rollout",
    "ledger",
    "github",
    "access",
    "config",
    "components",
    "provider",
    "workflows",
  ],
  workflows: ["config", "rollout", "github/files/seal"],
  stacks: [
    "registry",
    "rollout",
    "ledger",
    "github",
    "config",
    "access",
    "components",
    "provider",
    "watcher",
    "workflows",
  ],
  index: ["rollout", "config", "watcher", "stacks"],
  cli: [
    "registry",
    "rollout",
    "ledger",
    "github",
    "config",
    "access",
    "components",
    "provider",
    "watcher",
    "workflows",
    "index",
  ],
  tools: [],
};

/**
 * What a few files of a room alone may import, so that the rest of the room does not know which engine it is.
 * @type {readonly { room: string, target: string, only: readonly string[] }[]}
 */
const reserved = [
  { room: "watcher", target: "provider/docker/", only: ["watcher/docker.ts"] },
  {
    room: "watcher",
    target: "provider/kubernetes/",
    only: ["watcher/kubernetes.ts", "watcher/clusterLease.ts", "watcher/podKubeconfig.ts"],
  },
];

// They may import anything; nothing outside them may import them.
const outside = ["tests", "bench"];

const inputOutput =
  /^(node:)?(fs|net|http|https|http2|tls|dgram|dns|child_process|cluster|worker_threads|timers|readline|process|os)(\/|$)|^(undici|dockerode|execa)(\/|$)/;

/** @typedef {{ file: string, line: number, rule: string }} Violation */

/** @param {string} path relative to the project */
function roomOf(path) {
  const [first = "", ...rest] = path.split(sep);
  return rest.length ? first : first.replace(/\.[a-z]+$/, "");
}

/**
 * The imports of a source text, each with its line and whether it is erased when the program runs.
 * @param {string} text
 */
export function importsIn(text) {
  const from = /\b(import|export)\b(\s+type\b)?(?:\s*["']|[^;"'`]*?\bfrom\s*["'])([^"'\n]+)["']/g;
  const call = /\b(?:import|require)\s*\(\s*["']([^"'\n]+)["']/g;
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "));
  const statements = [...code.matchAll(from)].map((match) => ({
    match,
    isType: Boolean(match[2]),
    to: match[3] ?? "",
  }));
  const calls = [...code.matchAll(call)].map((match) => ({ match, isType: false, to: match[1] ?? "" }));
  return [...statements, ...calls]
    .filter(({ match }) => !/^\s*\/\//.test(code.slice(code.lastIndexOf("\n", match.index) + 1)))
    .map(({ match, isType, to }) => ({ to, isType, line: code.slice(0, match.index).split("\n").length }));
}

/**
 * @param {string} file relative to the project
 * @param {string} text
 * @returns {Violation[]}
 */
export function violationsIn(file, text) {
  const room = roomOf(file);
  if (outside.includes(room)) return [];
  return importsIn(text).flatMap(({ to, isType, line }) => {
    const rule = to.startsWith(".")
      ? (reservedRule(file, room, normalize(join(dirname(file), to))) ??
        roomRule(room, normalize(join(dirname(file), to)), isType))
      : packageRule(room, to);
    return rule ? [{ file, line, rule }] : [];
  });
}

/**
 * @param {string} file
 * @param {string} room
 * @param {string} target relative to the project
 */
function reservedRule(file, room, target) {
  const path = target.split(sep).join("/");
  const rule = reserved.find((one) => one.room === room && path.startsWith(one.target));
  return rule && !rule.only.includes(file)
    ? `${rule.target} is for ${rule.only.join(", ")} alone to import`
    : undefined;
}

/**
 * @param {string} room
 * @param {string} target relative to the project
 * @param {boolean} isType
 */
function roomRule(room, target, isType) {
  const other = roomOf(target);
  const rules = allowed[room];
  // Files beside the program, such as a tool's settings, belong to no room.
  if (other === room || !rules || target.endsWith(".json")) return undefined;
  const path = target
    .split(sep)
    .join("/")
    .replace(/\.[a-z]+$/, "");
  const may = rules.some((rule) => {
    if (rule.startsWith("types of ")) return isType && rule === `types of ${other}`;
    return rule === other || rule === path;
  });
  if (may) return undefined;
  return `${room} may import ${rules.join(", ") || "no other room"}, and not ${isType ? "types of " : ""}${path}`;
}

/**
 * @param {string} room
 * @param {string} name
 */
function packageRule(room, name) {
  return room === "rollout" && inputOutput.test(name)
    ? `rollout does no input or output, and ${name} does`
    : undefined;
}

/**
 * @param {string} folder
 * @returns {Violation[]}
 */
export function violations(folder) {
  const skipped = new Set(["node_modules", "dist", ".work", ".git", "examples"]);
  /** @param {string} at @returns {string[]} */
  const files = (at) =>
    readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
      if (skipped.has(entry.name)) return [];
      const path = join(at, entry.name);
      if (entry.isDirectory()) return files(path);
      return entry.isFile() && /\.(ts|mjs|cjs|js)$/.test(entry.name) ? [path] : [];
    });
  return files(folder).flatMap((path) => violationsIn(relative(folder, path), readFileSync(path, "utf8")));
}

if (
  process.argv[1] &&
  pathToFileURL(process.argv[1]).href === pathToFileURL(join(root, "tools", "imports.mjs")).href
) {
  const found = violations(resolve(process.argv[2] ?? root));
  for (const { file, line, rule } of found) process.stderr.write(`${file}:${line} ${rule}\n`);
  process.exitCode = found.length ? 1 : 0;
}
