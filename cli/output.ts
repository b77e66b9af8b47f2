// What a terminal shows: tables that fit it, and colour where somebody looks.

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Style = keyof typeof styles;
export type Paint = (style: Style | undefined, text: string) => string;

/** Where a command writes: a stream, how wide it is, and whether it has colours. */
export interface Output {
  write(text: string): void;
  /** Columns; without an end where it is no terminal. */
  readonly width: number;
  readonly paint: Paint;
}

type Stream = Pick<NodeJS.WriteStream, "isTTY" | "columns"> & { write(text: string): unknown };

export function outputTo(stream: Stream = process.stdout, env: NodeJS.ProcessEnv = process.env): Output {
  const colours = Boolean(stream.isTTY) && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return {
    write: (text) => void stream.write(text),
    width: stream.isTTY ? Math.max(40, stream.columns || 80) : Number.POSITIVE_INFINITY,
    paint: (style, text) => (colours && style && text ? `\u001b[${styles[style]}m${text}\u001b[0m` : text),
  };
}

/** A text, or one with a colour. */
export type Cell = string | { text: string; style?: Style };

const gap = 2;

/**
 * Rows below a head, each column as wide as it must be. The last column's text goes on below itself where the terminal
 * ends, so that nothing is cut off.
 * @param indent columns left empty before each line
 */
export function table(head: readonly string[], rows: readonly Cell[][], output: Output, indent = 0): string {
  const texts = [[...head], ...rows.map((row) => row.map(textOf))];
  const last = head.length - 1;
  const widths = head.map((_, column) => Math.max(...texts.map((row) => widthOf(row[column] ?? ""))));
  const before = indent + widths.slice(0, last).reduce((sum, width) => sum + width + gap, 0);
  const room = Math.max(20, output.width - before);
  const line = (row: readonly Cell[], style?: Style): string => {
    const lead = row
      .slice(0, last)
      .map((cell, column) => {
        const text = textOf(cell);
        return (
          output.paint(styleOf(cell) ?? style, text) + " ".repeat((widths[column] ?? 0) - widthOf(text) + gap)
        );
      })
      .join("");
    const [first = "", ...more] = wrap(textOf(row[last] ?? ""), room);
    const paint = (text: string) => output.paint(styleOf(row[last] ?? "") ?? style, text);
    const lines = [
      `${" ".repeat(indent)}${lead}${paint(first)}`,
      ...more.map((text) => `${" ".repeat(before)}${paint(text)}`),
    ];
    return lines.map((text) => text.trimEnd()).join("\n");
  };
  return `${[line(head, "dim"), ...rows.map((row) => line(row))].join("\n")}\n`;
}

/** Sentences below an indent. The terminal breaks them, so that a command in them can be copied whole. */
export function paragraph(text: string, output: Output, indent = 0, style?: Style): string {
  const lines = text.split("\n").map((line) => " ".repeat(indent) + output.paint(style, plain(line)));
  return `${lines.join("\n")}\n`;
}

/** Lines of at most so many columns, broken between words; a longer word keeps a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Without what would move a terminal's cursor: reasons and labels are written by others. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, " ");

const textOf = (cell: Cell): string => plain(typeof cell === "string" ? cell : cell.text);
const styleOf = (cell: Cell): Style | undefined => (typeof cell === "string" ? undefined : cell.style);
/** Columns; what people write here is mostly one a character. */
const widthOf = (text: string): number => [...text].length;

/** A machine's copy of what a command found. */
export const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
