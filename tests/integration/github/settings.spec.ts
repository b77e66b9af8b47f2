// Whether the GitHub of our tests behaves as GitHub documents it where a repository is set up.
import assert from "node:assert/strict";
import { GitHubEmulator } from "../../github/emulator";
import type { Token } from "../../github/world";

describe("A repository's settings on GitHub without GitHub", () => {
  let emulator: GitHubEmulator;
  let token: string;
  beforeEach(async () => {
    emulator = await GitHubEmulator.start({ owner: "acme", name: "shop" });
    token = emulator.token({}, { scopes: ["repo"] });
  });
  afterEach(() => emulator.close());

  async function ask(method: string, path: string, body?: object, as = token) {
    const response = await fetch(`${emulator.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${as}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  }
  const shop = "/repos/acme/shop";
  const ruleset = { name: "One", target: "branch", enforcement: "active", rules: [] };

  it("names a classic token's scopes, and hides what they do not permit", async () => {
    assert.equal((await ask("GET", shop)).headers.get("x-oauth-scopes"), "repo");
    const less = emulator.token({}, { scopes: ["read:packages"] });
    assert.equal((await ask("PUT", `${shop}/vulnerability-alerts`, undefined, less)).status, 404);
  });

  it("names the permission that a fine-grained token lacks", async () => {
    const permissions: Token["permissions"] = { administration: "read" };
    const found = await ask("PUT", `${shop}/vulnerability-alerts`, undefined, emulator.token(permissions));
    assert.deepEqual(
      [found.status, found.headers.get("x-accepted-github-permissions")],
      [403, "administration=write"],
    );
  });

  it("has each ruleset's name once, and keeps what a change leaves out", async () => {
    const made = await ask("POST", `${shop}/rulesets`, {
      ...ruleset,
      bypass_actors: [{ actor_id: 5, actor_type: "RepositoryRole", bypass_mode: "always" }],
    });
    assert.equal((await ask("POST", `${shop}/rulesets`, ruleset)).status, 422);
    const { body } = await ask("PUT", `${shop}/rulesets/${made.body["id"]}`, { enforcement: "disabled" });
    assert.equal((body["bypass_actors"] as unknown[]).length, 1);
  });

  it("has no rulesets in a private repository of the free plan", async () => {
    emulator.owners.plan = "free";
    assert.match(String((await ask("GET", `${shop}/rulesets`)).body["message"]), /^Upgrade to GitHub/);
    await ask("PATCH", shop, { visibility: "public" });
    assert.equal((await ask("GET", `${shop}/rulesets`)).status, 200);
  });

  it("takes no change of an archived repository", async () => {
    emulator.repositories.set("acme/shop", { archived: true });
    assert.equal((await ask("PATCH", shop, { description: "x" })).status, 403);
  });

  it("has patterns of branches only where an environment wants them, and each once", async () => {
    await ask("PUT", `${shop}/environments/dev`, {});
    const add = () => ask("POST", `${shop}/environments/dev/deployment-branch-policies`, { name: "main" });
    assert.equal((await add()).status, 404);
    const custom = { protected_branches: false, custom_branch_policies: true };
    await ask("PUT", `${shop}/environments/dev`, { deployment_branch_policy: custom });
    assert.deepEqual([(await add()).status, (await add()).status], [200, 303]);
  });

  it("takes away from an environment what a change leaves out", async () => {
    await ask("PUT", `${shop}/environments/dev`, { wait_timer: 5, reviewers: [{ type: "User", id: 3 }] });
    const { body } = await ask("PUT", `${shop}/environments/dev`, {});
    assert.deepEqual(body["protection_rules"], []);
  });

  it("shows no secret, of an environment or of a webhook", async () => {
    await ask("PUT", `${shop}/environments/dev`, {});
    const { body: key } = await ask("GET", `${shop}/environments/dev/secrets/public-key`);
    const sealed = Buffer.alloc(60, 1).toString("base64");
    const secret = `${shop}/environments/dev/secrets/KEY`;
    const put = () => ask("PUT", secret, { encrypted_value: sealed, key_id: key["key_id"] });
    assert.deepEqual([(await put()).status, (await put()).status], [201, 204]);
    assert.deepEqual(Object.keys((await ask("GET", secret)).body), ["name", "created_at", "updated_at"]);
    const hook = { config: { url: "https://a.example", secret: "x" }, events: ["package"] };
    const { body } = await ask("POST", `${shop}/hooks`, hook);
    assert.equal((body["config"] as { secret: string }).secret, "********");
    assert.equal((await ask("POST", `${shop}/hooks`, hook)).status, 422);
  });

  it("answers to a repository's number, as some still ask", async () => {
    await ask("PUT", `${shop}/environments/dev`, {});
    assert.equal((await ask("GET", "/repositories/1/environments/dev/secrets")).status, 200);
  });

  it("has selected actions only where they are selected", async () => {
    const path = `${shop}/actions/permissions`;
    const selected = { github_owned_allowed: true };
    const before = await ask("GET", `${path}`);
    assert.equal(before.body["allowed_actions"], "all");
    await ask("PUT", path, { enabled: true, allowed_actions: "selected" });
    assert.equal((await ask("PUT", `${path}/selected-actions`, selected)).status, 204);
    assert.equal((await ask("GET", `${path}/selected-actions`)).body["github_owned_allowed"], true);
  });
});
