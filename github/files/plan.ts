/**
 * What a repository has of our files, and what is to be done about each. Pure. Promises that nothing that a person wrote
 * is ever among what is written or removed, unless it was asked for by its path.
 */
import { createHash } from "node:crypto";
import { sealOf } from "./seal";

export interface RenderedFile {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
  /** As Git has it. */
  readonly mode: "100644" | "100755";
}

/** What a tree of Git has at a path. */
export interface FoundEntry {
  readonly type: string;
  readonly mode: string;
  readonly sha: string;
  /** Of a file that is not as it is rendered. */
  readonly text?: string;
}

export type FoundFiles = ReadonlyMap<string, FoundEntry>;

/**
 * How a file stands to what is rendered.
 * - `outdated`: as we wrote it, from another config or by another version
 * - `stale`: as we wrote it, and not rendered any more
 * - `edited`: ours, and edited by hand since; `leftover` where it is not rendered any more
 * - `foreign`: somebody else's
 * - `blocked`: no file, or below something that is no folder
 */
export type Standing = "same" | "new" | "outdated" | "stale" | "edited" | "leftover" | "foreign" | "blocked";

export type Change = "new" | "changed" | "removed";

export interface Plan {
  /** By path. */
  readonly changes: Readonly<Record<string, Change>>;
  /** By path: what stays as it is, and why. */
  readonly left: Readonly<Record<string, "edited" | "leftover" | "foreign" | "blocked">>;
}

/** The name that Git gives to a file's content. */
export function blobSha(text: string): string {
  const content = Buffer.from(text, "utf8");
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

/** Each file that is rendered, or was, in the order of their paths. */
export function standings(files: readonly RenderedFile[], found: FoundFiles): Map<string, Standing> {
  const rendered = new Map(files.map((file) => [file.path, file]));
  const paths = [...new Set([...rendered.keys(), ...found.keys()])].sort();
  return new Map(
    paths.flatMap((path) => {
      const standing = standingOf(path, rendered.get(path), found);
      return standing === undefined ? [] : [[path, standing] as const];
    }),
  );
}

/** @param overwrite paths of files that need not be as we wrote them */
export function planOf(
  files: readonly RenderedFile[],
  found: FoundFiles,
  overwrite: readonly string[] = [],
): Plan {
  const changes: Record<string, Change> = {};
  const left: Record<string, Plan["left"][string]> = {};
  for (const [path, standing] of standings(files, found)) {
    if (standing === "new") changes[path] = "new";
    else if (standing === "outdated") changes[path] = "changed";
    else if (standing === "stale") changes[path] = "removed";
    else if (standing !== "same") {
      if (standing === "blocked" || !overwrite.includes(path)) left[path] = standing;
      else changes[path] = standing === "leftover" ? "removed" : "changed";
    }
  }
  return { changes, left };
}

function standingOf(path: string, file: RenderedFile | undefined, found: FoundFiles): Standing | undefined {
  const entry = found.get(path);
  if (file === undefined) {
    const seal = entry?.text === undefined ? "none" : sealOf(entry.text);
    return seal === "none" ? undefined : seal === "whole" ? "stale" : "leftover";
  }
  if (parentsOf(path).some((parent) => (found.get(parent)?.type ?? "tree") !== "tree")) return "blocked";
  if (entry === undefined) return "new";
  if (entry.type !== "blob") return "blocked";
  // A link's content is where it leads.
  if (!entry.mode.startsWith("100")) return "foreign";
  if (entry.sha === blobSha(file.text)) return entry.mode === file.mode ? "same" : "outdated";
  const seal = sealOf(entry.text ?? "");
  return seal === "none" ? "foreign" : seal === "whole" ? "outdated" : "edited";
}

/** The folders above a path, the outermost first. */
export function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** `2 new (a, b), 1 removed (c)` */
export function changesText(changes: Plan["changes"]): string {
  return (["new", "changed", "removed"] as const)
    .flatMap((kind) => {
      const paths = Object.keys(changes).filter((path) => changes[path] === kind);
      return paths.length > 0 ? [`${paths.length} ${kind} (${paths.join(", ")})`] : [];
    })
    .join(", ");
}

/** `1 file waits`, `2 files wait` */
export function waitingText(changes: Plan["changes"], where: string): string {
  const count = Object.keys(changes).length;
  return `${count === 1 ? "1 file waits" : `${count} files wait`} for the merge of ${where}`;
}

/** Where this version and those before it have written files; whatever else is there is none of our business. */
export function isOwnPlace(path: string): boolean {
  return /^\.github\/(?:tagalong\/[^/]+|workflows\/(?:check|image|release|promote|preview)\.yml|renovate\.json)$/.test(
    path,
  );
}
