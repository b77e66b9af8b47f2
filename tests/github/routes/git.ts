// Git's objects and branches, as `emulate` keeps them, with what GitHub refuses: a token without the permission for
// workflows, a repository without a commit, and branches that take no pushes.
import { type Answer, type Call, notFound, type Route, refusal, type World } from "../world";
import type { Rulesets } from "./rulesets";

const base = "/repos/{owner}/{repo}/git";

interface Entry {
  path: string;
  mode: string;
  type: string;
  sha: string;
}

export class Git {
  /** `owner/name branch` of branches that are protected otherwise than by rules. */
  readonly protected = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly rulesets: Rulesets,
  ) {}

  readonly routes: Route[] = [
    {
      method: "GET",
      path: `${base}/ref/{ref}`,
      needs: ["contents", "read"],
      handle: async ({ repository, parameters }) =>
        (await this.#hasCommit(repository))
          ? this.world.ask("GET", `/repos/${repository}/git/ref/${parameters["ref"]}`)
          : refusal(409, "Git Repository is empty."),
    },
    {
      method: "POST",
      path: `${base}/trees`,
      needs: ["contents", "write"],
      handle: (call) => this.#tree(call),
    },
    {
      method: "POST",
      path: `${base}/commits`,
      needs: ["contents", "write"],
      handle: ({ repository, body }) => this.world.ask("POST", `/repos/${repository}/git/commits`, body),
    },
    {
      method: "POST",
      path: `${base}/refs`,
      needs: ["contents", "write"],
      handle: (call) => this.#move(call, String(call.body["ref"]), "POST", "refs"),
    },
    {
      method: "PATCH",
      path: `${base}/refs/{ref}`,
      needs: ["contents", "write"],
      handle: (call) =>
        this.#move(call, `refs/${call.parameters["ref"]}`, "PATCH", `refs/${call.parameters["ref"]}`),
    },
  ];

  /** A commit that somebody pushes, past all rules: texts by path; null removes one. */
  async push(
    repository: string,
    files: Record<string, string | null | { text: string; mode: string }>,
    { branch = "main", message = "By hand" } = {},
  ): Promise<string> {
    const tip = await this.tip(repository, branch);
    const made = async (what: string, body: unknown): Promise<{ sha: string }> => {
      const { status, body: answer } = await this.world.ask("POST", `/repos/${repository}/git/${what}`, body);
      if (status !== 201) throw new Error(`${what}: ${status} ${JSON.stringify(answer)}`);
      return answer as { sha: string };
    };
    const tree = await made("trees", {
      ...(tip && { base_tree: (await this.#commit(repository, tip)).tree.sha }),
      tree: Object.entries(files).map(([path, file]) => {
        const { text: content, mode } =
          typeof file === "object" && file !== null ? file : { text: file, mode: "100644" };
        return { path, mode, type: "blob", ...(content === null ? { sha: null } : { content }) };
      }),
    });
    const { sha } = await made("commits", { message, tree: tree.sha, parents: tip ? [tip] : [] });
    await this.lead(repository, branch, sha);
    return sha;
  }

  /** Makes a branch lead to a commit. */
  async lead(repository: string, branch: string, sha: string): Promise<void> {
    const [method, path, body] = (await this.tip(repository, branch))
      ? ["PATCH", `refs/heads/${branch}`, { sha, force: true }]
      : ["POST", "refs", { ref: `refs/heads/${branch}`, sha }];
    await this.world.ask(method as string, `/repos/${repository}/git/${path}`, body);
  }

  async tip(repository: string, branch = "main"): Promise<string | undefined> {
    const { status, body } = await this.world.ask("GET", `/repos/${repository}/git/ref/heads/${branch}`);
    return status === 200 ? (body as { object: { sha: string } }).object.sha : undefined;
  }

  /** Files of a branch: what `git ls-files` would list. */
  async files(repository: string, branch = "main"): Promise<string[]> {
    return (await this.#entries(repository, branch)).map(({ path }) => path);
  }

  /** The text of a file; undefined where there is none. */
  async text(repository: string, path: string, branch = "main"): Promise<string | undefined> {
    const entry = (await this.#entries(repository, branch)).find((one) => one.path === path);
    if (entry === undefined) return undefined;
    const { body } = await this.world.ask("GET", `/repos/${repository}/git/blobs/${entry.sha}`);
    return Buffer.from((body as { content: string }).content, "base64").toString();
  }

  async mode(repository: string, path: string, branch = "main"): Promise<string | undefined> {
    return (await this.#entries(repository, branch)).find((one) => one.path === path)?.mode;
  }

  /** First lines of a branch's commits, newest first, along their first parents. */
  async log(repository: string, branch = "main"): Promise<string[]> {
    const lines: string[] = [];
    for (let sha = await this.tip(repository, branch); sha !== undefined; ) {
      const { message, parents } = await this.#commit(repository, sha);
      lines.push(message.split("\n")[0] ?? "");
      sha = parents[0]?.sha;
    }
    return lines;
  }

  async #commit(
    repository: string,
    sha: string,
  ): Promise<{ message: string; tree: { sha: string }; parents: { sha: string }[] }> {
    const { body } = await this.world.ask("GET", `/repos/${repository}/git/commits/${sha}`);
    return body as { message: string; tree: { sha: string }; parents: { sha: string }[] };
  }

  async #entries(repository: string, branch: string): Promise<Entry[]> {
    const tip = await this.tip(repository, branch);
    if (tip === undefined) return [];
    const { body } = await this.world.ask("GET", `/repos/${repository}/git/trees/${tip}?recursive=1`);
    return (body as { tree: Entry[] }).tree.filter(({ type }) => type !== "tree");
  }

  async #hasCommit(repository: string): Promise<boolean> {
    const { body } = await this.world.ask("GET", `/repos/${repository}/branches`);
    return (body as unknown[]).length > 0;
  }

  async #tree(call: Call): Promise<Answer> {
    const { repository, body, permissions } = call;
    if (!(await this.#hasCommit(repository))) return refusal(409, "Git Repository is empty.");
    const entries = body["tree"] as { path: string }[];
    const hasWorkflow = entries.some(({ path }) => path.startsWith(".github/workflows/"));
    if (hasWorkflow && permissions["workflows"] !== "write")
      return call.isClassic ? notFound() : refusal(403, "Resource not accessible by personal access token");
    return this.world.ask("POST", `/repos/${repository}/git/trees`, body);
  }

  async #move(call: Call, ref: string, method: string, path: string): Promise<Answer> {
    const { repository } = call;
    const branch = ref.replace(/^refs\/heads\//, "");
    if (this.protected.has(`${repository} ${branch}`))
      return refusal(422, `Protected branch update failed for ${ref}.`);
    const rules = await this.rulesets.rulesOf(call, branch);
    if (rules.some(({ type, isBypassed }) => type === "pull_request" && !isBypassed))
      return refusal(
        422,
        "Repository rule violations found\n\nChanges must be made through a pull request.\n\n",
      );
    return this.world.ask(method, `/repos/${repository}/git/${path}`, call.body);
  }
}
