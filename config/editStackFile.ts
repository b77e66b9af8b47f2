/**
 * One key of a stack's file, read, set and removed as text: every byte that is not the key's own stays as it is. What
 * would change anything else, or cannot be done for sure, is refused with the line where a person can do it.
 */
import { type Document, isAlias, isMap, isScalar, type Pair, parseDocument, visit, type YAMLMap } from "yaml";
import { differOnlyIn, plainOrQuoted } from "./yamlText";

/** A stack's file that is no YAML, or that cannot be edited without changing what somebody else wrote. */
export class StackFileError extends Error {
  override readonly name = "StackFileError";
}

/** What replaces the text between two offsets. */
interface Splice {
  start: number;
  end: number;
  text: string;
}

const KEY = "tagalong:release";

/**
 * The release that a stack's file names, as it is written there; undefined where it names none.
 * @param file its name, for the error
 * @throws StackFileError where the text is no YAML or the release is no text
 */
export function releaseIn(text: string, file: string): string | undefined {
  const value = new StackFile(text, file).release?.value;
  if (value === undefined || value === null || (isScalar(value) && value.value === null)) return undefined;
  if (isScalar(value)) return typeof value.value === "string" ? value.value : value.source;
  throw new StackFileError(`${file}: ${KEY} is no text: write one release, such as 1.4.2, there`);
}

/** @throws StackFileError with the line, where the text is no YAML */
export function checkReadable(text: string, file: string): void {
  new StackFile(text, file);
}

/**
 * The text with another release, or without one.
 * @param release undefined takes the key out
 * @throws StackFileError where that cannot be done for sure; nothing is lost then
 */
export function withRelease(text: string, release: string | undefined, file: string): string {
  const before = new StackFile(text, file);
  const { start, end, text: written } = release === undefined ? before.removal() : before.setting(release);
  const edited = text.slice(0, start) + written + text.slice(end);
  if (!differOnlyIn(KEY, text, edited, release))
    throw before.refusal("it cannot be edited without changing more");
  return edited;
}

class StackFile {
  readonly #document: Document.Parsed;

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {
    this.#document = parseDocument(text, { keepSourceTokens: true });
    const [error] = this.#document.errors;
    if (error) {
      const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
      const [problem] = error.message.split(/ at line \d+|:?\n/);
      throw new StackFileError(
        `${file}:${line}:${col}: ${problem}; put that right first, nothing was written`,
      );
    }
    const root = this.#document.contents;
    if (root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
      throw new StackFileError(`${file}: is no map; it must have config: at its top, nothing was written`);
    }
  }

  get release(): Pair | undefined {
    const config = this.#config?.value;
    return isMap(config) ? pairOf(config, KEY) : undefined;
  }

  get #config(): Pair | undefined {
    const root = this.#document.contents;
    return isMap(root) ? pairOf(root, "config") : undefined;
  }

  refusal(problem: string, at?: number): StackFileError {
    const line = at === undefined ? "" : `:${this.text.slice(0, at).split("\n").length}`;
    return new StackFileError(
      `${this.file}${line}: ${problem}: write ${KEY} there by hand, nothing was written`,
    );
  }

  setting(release: string): Splice {
    const pair = this.release;
    return pair ? this.#replaced(pair, release) : this.#added(release);
  }

  /** The key has a value, which is replaced where it stands, in its own quotes. */
  #replaced(pair: Pair, release: string): Splice {
    const { value } = pair;
    if (value === null) return this.#insert(rangeOf(pair.key)[1], `: ${plainOrQuoted(release)}`);
    if (isAlias(value)) {
      throw this.refusal(`${KEY} is what &${value.source} says elsewhere in the file`, value.range?.[0]);
    }
    const [start, end] = rangeOf(value);
    if (!isScalar(value)) throw this.refusal(`${KEY} is no text`, start);
    if (value.anchor !== undefined && this.#isShared(value.anchor)) {
      throw this.refusal(`*${value.anchor} elsewhere in the file means this release as well`, start);
    }
    if (value.type?.startsWith("BLOCK")) throw this.refusal(`${KEY} is written over several lines`, start);
    const written = plainOrQuoted(release, value.type);
    if (start !== end) return { start, end, text: written };
    const space = {
      before: this.text[start - 1] === " " ? "" : " ",
      after: this.text[start] === "#" ? " " : "",
    };
    return this.#insert(start, `${space.before}${written}${space.after}`);
  }

  /** The key is new: the first of `config`, which is made where there is none. */
  #added(release: string): Splice {
    const pair = this.#config;
    if (!pair) return this.#addedWithConfig(release);
    const { key, value } = pair;
    if (isMap(value)) return this.#addedTo(value, rangeOf(key)[1], release);
    if (isAlias(value))
      throw this.refusal(`config is what &${value.source} says elsewhere`, value.range?.[0]);
    if (value !== null && !(isScalar(value) && value.value === null)) throw this.refusal("config is no map");
    const root = this.#document.contents as YAMLMap.Parsed;
    const [start, end] = rangeOf(value ?? key);
    // An explicit null, and whatever stands between braces, is given a map that stands between braces as well.
    if (start !== end || root.flow) {
      const entry = `{${flowEntry(KEY, release, isJson(root))}}`;
      if (value === null) return this.#insert(end, `: ${entry}`);
      return { start, end, text: this.text[start - 1] === ":" ? ` ${entry}` : entry };
    }
    const indent = " ".repeat(this.#column(rangeOf(key)[0]) + 2);
    return this.#insert(this.#lineEnd(start), `${this.#newline}${indent}${KEY}: ${plainOrQuoted(release)}`);
  }

  /** @param opened where the key of `config` ends */
  #addedTo(config: YAMLMap, opened: number, release: string): Splice {
    const [start] = rangeOf(config);
    const [first] = config.items;
    const at = first ? this.#startOf(first) : start + 1;
    const indent = `${this.#newline}${" ".repeat(this.#column(at))}`;
    if (!config.flow)
      return this.#insert(this.#lineEnd(opened), `${indent}${KEY}: ${plainOrQuoted(release)}`);
    const entry = flowEntry(KEY, release, isJson(config));
    if (!first) return this.#insert(at, entry);
    return this.#insert(at, `${entry},${this.text.slice(start, at).includes("\n") ? indent : " "}`);
  }

  #addedWithConfig(release: string): Splice {
    const root = this.#document.contents;
    const [first] = isMap(root) ? root.items : [];
    if (isMap(root) && root.flow) {
      const config = `{${flowEntry(KEY, release, isJson(root))}}`;
      const entry = `${isJson(root) ? '"config"' : "config"}: ${config}`;
      return this.#insert(rangeOf(root)[0] + 1, first ? `${entry}, ` : entry);
    }
    const indent = " ".repeat(first ? this.#column(this.#startOf(first)) : 0);
    const end = /^\.\.\.[ \t]*(?:#.*)?\r?$/m.exec(this.text)?.index ?? this.text.length;
    const lead = end > 0 && this.text[end - 1] !== "\n" ? this.#newline : "";
    const lines = [`${indent}config:`, `${indent}  ${KEY}: ${plainOrQuoted(release)}`, ""];
    return this.#insert(end, `${lead}${lines.join(this.#newline)}`);
  }

  removal(): Splice {
    const pair = this.release;
    if (!pair) return this.#insert(0, "");
    const config = this.#config?.value as YAMLMap;
    const [start, end] = [this.#startOf(pair), rangeOf(pair.value ?? pair.key)[1]];
    if (config.flow) {
      const index = config.items.indexOf(pair);
      const [previous, next] = [config.items[index - 1], config.items[index + 1]];
      if (next) return { start, end: this.#startOf(next), text: "" };
      return { start: previous ? rangeOf(previous.value ?? previous.key)[1] : start, end, text: "" };
    }
    const lineStart = this.text.lastIndexOf("\n", start - 1) + 1;
    if (this.text.slice(lineStart, start).trim() !== "")
      throw this.refusal(`${KEY} begins in an odd place`, start);
    const lineEnd = this.#lineEnd(Math.max(start, this.text[end - 1] === "\n" ? end - 1 : end));
    const next = this.text.indexOf("\n", lineEnd);
    return { start: lineStart, end: next < 0 ? this.text.length : next + 1, text: "" };
  }

  get #newline(): string {
    return /\r?\n/.exec(this.text)?.[0] ?? "\n";
  }

  #insert(at: number, text: string): Splice {
    return { start: at, end: at, text };
  }

  /** Where the line that holds an offset ends, its line break left out. */
  #lineEnd(at: number): number {
    const found = this.text.slice(at).search(/\r?\n/);
    return found < 0 ? this.text.length : at + found;
  }

  #column(at: number): number {
    const line = this.text.slice(this.text.lastIndexOf("\n", at - 1) + 1, at);
    return line.startsWith("\ufeff") ? line.length - 1 : line.length;
  }

  /** Where a pair starts, with what stands before its key: `?`, an anchor or a tag. */
  #startOf(pair: Pair): number {
    const { start } =
      (pair as Pair & { srcToken?: { start: { type: string; offset: number }[] } }).srcToken ?? {};
    const own = start?.find(({ type }) => ["explicit-key-ind", "anchor", "tag"].includes(type));
    return own?.offset ?? rangeOf(pair.key)[0];
  }

  #isShared(anchor: string): boolean {
    let shared = false;
    visit(this.#document, {
      Alias: (_, { source }) => {
        shared ||= source === anchor;
      },
    });
    return shared;
  }
}

/** Whether a map between braces is written as JSON writes it. */
function isJson({ items: [first] }: YAMLMap): boolean {
  return isScalar(first?.key) && first.key.type === "QUOTE_DOUBLE";
}

function flowEntry(key: string, value: string, json: boolean): string {
  return json ? `${JSON.stringify(key)}: ${JSON.stringify(value)}` : `${key}: ${plainOrQuoted(value)}`;
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

function rangeOf(node: unknown): [start: number, end: number] {
  const { range } = node as { range?: [number, number, number] | null };
  if (!range) throw new Error("a parsed node has no range");
  return [range[0], range[1]];
}
