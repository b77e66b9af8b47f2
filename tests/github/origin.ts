// Commits of a Git repository on this machine, as a push brings them to GitHub: under their own names, with all that is in
// them.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Answer } from "./world";

const execute = promisify(execFile);

/** Of a commit, what GitHub wants to know of it, a line each; the message is what is left. */
const format = ["%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%n");

export class Origin {
  #bringing: Promise<void> = Promise.resolve();
  readonly #blobs = new Set<string>();
  #head = "";

  /**
   * @param folder of the Git repository; it may come later, or be empty yet
   * @param ask npm's `emulate`, as its administrator, below the repository on GitHub
   */
  constructor(
    private readonly folder: string,
    private readonly branch: string,
    private readonly ask: (method: string, path: string, body: unknown) => Promise<Answer>,
  ) {}

  /** Brings what GitHub has not yet; whoever asks at the same time waits for it too. */
  bring(): Promise<void> {
    this.#bringing = this.#bringing.then(() => this.#bring());
    return this.#bringing;
  }

  async #bring(): Promise<void> {
    const head = (await this.#git("rev-parse", "--verify", "--quiet", "HEAD").catch(() => "")).trim();
    if (head === "" || head === this.#head) return;
    const range = this.#head === "" ? [head] : [head, `^${this.#head}`];
    const commits = await this.#git("rev-list", "--reverse", "--topo-order", ...range);
    for (const commit of commits.trim().split("\n")) await this.#commit(commit);
    const ref = `refs/heads/${this.branch}`;
    // A branch that moved on there, by a merge, keeps what it has.
    if (this.#head === "") await this.#made("refs", { ref, sha: head });
    else await this.ask("PATCH", `/git/${ref}`, { sha: head });
    this.#head = head;
  }

  async #commit(commit: string): Promise<void> {
    const listed = await this.#git("ls-tree", "-r", "-z", "--full-tree", commit);
    const entries = listed.split("\0").flatMap((line) => {
      const [, mode, type, sha = "", path] = /^(\d+) (\w+) (\w+)\t(.*)$/s.exec(line) ?? [];
      return path === undefined ? [] : [{ mode, type, sha, path }];
    });
    for (const { sha } of entries) await this.#blob(sha);
    await this.#made("trees", { tree: entries });
    const [tree, parents = "", an, ae, ad, cn, ce, cd, ...message] = (
      await this.#git("show", "--no-patch", `--format=${format}`, commit)
    ).split("\n");
    const made = await this.#made("commits", {
      tree,
      parents: parents.split(" ").filter(Boolean),
      author: { name: an, email: ae, date: ad },
      committer: { name: cn, email: ce, date: cd },
      message: message.join("\n").trimEnd(),
    });
    if (made !== commit) throw new Error(`commit ${commit} became ${made}`);
  }

  async #blob(sha: string): Promise<void> {
    if (this.#blobs.has(sha)) return;
    const most = 64 * 1024 * 1024;
    const { stdout } = await execute("git", ["-C", this.folder, "cat-file", "blob", sha], {
      encoding: "buffer",
      maxBuffer: most,
    });
    await this.#made("blobs", { content: stdout.toString("base64"), encoding: "base64" });
    this.#blobs.add(sha);
  }

  async #made(path: string, body: unknown): Promise<string> {
    const { status, body: answer } = await this.ask("POST", `/git/${path}`, body);
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
    return (answer as { sha: string }).sha;
  }

  async #git(...args: string[]): Promise<string> {
    return (await execute("git", ["-C", this.folder, ...args])).stdout;
  }
}
