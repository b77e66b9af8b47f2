// Commits that came after another and have it behind them, as the Git repository of the project's folder knows them: CI
// builds the last commit of a push, and the image has those before it in it.
import { execFileSync } from "node:child_process";

const most = 50;

/** The nearest first; none where Git does not know the commit, or is not there. */
export function descendants(commit: string, directory: string): string[] {
  const range = ["--ancestry-path", "--topo-order", "--reverse", `^${commit}`, "HEAD", "--remotes=origin"];
  try {
    const text = execFileSync("git", ["-C", directory, "rev-list", ...range], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 64 * 2 ** 20,
    });
    return text.split("\n").filter(Boolean).slice(0, most);
  } catch {
    return [];
  }
}
