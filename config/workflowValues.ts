/**
 * The formats of `tagalong:workflows`: why a text does not do, as "what is wrong — how to fix it", or undefined when it
 * does. Decisions only; no input or output.
 */

const quote = (text: string): string => JSON.stringify(text);

/** A path within the repository, with Git's wildcards. It ends up in shells' environments and on Git's command line. */
export function pathProblem(text: string): string | undefined {
  if (text === "") return 'is empty — write "." for the repository\'s root';
  if (text.startsWith("/")) return `${quote(text)} is absolute — write it relative to the repository's root`;
  if (text.split("/").includes("..")) return `${quote(text)} leads out of the repository — leave ".." out`;
  return /^[A-Za-z0-9._@*?+~ [\]-][A-Za-z0-9._@*?+~/ [\]-]*$/.test(text) && !text.startsWith("-")
    ? undefined
    : `${quote(text)} is not a path — use letters, digits and . _ @ + ~ - /, with * or ? for any`;
}

export function platformProblem(text: string): string | undefined {
  if (/^linux\/[a-z0-9]+(?:\/v\d+)?$/.test(text)) return undefined;
  return /^[a-z0-9]+$/.test(text)
    ? `${quote(text)} has no system — write linux/${text}`
    : `${quote(text)} is not a platform — write one such as linux/amd64 or linux/arm/v7`;
}

/** A file that may be overwritten although somebody has changed it. */
export function overwriteProblem(text: string): string | undefined {
  return /^\.github\/(?:[\w.-]+\/)?[\w.-]+$/.test(text)
    ? undefined
    : `${quote(text)} is no file that is written — write its path, for example .github/workflows/release.yml`;
}

/** One line of shell. GitHub would paste an expression's value into it before the shell sees the text. */
export function commandProblem(text: string): string | undefined {
  if (text.trim() === "") return "is empty — write a command, or remove it";
  if (text.includes("${{"))
    return `${quote(text)} has an expression that GitHub pastes into the shell — read a variable of the environment there`;
  return /[\r\n]/.test(text)
    ? "has several lines — write one command a line of the list, or a script in the repository"
    : undefined;
}

/** A branch as Git allows it, without what a pattern of `on.push.branches` would take for a wildcard. */
export function branchProblem(text: string): string | undefined {
  return /^[A-Za-z0-9_][A-Za-z0-9._/-]*$/.test(text) && !/\.\.|\/\/|\/$|\.lock$/.test(text)
    ? undefined
    : `${quote(text)} is not a branch — use letters, digits and . _ - /`;
}

/** GitHub's own runners that run a platform without emulation. */
export const NATIVE_RUNNERS: Readonly<Record<string, string>> = {
  "linux/amd64": "ubuntu-24.04",
  "linux/386": "ubuntu-24.04",
  "linux/arm64": "ubuntu-24.04-arm",
};
