// The repository's stack, from nothing and over what is there: what it sets, what a preview says of it, that doing it
// again changes nothing, and that nothing of it is ever deleted.
import assert from "node:assert/strict";
import { branchRuleset, tagRuleset } from "../../components/repository/rulesets";
import { parseReference, RegistryClient } from "../../registry";
import { OnGitHub } from "./github";
import { registry } from "./images";

describe("A repository that is not there", function () {
  this.timeout(600_000);

  let on: OnGitHub;
  before(async () => {
    on = await OnGitHub.open({ exists: false }, { environments: ["dev", "test"] });
    on.emulator.owners.team("acme", "platform");
    on.configure({
      bypass: ["team:platform"],
      labels: { bug: { color: "d73a4a", description: "Something is broken" } },
      environments: {
        test: {
          reviewers: ["ada", "team:platform"],
          wait: "10m",
          tags: ["v*"],
          variables: { URL: "https://t.example" },
        },
      },
      webhook: { url: "https://watch.example/hook" },
      packages: { firstPush: true },
    });
    await on.setSecret("environments.test.secrets.KEY", "s3cret-of-test");
    await on.setSecret("webhook.secret", "s3cret-of-hook");
  });
  after(() => on.close());

  it("is made with everything that the config says, and nothing secret is readable anywhere", async () => {
    const run = await on.stack.up();
    const { emulator } = on;
    const { body } = await emulator.world.ask("GET", "/repos/acme/shop");
    assert.equal((body as { visibility: string }).visibility, "private");
    assert.deepEqual(emulator.rulesets.all.map(({ name }) => name).sort(), [branchRuleset, tagRuleset]);
    const rules = (name: string) =>
      emulator.rulesets.all.find((one) => one.name === name)?.["rules"] as {
        type: string;
        parameters?: { required_status_checks?: { context: string }[] };
      }[];
    assert.deepEqual(
      rules(branchRuleset)
        .map(({ type }) => type)
        .sort(),
      ["deletion", "non_fast_forward", "pull_request", "required_status_checks"],
    );
    const checks = rules(branchRuleset).flatMap(({ parameters }) => parameters?.required_status_checks ?? []);
    assert.deepEqual(
      checks.map(({ context }) => context),
      ["gate"],
    );
    assert.deepEqual(
      rules(tagRuleset)
        .map(({ type }) => type)
        .sort(),
      ["deletion", "non_fast_forward", "update"],
    );
    const test = emulator.environments.find("acme/shop", "test");
    assert.equal(test?.wait_timer, 10);
    assert.deepEqual(test?.reviewers.map(({ type }) => type).sort(), ["Team", "User"]);
    assert.deepEqual(test?.policies.map(({ name, type }) => [type, name]).sort(), [
      ["branch", "main"],
      ["tag", "v*"],
    ]);
    assert.deepEqual([...(test?.variables ?? [])], [["URL", "https://t.example"]]);
    // A sealed box is 48 bytes longer than what is in it.
    const sealed = Buffer.from(test?.secrets.get("KEY") ?? "", "base64");
    assert.equal(sealed.length, "s3cret-of-test".length + 48);
    assert.ok(emulator.environments.find("acme/shop", "dev"));
    assert.deepEqual(
      emulator.hooks.all.map(({ events }) => events.toSorted()),
      [["package", "registry_package"]],
    );
    assert.equal(emulator.hooks.all[0]?.config["secret"], "s3cret-of-hook");
    assert.equal(emulator.actions.permissions.get("acme/shop")?.sha_pinning_required, true);
    assert.equal(emulator.actions.workflow.get("acme/shop")?.["default_workflow_permissions"], "read");
    assert.ok(emulator.repositories.hasAlerts("acme/shop"));
    const state = await on.stack.exportState();
    for (const text of [run.output, state.text])
      for (const secret of ["s3cret-of-test", "s3cret-of-hook", on.token])
        assert.ok(!text.includes(secret), secret);
  });

  it("has its package's first version in the registry, with the label that links it", async () => {
    const client = new RegistryClient();
    const image = await client.image(
      parseReference(`${registry}/${on.project.repository("server")}:tagalong.first`),
    );
    await client.close();
    assert.equal(image.labels["org.opencontainers.image.source"], "https://github.com/acme/shop");
  });

  it("has the checklist among its outputs", async () => {
    const { stdout } = await on.stack.run("stack", "output", "access", "--json", "-s", "repository");
    const rows = JSON.parse(stdout) as { what: string; state: string }[];
    assert.deepEqual(rows[0], {
      ...{
        what: "repository",
        state: "up",
        detail: "acme/shop is not there, or hidden from the token: it is made",
      },
      page: "https://github.com/acme/shop",
    });
    assert.equal(rows.at(-1)?.what, "package server: write access");
    assert.equal(rows.at(-1)?.state, "ok");
  });

  it("shows in the next update that all is well now", async () => {
    await on.stack.up();
    const { stdout } = await on.stack.run("stack", "output", "access", "--json", "-s", "repository");
    const rows = JSON.parse(stdout) as { what: string; state: string }[];
    assert.deepEqual(
      rows.filter(({ state }) => state !== "ok"),
      [],
    );
  });

  it("is left alone by the next update, and by a refresh", async () => {
    on.changes();
    await on.stack.up("--expect-no-changes");
    await on.stack.refresh("--expect-no-changes");
    assert.deepEqual(on.changes(), []);
  });

  it("takes another token for the same, as each workflow has its own", async () => {
    const scopes = ["repo", "read:org", "write:packages"];
    on.stack.env["GITHUB_TOKEN"] = on.emulator.token({}, { scopes, repositories: "all" });
    assert.deepEqual(await on.stack.changes(), ["update github github: token"]);
    on.stack.env["GITHUB_TOKEN"] = on.token;
  });

  it("is not made again by a token that does not see it", async () => {
    on.stack.env["GITHUB_TOKEN"] = on.emulator.token({}, { scopes: ["repo"], repositories: [] });
    assert.match(
      await on.stack.previewFails(),
      /nothing was changed:.*acme\/shop is in the stack's state, and GitHub does not show it to this token/s,
    );
    on.stack.env["GITHUB_TOKEN"] = on.token;
  });

  it("shows what somebody changed by hand, and puts it right", async () => {
    const ruleset = on.emulator.rulesets.all.find(({ name }) => name === branchRuleset);
    if (ruleset) ruleset["enforcement"] = "disabled";
    on.emulator.actions.workflow.set("acme/shop", {
      default_workflow_permissions: "write",
      can_approve_pull_request_reviews: true,
    });
    await on.stack.refresh();
    assert.deepEqual((await on.stack.changes()).sort(), [
      "update RepositoryRuleset repository-branch: enforcement",
      "update WorkflowRepositoryPermissions repository: canApprovePullRequestReviews, defaultWorkflowPermissions",
    ]);
    await on.stack.up();
    assert.equal(ruleset?.["enforcement"], "active");
  });

  it("stays when the stack goes", async () => {
    const [refused] = [await on.stack.start("destroy", "--yes", "--skip-preview", "-s", "repository").done];
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /protect/);
    on.changes();
    await on.stack.run("state", "unprotect", "--all", "--yes", "-s", "repository");
    await on.stack.destroy();
    assert.deepEqual(
      on.changes().filter((line) => / \/?$|rulesets|permissions|environments\/[a-z]+ /.test(line)),
      [],
    );
    assert.equal((await on.emulator.world.ask("GET", "/repos/acme/shop")).status, 200);
    assert.equal(on.emulator.rulesets.all.length, 2);
  });
});

describe("A repository that is there, with other settings", function () {
  this.timeout(600_000);

  let on: OnGitHub;
  before(async () => {
    on = await OnGitHub.open();
    const { emulator } = on;
    emulator.repositories.set("acme/shop", {
      description: "The old shop",
      topics: ["old"],
      homepage: "https://shop.example",
      has_wiki: true,
      allow_merge_commit: true,
    });
    emulator.repositories.branches.add("acme/shop trunk");
    emulator.rulesets.add("acme/shop", {
      name: branchRuleset,
      target: "branch",
      enforcement: "disabled",
      rules: [],
      bypass_actors: [{ actor_id: 5, actor_type: "RepositoryRole", bypass_mode: "always" }],
    });
    emulator.rulesets.add("acme/shop", {
      name: "The team's own",
      target: "branch",
      enforcement: "active",
      rules: [],
    });
    emulator.actions.workflow.set("acme/shop", {
      default_workflow_permissions: "write",
      can_approve_pull_request_reviews: true,
    });
    const dev = emulator.environments.ensure("acme/shop", "dev");
    dev.deployment_branch_policy = { protected_branches: false, custom_branch_policies: true };
    dev.policies.push({ id: 77, name: "main", type: "branch" });
    dev.variables.set("URL", "https://old.example");
    emulator.labels.add("acme/shop", { name: "bug", color: "ffffff", description: null });
    emulator.hooks.all.push({
      ...{ id: 41, repository: "acme/shop", active: true, events: ["push"] },
      config: { url: "https://watch.example/hook", content_type: "json", insecure_ssl: "0" },
    });
    on.configure({
      topics: ["shop"],
      defaultBranch: "trunk",
      labels: { bug: { color: "d73a4a" } },
      environments: { dev: { branches: ["main"], variables: { URL: "https://dev.example" } } },
      webhook: { url: "https://watch.example/hook" },
    });
    await on.setSecret("webhook.secret", "s3cret-of-hook");
  });
  after(() => on.close());

  it("is shown before anything is done: nothing of it is replaced or deleted", async () => {
    const steps = await on.stack.preview();
    const ops = new Set(steps.map(({ op }) => op));
    assert.deepEqual(
      [...ops].filter((op) => /replace|delete/.test(op)),
      [],
    );
    const imported = steps.filter(({ op }) => op === "import").map(({ urn }) => urn.split("::").at(-1));
    assert.deepEqual(imported.sort(), [
      "repository",
      "repository",
      "repository",
      "repository",
      "repository",
      "repository-branch",
      "repository-bug",
      "repository-dev",
      "repository-dev-URL",
      "repository-dev-branch-main",
    ]);
    assert.deepEqual(on.changes(), []);
  });

  it("is taken over in one update, which leaves what nobody named", async () => {
    await on.stack.up();
    const { emulator } = on;
    const shown = await fetch(`${emulator.url}/repos/acme/shop`, {
      headers: { authorization: `Bearer ${on.token}` },
    });
    const { description, topics, homepage, has_wiki, allow_merge_commit, visibility, default_branch } =
      (await shown.json()) as Record<string, unknown>;
    assert.deepEqual(
      { description, topics, homepage, has_wiki, allow_merge_commit, visibility, default_branch },
      {
        default_branch: "trunk",
        description: "The old shop",
        topics: ["shop"],
        homepage: "https://shop.example",
        has_wiki: true,
        allow_merge_commit: false,
        visibility: "private",
      },
    );
    assert.deepEqual(emulator.rulesets.all[0]?.["bypass_actors"], []);
    assert.deepEqual(
      emulator.rulesets.all.map(({ name, enforcement }) => `${name} ${enforcement}`).sort(),
      [`${branchRuleset} active`, `${tagRuleset} active`, "The team's own active"].sort(),
    );
    assert.deepEqual(
      [...(emulator.environments.find("acme/shop", "dev")?.variables ?? [])],
      [["URL", "https://dev.example"]],
    );
    assert.deepEqual(
      emulator.environments.find("acme/shop", "dev")?.policies.map(({ id }) => id),
      [77],
    );
    assert.deepEqual(
      emulator.hooks.all.map(({ id, events }) => [id, ...events.toSorted()]),
      [[41, "package", "registry_package"]],
    );
    assert.equal(emulator.labels.all[0]?.color, "d73a4a");
  });

  it("is left alone by the next update", async () => {
    on.changes();
    await on.stack.up("--expect-no-changes");
    assert.deepEqual(on.changes(), []);
  });
});

describe("A repository that cannot be set up", function () {
  this.timeout(600_000);

  let on: OnGitHub;
  beforeEach(async () => {
    on = await OnGitHub.open();
    on.configure({});
  });
  afterEach(() => on.close());

  const inTheWay: [string, () => void, RegExp][] = [
    [
      "because it is archived",
      () => on.emulator.repositories.set("acme/shop", { archived: true }),
      /nothing was changed: acme\/shop is archived.*unarchive it on https:\/\/github\.com\/acme\/shop\/settings/,
    ],
    [
      "because there is no token",
      () => Object.assign(on.stack.env, { GITHUB_TOKEN: "" }),
      /nothing was changed: there is no token for GitHub: put one of an administrator into GITHUB_TOKEN/,
    ],
  ];
  for (const [why, arrange, said] of inTheWay) {
    it(`says so before anything is changed, ${why}`, async () => {
      arrange();
      const output = await on.stack.upFails();
      assert.match(output, said);
      assert.doesNotMatch(output, /at .*\.ts:/);
      assert.deepEqual(on.changes(), []);
    });
  }

  it("for want of a plan says so, and goes without where that is asked for", async () => {
    on.emulator.owners.plan = "free";
    assert.match(
      await on.stack.previewFails(),
      /rulesets: GitHub's plan "free" has none for private repositories; set tagalong:repository\.ifMissing to skip/,
    );
    on.configure({ ifMissing: "skip" });
    await on.stack.up();
    assert.deepEqual(on.emulator.rulesets.all, []);
    assert.equal(on.emulator.actions.permissions.get("acme/shop")?.sha_pinning_required, true);
    const { stdout } = await on.stack.run("stack", "output", "access", "--json", "-s", "repository");
    assert.match(stdout, /left out: GitHub's plan/);
  });
});
