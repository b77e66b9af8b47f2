// What is asked before the repository's stack runs: of a GitHub of our own and a real registry.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { surveyed } from "../../../access/open";
import { surveyPackages } from "../../../access/packages";
import { preflight } from "../../../access/preflight";
import type { Survey } from "../../../access/survey";
import { access } from "../../../cli/access";
import { Client, GitHubError } from "../../../github";
import { parseReference, RegistryClient, RegistryError } from "../../../registry";
import { GitHubEmulator } from "../../github/emulator";
import type { Token } from "../../github/world";
import { settings } from "../../unit/access/given";
import { account, type RealRegistry, startRealRegistry } from "../registry/real-registry";

const everything: Token["permissions"] = {
  ...{ administration: "write", actions: "read", environments: "write", repository_hooks: "write" },
  ...{ issues: "write", members: "read", packages: "read", contents: "read" },
};
const where = { owner: "acme", name: "shop" };

describe("The survey", () => {
  let emulator: GitHubEmulator;
  let registry: RealRegistry;
  const dockerConfig = mkdtempSync(join(tmpdir(), "tagalong-survey-"));
  before(async () => {
    registry = await startRealRegistry({ basic: true });
  });
  after(async () => {
    await registry.close();
    rmSync(dockerConfig, { recursive: true });
  });
  beforeEach(async () => {
    emulator = await GitHubEmulator.start(where);
  });
  afterEach(() => emulator.close());

  const images = () => ({ server: { repository: parseReference(`${registry.host}/shop/server`) } });
  const login = () => ({
    DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [registry.host]: account } }),
    DOCKER_CONFIG: dockerConfig,
  });
  const look = async (
    values: object = {},
    token = emulator.token(everything),
    env: object = login(),
  ): Promise<Survey> => {
    const config = { repository: settings(values), images: images() };
    const all = { GITHUB_API_URL: emulator.url, GITHUB_TOKEN: token, ...env };
    return (await surveyed(config, undefined, all)).survey;
  };

  it("finds what is there, and changes nothing", async () => {
    emulator.rulesets.add("acme/shop", { name: "Mine", target: "branch", enforcement: "active", rules: [] });
    emulator.actions.permissions.set("acme/shop", {
      ...{ enabled: true, allowed_actions: "selected", sha_pinning_required: true },
    });
    const dev = emulator.environments.ensure("acme/shop", "dev");
    Object.assign(dev, {
      ...{ wait_timer: 5, reviewers: [{ type: "User", id: 3 }], can_admins_bypass: false },
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
      policies: [{ id: 9, name: "v*", type: "tag" }],
    });
    dev.variables.set("URL", "x");
    dev.secrets.set("KEY", "x");
    const { facts } = await look();
    assert.deepEqual(
      [facts.login, facts.owner, facts.lacking],
      ["ada", { kind: "organization", plan: "enterprise" }, {}],
    );
    assert.deepEqual(
      facts.repository?.rulesets?.map(({ name }) => name),
      ["Mine"],
    );
    assert.equal(facts.repository?.actions?.selected?.verified_allowed, false);
    assert.deepEqual(facts.repository?.environments, {
      dev: {
        ...{ wait: 5, adminsBypass: false, selfReview: true, users: [3], teams: [], letsIn: "selected" },
        policies: [{ id: 9, name: "v*", type: "tag" }],
        variables: { URL: "x" },
        secrets: ["KEY"],
      },
    });
    assert.deepEqual(
      emulator.asked.filter((line) => !line.startsWith("GET ")),
      [],
    );
  });

  it("finds more variables than fit on a page", async () => {
    const dev = emulator.environments.ensure("acme/shop", "dev");
    for (let i = 0; i < 35; i += 1) dev.variables.set(`V${i}`, String(i));
    const { facts } = await look();
    assert.equal(Object.keys(facts.repository?.environments?.["dev"]?.variables ?? {}).length, 35);
  });

  it("finds the people whom the config names", async () => {
    const id = emulator.owners.team("acme", "ops");
    const values = {
      bypass: ["admin", "team:ops", "team:none"],
      environments: { dev: { reviewers: ["ada", "bob"] } },
    };
    assert.deepEqual((await look(values)).people, { ada: 3, "team:ops": id });
  });

  it("finds no repository where there is none, and none that is hidden", async () => {
    assert.equal((await look({ name: "other" })).facts.repository, undefined);
    assert.equal(
      (await look({}, emulator.token(everything, { repositories: [] }))).facts.repository,
      undefined,
    );
  });

  it("finds out whether somebody may make repositories in the organisation", async () => {
    const member = () => emulator.token(everything, { isAdministrator: false });
    assert.deepEqual((await look({}, member())).facts.owner, { kind: "organization" });
    emulator.owners.mayMembersCreate = false;
    assert.deepEqual((await look({}, member())).facts.owner, { kind: "organization", mayCreate: false });
    assert.deepEqual((await look()).facts.owner, { kind: "organization", plan: "enterprise" });
  });

  it("finds that somebody is no administrator, and asks no further", async () => {
    const found = await look({}, emulator.token(everything, { isAdministrator: false }));
    assert.throws(
      () => preflight(settings(), found),
      /acme\/shop is there, and ada is no administrator of it/,
    );
    assert.ok(!emulator.asked.some((line) => line.includes("actions/permissions")));
  });

  it("knows a workflow's own token from a person's", async () => {
    const actions = { GITHUB_ACTIONS: "true", GITHUB_REPOSITORY: "Acme/shop" };
    const asks = async (login: string, env: object) => {
      const token = emulator.token(everything, { login, isAdministrator: false });
      const all = { GITHUB_API_URL: emulator.url, GITHUB_TOKEN: token, DOCKER_CONFIG: dockerConfig, ...env };
      return (await surveyed({ repository: settings(), images: images() }, undefined, all)).isWorkflow;
    };
    assert.equal(await asks("github-actions[bot]", actions), true);
    assert.equal(await asks("ada", actions), false);
    assert.equal(await asks("github-actions[bot]", { ...actions, GITHUB_REPOSITORY: "acme/other" }), false);
    assert.equal(await asks("github-actions[bot]", {}), false);
  });

  it("looks for the default branch that the config names", async () => {
    assert.equal((await look({ defaultBranch: "main" })).isDefaultBranchThere, true);
    assert.equal((await look({ defaultBranch: "trunk" })).isDefaultBranchThere, false);
    emulator.repositories.branches.add("acme/shop trunk");
    assert.equal((await look({ defaultBranch: "trunk" })).isDefaultBranchThere, true);
  });

  it("names the permission that a token lacks", async () => {
    const token = emulator.token({
      ...everything,
      administration: "read",
      environments: "read",
      repository_hooks: "read",
      actions: "write",
    });
    assert.deepEqual((await look({}, token)).facts.lacking, {});
    const { administration: _, ...less } = everything;
    const found = await look({}, emulator.token(less));
    assert.match(
      found.facts.lacking.actions ?? "",
      /^the token in GITHUB_TOKEN may not change settings in acme\/shop \(403.*give it "administration: write" \(a classic token: the scope repo\)$/,
    );
    assert.throws(() => preflight(settings(), found), /nothing was changed:/);
  });

  it("names the scope that a classic token lacks", async () => {
    emulator.repositories.set("acme/shop", {});
    const token = emulator.token({}, { scopes: ["read:org"] });
    const found = await look({}, token);
    assert.deepEqual(found.facts.scopes, ["read:org"]);
    assert.throws(() => preflight(settings(), found), /the token lacks the scope repo/);
  });

  it("ends where GitHub's limit is used up, and says until when", async () => {
    const token = emulator.token(everything);
    emulator.limit.remaining = 0;
    await assert.rejects(look({}, token), (error) => {
      assert.ok(error instanceof GitHubError);
      assert.match(error.message, /rate limit for the token in GITHUB_TOKEN is used up until about \d{4}-/);
      return true;
    });
  });

  it("proves that the token may write, and leaves nothing in the registry", async () => {
    assert.deepEqual((await look()).packages["server"]?.write, { kind: "proved" });
    const client = new RegistryClient({
      credentials: async () => ({ kind: "password", ...account, source: "the test" }),
    });
    const found = await client.resolve(parseReference(`${registry.host}/shop/server:latest`));
    await client.close();
    assert.equal(found.kind, "none");
  });

  it("says which permission it takes where it may not", async () => {
    const { packages } = await look({}, emulator.token(everything), { DOCKER_CONFIG: dockerConfig });
    const { write } = packages["server"] ?? {};
    assert.equal(write?.kind, "denied");
    assert.match(write?.kind === "denied" ? write.reason : "", /permission to push to 127\.0\.0\.1/);
  });

  describe("of packages", () => {
    const reference = parseReference("ghcr.io/acme/shop/server");
    const writes = { proveWrite: async () => {} };
    const found = async (
      permissions: Token["permissions"],
      kind: "user" | "organization" = "organization",
    ) => {
      const access = { baseUrl: emulator.url, token: emulator.token(permissions), variable: "GITHUB_TOKEN" };
      const facts = { lacking: {}, owner: { kind } };
      const all = await surveyPackages(
        { server: { repository: reference } },
        facts,
        new Client(where, access),
        writes,
      );
      return all["server"];
    };

    it("reads back who sees them, and what they are linked to", async () => {
      emulator.packages.all.push({
        ...{ owner: "acme", name: "shop/server", visibility: "public", repository: "acme/shop" },
      });
      assert.deepEqual((await found({ packages: "read" }))?.found, {
        visibility: "public",
        page: `${emulator.url}/orgs/acme/packages/container/package/shop%2Fserver`,
        linkedTo: "acme/shop",
      });
    });

    it("takes one that was not published yet for no mistake", async () => {
      assert.equal((await found({ packages: "read" }))?.found, "none");
    });

    it("says which scope it takes to look", async () => {
      const looked = (await found({}))?.found;
      const unknown = typeof looked === "object" && "unknown" in looked ? looked.unknown : "";
      assert.match(unknown, /give it "packages: read" \(a classic token: the scope read:packages\)/);
    });

    it("tells a sure no to writing from no answer", async () => {
      const reasons = { access: "denied", network: "unknown" } as const;
      for (const [reason, kind] of Object.entries(reasons) as [keyof typeof reasons, string][]) {
        writes.proveWrite = async () => {
          throw new RegistryError(reason, "no");
        };
        assert.equal((await found({ packages: "read" }))?.write.kind, kind);
      }
      writes.proveWrite = async () => {};
    });
  });

  describe("as a command", () => {
    it("is a table, a document, and an exit code", async () => {
      const folder = mkdtempSync(join(tmpdir(), "tagalong-access-"));
      const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
      write(
        "Pulumi.yaml",
        `name: shop\nconfig: {tagalong:images: {value: {server: {repository: ${registry.host}/shop/server}}}}\n`,
      );
      write("Pulumi.dev.yaml", "config: {}\n");
      write(
        "Pulumi.repository.yaml",
        "config: {tagalong:repository: {owner: acme, name: shop, webhook: {url: https://a.example, secret: {secure: v1:x}}}}\n",
      );
      const env = { GITHUB_API_URL: emulator.url, GITHUB_TOKEN: emulator.token(everything), ...login() };
      const said: string[] = [];
      const output = {
        write: (text: string) => void said.push(text),
        width: 400,
        paint: (_: unknown, text: string) => text,
      };
      assert.equal(await access({ cwd: folder }, output, env), 1);
      assert.match(said.join(""), /^what {2,}state {2,}detail\nrepository {2,}ok {2,}acme\/shop is there\n/);
      assert.match(said.join(""), /environment dev {2,}fixed by up {2,}is made/);
      said.length = 0;
      assert.equal(await access({ cwd: folder, json: true }, output, env), 1);
      const { repository, rows } = JSON.parse(said.join("")) as {
        repository: string;
        rows: { what: string }[];
      };
      assert.equal(repository, "acme/shop");
      assert.deepEqual(rows.at(-1), {
        ...{ what: "package server: write access", state: "ok", page: null },
        detail: "proved by opening an upload and cancelling it",
      });
      rmSync(folder, { recursive: true });
    });

    it("says what is to be written of the workflows, and whether the token may", async () => {
      const folder = mkdtempSync(join(tmpdir(), "tagalong-access-"));
      const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
      write(
        "Pulumi.yaml",
        `name: shop\nconfig: {tagalong:images: {value: {server: {repository: ${registry.host}/shop/server}}}}\n`,
      );
      const stack = "config:\n  tagalong:repository: {owner: acme, name: shop}\n";
      const look = async (file: string, permissions: Token["permissions"]) => {
        write("Pulumi.repository.yaml", file);
        let said = "";
        const output = {
          write: (text: string) => {
            said += text;
          },
          width: Number.POSITIVE_INFINITY,
          paint: (_: unknown, text: string) => text,
        };
        const token = emulator.token(permissions);
        await access({ cwd: folder }, output, {
          ...{ GITHUB_API_URL: emulator.url, GITHUB_TOKEN: token, ...login() },
        });
        return said;
      };
      const may = { ...everything, workflows: "write", contents: "write", pull_requests: "write" } as const;
      const written = `${stack}  tagalong:workflows: {}\n`;
      assert.doesNotMatch(await look(stack, may), /^workflows /m);
      assert.match(
        await look(written, may),
        /^workflows {2,}fixed by up {2,}in one commit to main: \d+ new \(\.github\/renovate\.json, /m,
      );
      assert.match(
        await look(written, everything),
        /^repository {2,}needs a click {2,}the token in GITHUB_TOKEN may not write workflows in acme\/shop .*"contents: write, workflows: write"/m,
      );
      rmSync(folder, { recursive: true });
    });

    it("says which file is missing", async () => {
      await assert.rejects(
        access({ cwd: dockerConfig }, undefined, {}),
        /no Pulumi\.yaml in .*: run in the project's folder/,
      );
    });
  });
});
