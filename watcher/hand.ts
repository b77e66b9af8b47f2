// Who rolls, and by which state of the project's files, as receipts and verdicts name them.
import { execFile } from "node:child_process";
import { hostname, userInfo } from "node:os";
import { promisify } from "node:util";

/** User and host, as in `ada@build-7`. */
export function whoAmI(): string {
  let user = process.env["USER"] ?? "";
  try {
    user = userInfo().username;
  } catch {
    // In a container the user may have a number and no name.
  }
  return `${user === "" ? process.getuid?.() : user}@${hostname()}`;
}

/** The commit of a folder that is in Git and has no changes of its own; undefined elsewhere. */
export async function commitOf(folder: string): Promise<string | undefined> {
  const git = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)("git", ["-C", folder, ...args], { encoding: "utf8" });
    return stdout.trim();
  };
  try {
    const [commit, changes] = await Promise.all([
      git("rev-parse", "HEAD"),
      git("status", "--porcelain", "--", "."),
    ]);
    return changes === "" ? commit : undefined;
  } catch {
    return undefined; // no Git here, or nothing of it
  }
}
