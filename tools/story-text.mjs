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
 * @typedef {object} Deployment one roll, as GitHub shows it
 * @property {string} environment
 * @property {string} version of its images
 * @property {string} commit
 * @property {string} description what it is said to be
 * @property {string[]} states oldest first
 */

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
  const [title = "", ...lines] = columns(head, cells, 3);
  return [
    paint("bold", title),
    ...lines.map((text, index) => {
      const row = rows[index];
      if (row?.failed) return paint("red", text);
      return row?.pushedToServingMs === undefined ? paint("yellow", text) : text;
    }),
  ].join("\n");
}

/**
 * @param {readonly Deployment[]} deployments
 * @param {Paint} [paint]
 * @returns {string}
 */
export function deploymentTable(deployments, paint = (_style, text) => text) {
  const head = ["deployment of", "version", "commit", "on GitHub"];
  const cells = deployments.map(({ environment, version, commit, states }) => [
    environment,
    version,
    commit.slice(0, 7),
    states.filter((state, index) => state !== states[index - 1]).join(" → "),
  ]);
  const [title = "", ...lines] = columns(head, cells);
  const styles = /** @type {Record<string, Style>} */ ({ success: "green", failure: "yellow", error: "red" });
  return [
    paint("bold", title),
    ...lines.map((text, index) => {
      const style = styles[deployments[index]?.states.at(-1) ?? ""];
      return style ? paint(style, text) : text;
    }),
  ].join("\n");
}

/**
 * A line for the head and for each row, each column as wide as it must be.
 * @param {readonly string[]} head
 * @param {readonly string[][]} rows
 * @param {number} [numbers] the first of the columns with numbers
 */
function columns(head, rows, numbers = head.length) {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return column >= numbers ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
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
