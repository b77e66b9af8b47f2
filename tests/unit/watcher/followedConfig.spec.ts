/** The stack's config as the watcher goes by it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { FollowedConfig } from "../../../watcher/followedConfig";

describe("The config that a watcher follows", () => {
  const directory = mkdtempSync(join(tmpdir(), "followed-"));
  const said: string[] = [];
  const configure = (more: object = {}) => {
    const images = { server: { repository: "ghcr.io/acme/server" } };
    const config = { images, services: { server: { image: "server" } }, ...more };
    const keys = Object.entries(config).map(([key, value]) => [`tagalong:${key}`, value]);
    writeFileSync(join(directory, "Pulumi.dev.yaml"), stringify({ config: Object.fromEntries(keys) }));
  };
  const follow = (config: FollowedConfig) => config.follow(async () => {});

  before(() => {
    writeFileSync(join(directory, "Pulumi.yaml"), stringify({ name: "shop", runtime: "nodejs" }));
  });
  beforeEach(() => said.splice(0));
  after(() => rmSync(directory, { recursive: true }));

  const moved =
    /^nothing rolls until this is put right: tagalong:(engine|kubernetes) leads to another place .* stop it, run `pulumi up -s dev`, and start it again$/;

  for (const [what, from, to] of [
    ["engine", {}, { engine: "kubernetes" }],
    ["cluster", { engine: "kubernetes" }, { engine: "kubernetes", kubernetes: { context: "acme" } }],
    ["namespace", { engine: "kubernetes" }, { engine: "kubernetes", kubernetes: { namespace: "other" } }],
  ] as const)
    it(`does not lead it to another ${what}, and does again once the edit is undone`, async () => {
      configure(from);
      const config = new FollowedConfig({ directory, stack: "dev" }, (_event, message) => said.push(message));
      configure(to);
      assert.equal(await follow(config), false);
      assert.match(said[0] ?? "", moved);
      assert.match(config.problem, /another place/);
      configure({ ...from, rollout: { soak: "5s" } });
      assert.equal(await follow(config), true);
      assert.deepEqual([config.problem, config.now.rollout.soak], ["", 5_000]);
    });
});
