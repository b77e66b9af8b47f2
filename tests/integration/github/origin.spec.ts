// The commits of a Git repository on this machine, on a GitHub of our own: a deployment names the commit that was built.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GitHubEmulator } from "../../github/emulator";

describe("A repository on a GitHub of our own that has the commits of a Git repository", () => {
  let folder: string;
  let emulator: GitHubEmulator;
  let token: string;

  const git = (...args: string[]) => {
    const who = ["-c", "user.name=Grace Hopper", "-c", "user.email=grace@acme.example"];
    return execFileSync("git", ["-C", folder, ...who, "-c", "commit.gpgsign=false", ...args], {
      encoding: "utf8",
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", TZ: "Asia/Kathmandu" },
    }).trim();
  };
  const commit = (message: string) => {
    git("add", "--all");
    git("commit", "--quiet", "--message", message);
    return git("rev-parse", "HEAD");
  };
  const ask = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${emulator.url}/repos/acme/shop${path}`, { headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const main = async () => {
    const { body } = await emulator.world.ask("GET", "/repos/acme/shop/git/ref/heads/main");
    return (body as { object?: { sha: string } }).object?.sha;
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-origin-"));
    emulator = await GitHubEmulator.start({ owner: "acme", name: "shop", origin: folder });
    token = emulator.token({ contents: "read" });
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await emulator.close();
  });

  it("is there before its first commit, and has none of its own", async () => {
    assert.equal((await ask("")).status, 200);
    assert.equal(await main(), undefined);
  });

  it("has each of them under its own name, whatever is in it", async () => {
    git("init", "--quiet", "--initial-branch", "trunk");
    mkdirSync(join(folder, "server", "lib"), { recursive: true });
    writeFileSync(join(folder, "server", "lib", "a.txt"), "a");
    writeFileSync(join(folder, "server.txt"), "beside a folder of nearly its name");
    writeFileSync(join(folder, "picture"), Buffer.from([0, 255, 254, 10]));
    writeFileSync(join(folder, "run.sh"), "#!/bin/sh\n");
    chmodSync(join(folder, "run.sh"), 0o755);
    symlinkSync("../elsewhere", join(folder, "link"));
    const first = commit("The first\n\nWith a body: ü.\n");
    writeFileSync(join(folder, "server", "lib", "b.txt"), "b");
    const second = commit("The second");
    assert.equal((await ask(`/git/commits/${first}`)).body["sha"], first);
    assert.equal((await ask(`/git/commits/${second}`)).body["message"], "The second");
    assert.equal(await main(), second);
  });

  it("has what comes later as well, and a branch that was moved on there stays so", async () => {
    const second = git("rev-parse", "HEAD");
    writeFileSync(join(folder, "later"), "");
    const third = commit("The third");
    assert.equal((await ask(`/compare/${second}...${third}`)).body["status"], "ahead");
    assert.equal(await main(), third);
    const merged = await emulator.commit("Merged there", [third]);
    await emulator.world.ask("PATCH", "/repos/acme/shop/git/refs/heads/main", { sha: merged });
    writeFileSync(join(folder, "last"), "");
    const last = commit("The last");
    assert.equal((await ask(`/git/commits/${last}`)).status, 200);
    assert.equal(await main(), merged);
  });
});
