// Whether the GitHub of our tests behaves as GitHub does where files are committed and pull requests opened.
import assert from "node:assert/strict";
import { GitHubEmulator } from "../../github/emulator";
import type { Token } from "../../github/world";

const shop = "/repos/acme/shop";
const all: Token["permissions"] = { contents: "write", workflows: "write", pull_requests: "write" };

describe("Git on GitHub without GitHub", () => {
  let emulator: GitHubEmulator;
  beforeEach(async () => {
    emulator = await GitHubEmulator.start({ owner: "acme", name: "shop" });
  });
  afterEach(() => emulator.close());

  async function ask(method: string, path: string, body?: object, token = emulator.token(all)) {
    const response = await fetch(`${emulator.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  const tree = (path: string) => ({ tree: [{ path, mode: "100644", type: "blob", content: "x\n" }] });
  const workflow = tree(".github/workflows/a.yml");
  const propose = (head: string) => ask("POST", `${shop}/pulls`, { title: "One", head, base: "main" });
  const rules = () =>
    emulator.rulesets.add("acme/shop", {
      ...{ name: "Rules", target: "branch", enforcement: "active", rules: [{ type: "pull_request" }] },
      conditions: { ref_name: { include: ["~DEFAULT_BRANCH"], exclude: [] } },
    });

  it("makes no tree with a workflow in it for a token that may not write any", async () => {
    const may = { contents: "write" } as const;
    const path = `${shop}/git/trees`;
    assert.equal((await ask("POST", path, workflow, emulator.token(may))).status, 403);
    assert.equal((await ask("POST", path, tree("a.txt"), emulator.token(may))).status, 201);
    const classic = (...scopes: string[]) => emulator.token({}, { scopes });
    assert.equal((await ask("POST", path, workflow, classic("repo"))).status, 404);
    assert.equal((await ask("POST", path, workflow, classic("repo", "workflow"))).status, 201);
  });

  it("refuses everything of Git in a repository without a commit", async () => {
    await emulator.world.ask("POST", "/orgs/acme/repos", { name: "empty", private: true });
    const token = emulator.token(all, { repositories: "all" });
    for (const [method, path, body] of [
      ["GET", "ref/heads%2Fmain", undefined],
      ["POST", "trees", workflow],
    ] as const) {
      const found = await ask(method, `/repos/acme/empty/git/${path}`, body, token);
      assert.deepEqual([found.status, found.body["message"]], [409, "Git Repository is empty."]);
    }
  });

  it("shows the rules of a branch, and keeps pushes from it", async () => {
    rules();
    const { body } = await ask("GET", `${shop}/rules/branches/main`);
    assert.deepEqual(
      (body as unknown as { type: string }[]).map(({ type }) => type),
      ["pull_request"],
    );
    assert.deepEqual((await ask("GET", `${shop}/rules/branches/other`)).body, []);
    const sha = (await emulator.git.tip("acme/shop")) ?? "";
    const moved = await ask("PATCH", `${shop}/git/refs/heads%2Fmain`, { sha });
    assert.equal(moved.status, 422);
    assert.match(String(moved.body["message"]), /Changes must be made through a pull request/);
    assert.equal((await ask("POST", `${shop}/git/refs`, { ref: "refs/heads/other", sha })).status, 201);
  });

  it("has one open pull request of a branch, and none without a commit", async () => {
    const sha = (await emulator.git.tip("acme/shop")) ?? "";
    await emulator.git.lead("acme/shop", "other", sha);
    assert.equal((await propose("other")).status, 422);
    await emulator.git.push("acme/shop", { "a.txt": "a\n" }, { branch: "other" });
    assert.deepEqual([(await propose("other")).status, (await propose("other")).status], [201, 422]);
    await emulator.pulls.merge(1);
    assert.equal(await emulator.git.text("acme/shop", "a.txt"), "a\n");
    assert.equal(await emulator.git.tip("acme/shop", "other"), undefined);
    assert.deepEqual((await ask("GET", `${shop}/pulls?head=acme:other`)).body, []);
  });
});
