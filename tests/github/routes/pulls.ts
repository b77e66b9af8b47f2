// Pull requests within one repository: opened, changed, and merged by the tests.
import { type Answer, type Call, notFound, paged, type Route, refusal, type World } from "../world";
import type { Git } from "./git";

interface Pull {
  number: number;
  repository: string;
  title: string;
  body: string | null;
  head: string;
  base: string;
  state: "open" | "closed";
}

const base = "/repos/{owner}/{repo}/pulls";
const needs = (access: "read" | "write") => ["pull_requests", access] as const;

export class Pulls {
  /** Oldest first. */
  readonly all: Pull[] = [];

  constructor(
    private readonly world: World,
    private readonly git: Git,
  ) {}

  readonly routes: Route[] = [
    { method: "GET", path: base, needs: needs("read"), handle: (call) => this.#list(call) },
    { method: "POST", path: base, needs: needs("write"), handle: (call) => this.#open(call) },
    {
      method: "PATCH",
      path: `${base}/{pull_number}`,
      needs: needs("write"),
      handle: async (call) => {
        const one = this.#of(call).find(({ number }) => String(number) === call.parameters["pull_number"]);
        if (one === undefined) return notFound();
        Object.assign(one, call.body);
        return { status: 200, body: { ...(await this.#shown(call, one)), ...whole } };
      },
    },
  ];

  /** Squashes it onto its base, and removes its branch. */
  async merge(number: number, { keepsBranch = false } = {}): Promise<void> {
    const one = this.all.find((pull) => pull.number === number);
    if (one?.state !== "open") throw new Error(`#${number} is not open`);
    const { repository, head, base: into } = one;
    const where = `/repos/${repository}`;
    const { body } = await this.world.ask("GET", `${where}/compare/${into}...${head}`);
    const { files } = body as { files: { filename: string; status: string; previous_filename?: string }[] };
    const changes = await Promise.all(
      files.flatMap(({ filename, status, previous_filename: before }) => [
        ...(before === undefined ? [] : [Promise.resolve([before, null] as const)]),
        (async () => {
          if (status === "removed") return [filename, null] as const;
          const text = (await this.git.text(repository, filename, head)) ?? "";
          const mode = (await this.git.mode(repository, filename, head)) ?? "";
          return [filename, { text, mode }] as const;
        })(),
      ]),
    );
    await this.git.push(repository, Object.fromEntries(changes), {
      branch: into,
      message: `${one.title} (#${number})`,
    });
    one.state = "closed";
    if (!keepsBranch) await this.world.ask("DELETE", `${where}/git/refs/heads/${head}`);
  }

  #of({ repository }: Call): Pull[] {
    return this.all.filter((one) => one.repository === repository);
  }

  async #list(call: Call): Promise<Answer> {
    const { query, repository, world } = call;
    const state = query.get("state") ?? "open";
    const owner = repository.split("/")[0];
    const found = this.#of(call).filter(
      (one) =>
        (state === "all" || one.state === state) &&
        [null, one.base].includes(query.get("base")) &&
        [null, `${owner}:${one.head}`].includes(query.get("head")),
    );
    const shown = await Promise.all(found.toReversed().map((one) => this.#shown(call, one)));
    return paged(call, `${world.repositoryUrl(repository)}/pulls`, shown);
  }

  async #open(call: Call): Promise<Answer> {
    const { repository } = call;
    const { title, body = null, head, base: into } = call.body as unknown as Pull;
    const invalid = (message: string) =>
      refusal(422, "Validation Failed", [{ resource: "PullRequest", code: "custom", message }]);
    if (this.#of(call).some((one) => one.state === "open" && one.head === head && one.base === into))
      return invalid(`A pull request already exists for ${repository.split("/")[0]}:${head}.`);
    const { status, body: comparison } = await this.world.ask(
      "GET",
      `/repos/${repository}/compare/${into}...${head}`,
    );
    if (status !== 200)
      return refusal(422, "Validation Failed", [{ resource: "PullRequest", field: "head", code: "invalid" }]);
    if ((comparison as { ahead_by: number }).ahead_by === 0)
      return invalid(`No commits between ${into} and ${head}`);
    const number = this.all.length + 1;
    const one: Pull = { number, repository, title, body, head, base: into, state: "open" };
    this.all.push(one);
    return { status: 201, body: { ...(await this.#shown(call, one)), ...whole } };
  }

  async #shown(
    { world, login }: Call,
    { number, repository, ...one }: Pull,
  ): Promise<Record<string, unknown>> {
    const url = world.repositoryUrl(repository);
    const own = `${url}/pulls/${number}`;
    const page = `${world.url}/${repository}/pull/${number}`;
    const { body } = await world.ask("GET", `/repos/${repository}`);
    const whole = body as { owner: { login: string } };
    const owner = await world.user(whole.owner.login);
    const repo = { ...whole, owner };
    const sides = await Promise.all(
      [one.head, one.base].map(async (ref) => ({
        ...{ label: `${whole.owner.login}:${ref}`, ref, user: owner, repo },
        sha: (await this.git.tip(repository, ref)) ?? "0".repeat(40),
      })),
    );
    const [head, into] = sides;
    const at = "2026-11-21T16:00:00Z";
    return {
      ...{ id: number, node_id: `PR_${number}`, number, url: own, html_url: page },
      ...{ diff_url: `${page}.diff`, patch_url: `${page}.patch`, issue_url: `${url}/issues/${number}` },
      ...{ title: one.title, body: one.body, state: one.state, locked: false, draft: false },
      ...{ user: await world.user(login), labels: [], milestone: null, assignee: null, assignees: [] },
      ...{ requested_reviewers: [], requested_teams: [], author_association: "OWNER", auto_merge: null },
      ...{ created_at: at, updated_at: at, closed_at: one.state === "open" ? null : at, merged_at: null },
      ...{ merge_commit_sha: null, head, base: into },
      commits_url: `${own}/commits`,
      review_comments_url: `${own}/comments`,
      review_comment_url: `${url}/pulls/comments{/number}`,
      comments_url: `${url}/issues/${number}/comments`,
      statuses_url: `${url}/statuses/${head?.sha}`,
      _links: Object.fromEntries(
        ["self", "html", "issue", "comments", "review_comments", "review_comment", "commits", "statuses"].map(
          (name) => [name, { href: own }],
        ),
      ),
    };
  }
}

/** What a single one has besides. */
const whole = {
  ...{ merged: false, mergeable: true, rebaseable: true, mergeable_state: "blocked", merged_by: null },
  ...{ comments: 0, review_comments: 0, maintainer_can_modify: false },
  ...{ commits: 1, additions: 1, deletions: 0, changed_files: 1 },
};
