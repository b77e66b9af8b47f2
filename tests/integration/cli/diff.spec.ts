// The Markdown for a pull request, from a real registry and a real repository.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { diff } from "../../../cli/diff";
import { Shop } from "./shop";

describe("What a pull request shows", function () {
  this.timeout(240_000);
  let shop: Shop;
  let cwd: string;
  const files: Record<string, string> = {};

  before(async () => {
    shop = await Shop.open();
    cwd = shop.folder;
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=a@b", ...args], {
        cwd,
        encoding: "utf8",
      }).trim();
    git("init", "-q");
    const commits = ["the shop", "a better shop by @ada"].map((message) => {
      git("commit", "-q", "--allow-empty", "-m", message);
      return git("rev-parse", "HEAD");
    });
    await shop.push("1.0.0", ["test"], undefined, commits[0]);
    await shop.push("1.1.0", ["dev"], undefined, commits[1]);
    await shop.push("1.2.0");
    await shop.rolled("dev", "1.0.0", "healthy");
    await shop.rolled("dev", "1.1.0", "healthy");
    await shop.rolled("dev", "1.2.0", "rejected", { reason: "server exited with code 3" });
    await shop.rolled("dev", "1.1.0", "healthy", { trigger: "return" });
    await shop.rolled("test", "1.0.0", "healthy");
    for (const name of ["Pulumi.dev.yaml", "Pulumi.test.yaml"]) files[name] = shop.read(name);
  });
  after(() => shop.close());
  afterEach(() => {
    for (const [name, text] of Object.entries(files)) shop.write(name, text);
  });

  const names = (release: string) =>
    shop.write(
      "Pulumi.test.yaml",
      (files["Pulumi.test.yaml"] ?? "").replace("config:\n", `config:\n  tagalong:release: ${release}\n`),
    );
  const short = (image: string, version: string) => shop.digestOf(image, version).slice(0, 19);

  it("is one table for all environments, with the commits between", async () => {
    names("1.1.0");
    const { code, text } = await shop.run((output) => diff([], { cwd }, output));
    assert.equal(code, 0, text);
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    assert.deepEqual([rows.length, rows[2]], [5, "| dev |  |  |  |  |  | changes nothing |"]);
    const [, , , server = "", client = ""] = rows;
    assert.match(
      server,
      /^\| test \| server \| 1\.0\.0 .*1\.1\.0 .*\| linux\/amd64 \| healthy in dev for \d+ \w+ \| rolls \|$/,
    );
    assert(server.includes(short("server", "1.0.0")) && server.includes(short("server", "1.1.0")), server);
    assert.match(client, /^\| test \| client \|/);
    assert.match(text, /<details><summary>test: commits of server, client: .*1 new/);
    assert.match(text, /^- \+ `[0-9a-f]{12}` a better shop by &#64;ada \(Ada\)$/m, "it mentions nobody");
  });

  it("says that up would refuse, and why, and ends with that", async () => {
    names("1.2.0");
    const { code, text } = await shop.run((output) => diff(["test"], { cwd }, output));
    assert.equal(code, 3);
    assert.match(text, /\| \*\*refuses\*\* \|$/m);
    assert.match(text, /rejected in dev at .*: server exited with code 3/);
  });

  it("says of an environment that nothing is known of it, and what is known of the others", async () => {
    shop.write(
      "Pulumi.gone.yaml",
      "config:\n  tagalong:images:\n    server: { repository: 127.0.0.1:1/shop/server }\n  tagalong:services:\n    server: { image: server }\n",
    );
    shop.write("Pulumi.new.yaml", files["Pulumi.dev.yaml"] ?? "");
    shop.write("Pulumi.torn.yaml", "config: [\n");
    try {
      const { code, text } = await shop.run((output) => diff([], { cwd }, output));
      assert.equal(code, 4, text);
      assert.match(text, /^\| dev \|/m);
      for (const [name, problem] of [
        ["gone", "127\\.0\\.0\\.1:1"],
        ["new", "tagalong:images\\.server: .*:new"],
        ["torn", "Pulumi\\.torn\\.yaml:2:1"],
      ])
        assert.match(
          text,
          new RegExp(`> \\[!WARNING\\]\n> ${name}: not known .*\n> \`\`\`\`text\n(?:> .*\n)*> .*${problem}`),
        );
      const alone = await shop.run((output) => diff(["new"], { cwd }, output));
      assert.equal(alone.code, 1);
      const machine = await shop.run((output) => diff(["dev", "torn"], { cwd, json: true }, output));
      const { environments } = JSON.parse(machine.text);
      assert.deepEqual(
        [machine.code, environments[0].course, environments[1].environment],
        [2, { kind: "go" }, "torn"],
      );
    } finally {
      for (const name of ["gone", "new", "torn"]) shop.remove(`Pulumi.${name}.yaml`);
    }
  });
});
