/**
 * How a mistake in the config is told: where it stands, what is wrong, and what to do, in the words and
 * paths that `pulumi config set --path` takes. Values of secrets never get here.
 */
import * as pulumi from "@pulumi/pulumi";

/** Keys and list positions that lead from the namespace `tagalong` to a value; none for the stack itself. */
export type ConfigPath = readonly (string | number)[];

/** One mistake: its place, and a sentence of the form "what is wrong — how to fix it". */
export interface Problem {
  readonly path: ConfigPath;
  readonly text: string;
}

/**
 * Every mistake of one stack's config in one message. Pulumi prints a RunError without a stack trace, so
 * the message is all a user sees.
 */
export class ConfigError extends pulumi.RunError {
  readonly problems: readonly Problem[];

  constructor(stack: string, problems: readonly Problem[]) {
    super(describeProblems(stack, problems));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** The whole message: which stack and file, then one line a problem, in the order of their paths. */
export function describeProblems(stack: string, problems: readonly Problem[]): string {
  const files = problems.some((problem) => problem.path[0] === "images")
    ? `Pulumi.${stack}.yaml, or Pulumi.yaml for what all stacks share`
    : `Pulumi.${stack}.yaml`;
  const lines = problems.map((problem) => `  ${pathText(problem.path)}: ${problem.text}`).sort();
  const count = lines.length === 1 ? "a mistake" : `${lines.length} mistakes`;
  return `The config of stack "${stack}" has ${count}; fix in ${files}:\n${lines.join("\n")}`;
}

/** The path as `pulumi config set --path` takes it: `tagalong:registries["ghcr.io"].password`. */
export function pathText(path: ConfigPath): string {
  if (path.length === 0) {
    return "the stack's name";
  }
  const [key, ...rest] = path;
  const steps = rest.map((step) => {
    if (typeof step === "number") {
      return `[${step}]`;
    }
    return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return `tagalong:${key ?? ""}${steps.join("")}`;
}

/** The command that encrypts the value at `path` in the file of `stack`. */
export function encryptCommand(path: ConfigPath, stack: string): string {
  const text = pathText(path);
  const word = /^[\w.:-]+$/.test(text) ? text : `'${text}'`;
  return `pulumi config set --stack ${stack} --secret --path ${word}`;
}

/** A value as a message shows it: short, on one line, and never the inside of a map or list. */
export function show(value: unknown): string {
  if (value === null) {
    return "an empty value";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  if (typeof value === "object") {
    return "a map";
  }
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

/** What an unknown name is told: the nearest known one, or all of them where none is near. */
export function suggest(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) {
    return `did you mean ${near}?`;
  }
  return known.length === 0 ? "none is known here" : `known here: ${known.join(", ")}`;
}

/** The known name that `name` was most likely meant to be, if any is near enough. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const ranked = known
    .map((candidate) => ({ candidate, cost: editCost(wanted, candidate.toLowerCase()) }))
    .sort((a, b) => a.cost - b.cost);
  const best = ranked[0];
  if (best !== undefined && best.cost <= Math.max(1, Math.floor(wanted.length / 3))) {
    return best.candidate;
  }
  return known.find((candidate) => {
    const lower = candidate.toLowerCase();
    return wanted.length >= 3 && (wanted.startsWith(lower) || lower.startsWith(wanted));
  });
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`. */
function editCost(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(a.length, b.length);
}
