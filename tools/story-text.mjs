// What `npm start` says: lines as things happen, and the table at the end.

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** @typedef {keyof typeof styles} Style */
/** @typedef {(style: Style, text: string) => string} Paint */

/**
 * @typedef {object} Row one service in one push
 * @property {string} service
 * @property {Version} from
 * @property {Version} to
 * @property {number | undefined} pushedToServingMs undefined where it was refused
 * @property {number} requests
 * @property {number} failed
 */

/** @typedef {{ version: string, digest: string }} Version */

/**
 * @typedef {object} Teller
 * @property {(text: string, style?: Style) => void} happened a line with the time since the start
 * @property {(text: string) => void} more a line that belongs to the one before
 * @property {(text?: string) => void} plain
 * @property {Paint} paint
 */

/**
 * @param {Pick<NodeJS.WriteStream, "write" | "isTTY">} stream
 * @param {NodeJS.ProcessEnv} [env]
 * @param {() => number} [clock] milliseconds
 * @returns {Teller}
 */
export function teller(stream, env = process.env, clock = () => performance.now()) {
  const started = clock();
  const colours = Boolean(stream.isTTY) && !env.NO_COLOR && env.TERM !== "dumb";
  /** @type {Paint} */
  const paint = (style, text) => (colours ? `\u001b[${styles[style]}m${text}\u001b[0m` : text);
  const indent = " ".repeat(10);
  /** @param {string} line */
  const write = (line) => stream.write(`${line}\n`);
  return {
    paint,
    plain: (text = "") => write(text),
    more: (text) => write(`${indent}${text.replaceAll("\n", `\n${indent}`)}`),
    happened(text, style) {
      const time = seconds(clock() - started).padStart(8);
      write(`${paint("dim", time)}  ${style ? paint(style, text) : text}`);
    },
  };
}

/** @param {number} ms */
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** @param {string} digest */
export const shortDigest = (digest) => digest.replace(/^sha256:/, "").slice(0, 12);

/** @param {Version} version */
const written = ({ version, digest }) => `${version} ${shortDigest(digest)}`;

/**
 * @param {readonly Row[]} rows
 * @param {Paint} [paint]
 * @returns {string}
 */
export function table(rows, paint = (_style, text) => text) {
  const head = ["service", "from", "to", "push → serving", "requests", "failed"];
  const cells = rows.map((row) => [
    row.service,
    written(row.from),
    written(row.to),
    row.pushedToServingMs === undefined ? "refused" : seconds(row.pushedToServingMs),
    String(row.requests),
    String(row.failed),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((cell) => cell[column]?.length ?? 0)),
  );
  const isNumber = (/** @type {number} */ column) => column >= 3;
  const line = (/** @type {string[]} */ cell) =>
    cell
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return isNumber(column) ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [
    paint("bold", line(head)),
    ...rows.map((row, index) => {
      const text = line(cells[index] ?? []);
      if (row.failed > 0) return paint("red", text);
      return row.pushedToServingMs === undefined ? paint("yellow", text) : text;
    }),
  ].join("\n");
}

/**
 * What a program said was wrong: its last "error:" with the lines that belong to it, else its last line.
 * @param {string} output
 */
export function lastError(output) {
  const lines = output.split("\n").map((line) => line.trimEnd());
  // The engine ends its list of errors with one that says nothing.
  const at = lines.findLastIndex((line) => /^\s*error: (?!update failed$)./.test(line));
  if (at < 0) return lines.findLast((line) => line !== "")?.trim() ?? "it said nothing";
  const first = lines[at] ?? "";
  const indent = first.search(/\S/);
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => line.search(/\S/) <= indent);
  const block = [first.replace(/^\s*error: /, ""), ...rest.slice(0, end < 0 ? undefined : end)];
  // What docker-build.sh shows of a docker command that failed.
  const quoted = lines.slice(Math.max(0, at - 3), at).filter((line) => line.startsWith("  | "));
  return [...quoted, ...block].map((line) => line.trim()).join("\n");
}
