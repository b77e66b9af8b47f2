/** The engine as the watcher starts it: with the user's plugins and logins, and without a log of its own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pulumiCommand, pulumiHome } from "../../../watcher/engine";
import { quietHome } from "../../../watcher/engineHome";

const folder = mkdtempSync(join(tmpdir(), "tagalong-home-"));
const [home, state] = [join(folder, "home"), join(folder, "state")];
const variables = ["PULUMI_HOME", "PULUMI_CREDENTIALS_PATH", "PULUMI_BACKEND_URL", "XDG_STATE_HOME"] as const;
const former = Object.fromEntries(variables.map((name) => [name, process.env[name]]));

describe("The engine's home", () => {
  let watchers: Awaited<ReturnType<typeof pulumiCommand>>;
  const byHand = (...args: string[]) => execFileSync(watchers.command, args, { cwd: folder, stdio: "pipe" });

  before(async () => {
    mkdirSync(home);
    symlinkSync(join(pulumiHome(), "versions"), join(home, "versions"));
    for (const name of variables) delete process.env[name];
    Object.assign(process.env, { PULUMI_HOME: home, XDG_STATE_HOME: state });
    watchers = await pulumiCommand(() => ({}));
  });

  after(() => {
    for (const [name, value] of Object.entries(former)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const logs = () => (existsSync(join(home, "logs")) ? readdirSync(join(home, "logs")).length : 0);

  it("gets no log of the watcher's engine, where the user's own writes one", async () => {
    const before = logs(); // looking for the engine has written one
    await watchers.run(["plugin", "ls"], folder, {});
    assert.equal(logs(), before, "the watcher's engine has written a log");
    byHand("plugin", "ls");
    assert.equal(
      logs(),
      before + 1,
      "the engine writes no log any more: watcher/engineHome.ts is for nothing",
    );
  });

  it("lends its plugins and logins", async () => {
    const plugin = join(home, "plugins", "resource-acme-v1.2.3");
    mkdirSync(plugin, { recursive: true });
    writeFileSync(join(plugin, "pulumi-resource-acme"), "", { mode: 0o755 });
    mkdirSync(join(folder, "backend"));
    byHand("login", `file://${join(folder, "backend")}`);
    const plugins = await watchers.run(["plugin", "ls", "--json"], folder, {});
    assert.match(plugins.stdout, /"acme"/);
    const login = await watchers.run(["whoami", "--json"], folder, {});
    assert.equal((JSON.parse(login.stdout) as { url: string }).url, `file://${join(folder, "backend")}`);
  });

  it("is used as it is where no other can be made", () => {
    writeFileSync(join(folder, "file"), "");
    assert.deepEqual(quietHome(home, join(folder, "file", "below")), {});
  });

  it("is the same for two watchers that start at once", () => {
    assert.deepEqual(quietHome(home, state), quietHome(home, state));
  });
});
