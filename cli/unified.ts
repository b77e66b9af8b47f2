// The difference between two texts as `diff -u` shows it, for an edit in one place.

const context = 3;

interface Line {
  text: string;
  /** Whether a line break follows it. */
  ended: boolean;
}

/** @returns "" where the texts are the same */
export function unifiedDiff(name: string, before: string, after: string): string {
  if (before === after) return "";
  const [was, is] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < Math.min(was.length, is.length) && same(was[head], is[head])) head++;
  let tail = 0;
  while (
    tail < Math.min(was.length, is.length) - head &&
    same(was[was.length - 1 - tail], is[is.length - 1 - tail])
  )
    tail++;
  const start = Math.max(0, head - context);
  const rest = Math.max(0, tail - context);
  const hunk = [
    ...marked(" ", was.slice(start, head)),
    ...marked("-", was.slice(head, was.length - tail)),
    ...marked("+", is.slice(head, is.length - tail)),
    ...marked(" ", was.slice(was.length - tail, was.length - rest)),
  ];
  const range = (lines: Line[]) => {
    const count = lines.length - rest - start;
    return `${count === 0 ? start : start + 1}${count === 1 ? "" : `,${count}`}`;
  };
  return [`--- a/${name}`, `+++ b/${name}`, `@@ -${range(was)} +${range(is)} @@`, ...hunk, ""].join("\n");
}

function linesOf(text: string): Line[] {
  const parts = text.split("\n");
  const last = parts.pop() ?? "";
  return [
    ...parts.map((part) => ({ text: part, ended: true })),
    ...(last === "" ? [] : [{ text: last, ended: false }]),
  ];
}

const same = (a: Line | undefined, b: Line | undefined): boolean =>
  a?.text === b?.text && a?.ended === b?.ended;

const marked = (mark: string, lines: Line[]): string[] =>
  lines.flatMap(({ text, ended }) => [mark + text, ...(ended ? [] : ["\\ No newline at end of file"])]);
