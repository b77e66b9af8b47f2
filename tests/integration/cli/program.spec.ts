// The built command line as a process: what it prints where, and how it ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { Shop } from "./shop";

const cli = resolve(__dirname, "../../../cli/tagalong.mjs");

describe("The command line as a process", function () {
  this.timeout(240_000);
  let shop: Shop;
  before(async () => {
    shop = await Shop.open({ basic: true });
  });
  after(() => shop.close());

  const run = async (args: string[], env: NodeJS.ProcessEnv = {}, program = process.execPath) => {
    const child = spawn(program, args, {
      cwd: shop.folder,
      env: { ...process.env, DOCKER_CONFIG: "/nowhere", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [said, complained]: [string[], string[]] = [[], []];
    child.stdout.on("data", (chunk) => said.push(String(chunk)));
    child.stderr.on("data", (chunk) => complained.push(String(chunk)));
    const [status]: [number] = (await once(child, "close")) as [number];
    return { status, stdout: said.join(""), stderr: complained.join("") };
  };
  const tagalong = (args: string[], env: NodeJS.ProcessEnv = {}) => run([cli, ...args], env);
  const auth = { username: "tagalong", password: "correct horse" };
  const login = () => ({ DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [shop.registry.host]: auth } }) });

  it("ends with 0 for help and the version, told where output is told", async () => {
    const help = await tagalong(["--help"]);
    assert.deepEqual([help.status, help.stderr], [0, ""]);
    assert.match(help.stdout, /Exit codes:\n {2}0 {2}done/);
    assert.equal((await tagalong(["--version"])).status, 0);
    const one = await tagalong(["promote", "--help"]);
    assert.equal(one.status, 0);
    assert.match(one.stdout, /Example:\n {2}\$ npx tagalong promote test --release 1\.4\.2/);
  });

  it("ends with 2 for a mistake in the command line, told where errors are told", async () => {
    for (const args of [
      ["promte", "test"],
      ["promote"],
      ["promote", "test", "--relase", "1"],
      ["promote", "test", "too", "many"],
      ["hold", "test"],
      ["status", "nowhere"],
      ["status", "--cwd", "/nowhere"],
      ["completion", "csh"],
      [],
    ]) {
      const { status, stdout, stderr } = await tagalong(args);
      assert.deepEqual([status, stdout], [2, ""], args.join(" "));
      assert.notEqual(stderr, "");
    }
    assert.match((await tagalong(["promte", "test"])).stderr, /Did you mean promote\?/);
  });

  it("ends with 4 where the registry does not let it in, and says whose credentials were tried", async () => {
    const { status, stderr } = await tagalong(["history", "dev"]);
    assert.equal(status, 4);
    assert.match(stderr, /^tagalong: 127\.0\.0\.1:\d+\/shop\/(?:client|server):tagalong\.dev\.receipts: /);
    const told = await tagalong(["status", "dev", "--json"]);
    assert.equal(told.status, 4);
    assert.equal(JSON.parse(told.stdout).environments[0].state, "unknown");
    assert.deepEqual(
      [(await tagalong(["history", "dev"], login())).status, (await tagalong(["status"], login())).status],
      [0, 0],
    );
  });

  it("says of a stack's own credentials, which are encrypted, how they could be used", async () => {
    const file = shop.read("Pulumi.dev.yaml");
    const own = `  tagalong:registries:\n    ${shop.registry.host}: { username: tagalong, password: { secure: v1:x } }\n`;
    shop.write("Pulumi.dev.yaml", `${file}${own}`);
    try {
      const { status, stderr } = await tagalong(["history", "dev"], { PATH: "" });
      assert.equal(status, 4);
      assert.match(
        stderr,
        /tagalong:registries of dev has credentials for it, which are encrypted: log in with "docker login 127/,
      );
    } finally {
      shop.write("Pulumi.dev.yaml", file);
    }
  });

  it("ends quietly when whoever read along has gone", async () => {
    const script = `"${process.execPath}" "${cli}" status --json | head -c 1; exit "\${PIPESTATUS[0]}"`;
    const { status, stderr } = await run(["-c", script], login(), "bash");
    assert.deepEqual([status, stderr], [0, ""]);
  });
});
