// Workflows as data, and the YAML that they become. Data cannot be indented wrongly, and what is written by users is
// quoted by the library.
import { Document, isCollection, isMap, isPair, isScalar, type Node, Scalar, type YAMLMap } from "yaml";
import pins from "./actionPins.json";

/** Why something is as it is; becomes a comment above it. */
export const WHY = "//";

type Why = { readonly [WHY]?: string };

/** Why a job asks for what it asks for; a comment beside each. Reading the code needs no reason. */
const REASONS: Readonly<Record<string, string>> = {
  "actions: read": "the log of the job that failed",
  "attestations: write": "keeps the attestation",
  "contents: write": "makes the release",
  "deployments: read": "what the watcher reports",
  "id-token: write": "signs the attestation as this workflow",
  "packages: read": "which images there are",
  "packages: write": "pushes and tags images",
  "pull-requests: write": "the one comment",
};

/** What a token may do: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions */
export type Permissions = Readonly<
  Partial<
    Record<
      "actions" | "attestations" | "contents" | "deployments" | "id-token" | "packages" | "pull-requests",
      "read" | "write"
    >
  >
>;

export interface Step extends Why {
  readonly name?: string;
  readonly id?: string;
  readonly if?: string;
  readonly uses?: Action;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly "working-directory"?: string;
}

export interface Job extends Why {
  readonly name?: string;
  readonly needs?: readonly string[];
  readonly if?: string;
  readonly environment?: string;
  readonly permissions: Permissions;
  readonly "runs-on"?: string;
  readonly "timeout-minutes"?: number;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean | string };
  readonly strategy?: {
    readonly "fail-fast"?: boolean;
    readonly matrix: Readonly<Record<string, string>>;
  };
  readonly outputs?: Readonly<Record<string, string>>;
  /** A workflow of the same repository; such a job has no steps. */
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
}

export interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, unknown>>;
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": boolean | string };
  readonly jobs: Readonly<Record<string, Job>>;
}

export type Action = Exclude<keyof typeof pins, "//">;

/** A step without the keys that are undefined. */
export function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T;
}

/** An expression that GitHub evaluates. */
export const expression = (text: string): string => `\${{ ${text} }}`;

/** The text of a workflow's file, below a header of comment lines. */
export function workflowText({ name, on, concurrency, jobs }: Workflow, header: string): string {
  const document = new Document(
    { name, on, permissions: {}, concurrency, defaults: { run: { shell: "bash" } }, jobs: named(jobs) },
    { aliasDuplicateObjects: false },
  );
  document.commentBefore = header
    .split("\n")
    .map((line) => ` ${line}`)
    .join("\n");
  decorate(document.contents as Node);
  const top = document.contents;
  if (isMap(top)) for (const pair of top.items.slice(1)) if (isScalar(pair.key)) pair.key.spaceBefore = true;
  const all = document.get("jobs");
  if (isMap(all)) for (const pair of all.items.slice(1)) if (isScalar(pair.key)) pair.key.spaceBefore = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** A job without a name of its own has the one that others wait for it by. */
function named(jobs: Workflow["jobs"]): Workflow["jobs"] {
  return Object.fromEntries(
    Object.entries(jobs).map(([id, { [WHY]: why, ...job }]) => [
      id,
      { ...(why !== undefined && { [WHY]: why }), name: id, ...job },
    ]),
  );
}

/** Turns reasons into comments, actions into pinned ones, and texts of several lines into blocks. */
function decorate(node: unknown): void {
  if (!isCollection(node)) return;
  for (const item of node.items) {
    const value = isPair(item) ? item.value : item;
    const owner = isPair(item) ? item.key : item;
    if (isMap(value)) {
      const why = value.get(WHY);
      if (typeof why === "string") {
        value.delete(WHY);
        (owner as Scalar).commentBefore = why
          .split("\n")
          .map((line) => ` ${line}`)
          .join("\n");
      }
    }
    if (isPair(item) && isScalar(item.key)) {
      if (item.key.value === "uses" && isScalar(item.value)) pin(item.value);
      if (item.key.value === "permissions" && isMap(value)) explain(value);
    }
    if (isScalar(value) && typeof value.value === "string" && value.value.includes("\n")) {
      value.type = Scalar.BLOCK_LITERAL;
    }
    decorate(value);
  }
}

/** Each permission with its reason. */
function explain(permissions: YAMLMap): void {
  for (const { key, value } of permissions.items) {
    const reason = REASONS[`${key}: ${value}`];
    if (reason !== undefined && isScalar(value)) value.comment = ` ${reason}`;
  }
}

/** An action by the commit that was looked at; a tag may be moved by whoever has its repository. */
function pin(uses: Scalar): void {
  const action = String(uses.value);
  if (action.startsWith("./")) {
    // GitHub's newer spelling of the same, which neither its older servers nor actionlint nor act know.
    uses.comment = " zizmor: ignore[self-repository]";
    return;
  }
  const [version = "", commit = ""] = pins[action as Action].split(" ");
  uses.value = `${action}@${commit}`;
  uses.comment = ` ${version}`;
}
