// Texts that others wrote, or programs did: what of them is kept, and shown. Anybody who may write packages can write
// a record, and what a container said last may be anything.

const reasonLines = 3;
const longestReason = 500;

/** Sequences that a terminal obeys: CSI, OSC and the like, whole. */
const sequences =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[ -/]*[0-~])/g;
/** Other control characters, and those that turn the direction of a line or do not show. */
const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]+/gu;
/** What reads like a password: in a URL, or after a name that says so. */
const passwords = [
  /(?<=:\/\/[^\s/@:]*:)[^\s/@]+(?=@)/g,
  /(?<=\b[\w-]*(?:passw(?:or)?d|secret|token|api-?key)["']?\s*[=:]\s*["']?)[^\s"',;&]+/gi,
];

/** One line, no longer than that, without anything that a terminal would obey. */
export function plainLine(text: string, longest: number): string {
  const line = text.replace(sequences, "").replace(controls, " ").replace(/ {2,}/g, " ").trim();
  const letters = [...line];
  return letters.length > longest ? `${letters.slice(0, longest - 1).join("")}…` : line;
}

/**
 * Why something happened, as it is kept: the first lines, cut; without the lines of a container's log (which the gate
 * marks by `|`), and without what reads like a password.
 */
export function plainReason(text: string): string {
  const lines = text
    .slice(0, 20 * longestReason)
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("|") && line !== "its last lines:");
  const first = plainLine(lines.slice(0, reasonLines).join("; "), 4 * longestReason);
  return plainLine(
    passwords.reduce((kept, password) => kept.replace(password, "…"), first),
    longestReason,
  );
}
