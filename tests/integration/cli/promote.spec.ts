// Promotion and the way back, as a person asks for them: a real registry, real receipts, a file that keeps its comments.
import assert from "node:assert/strict";
import { hold, resume } from "../../../cli/hold";
import type { Naming } from "../../../cli/naming";
import { override } from "../../../cli/override";
import { promote } from "../../../cli/promote";
import { rollback } from "../../../cli/rollback";
import { commitOf, Shop } from "./shop";

describe("Promotion by the command line", function () {
  this.timeout(240_000);
  let shop: Shop;
  let cwd: string;
  let untouched: string;

  before(async () => {
    shop = await Shop.open();
    cwd = shop.folder;
    await shop.push("1.0.0");
    await shop.push("1.1.0", ["test"]);
    await shop.push("1.2.0", ["dev"]);
    await shop.push("1.3.0");
    await shop.push("2.0.0", [], ["server"]);
    await shop.rolled("dev", "1.0.0", "healthy");
    await shop.rolled("dev", "1.1.0", "healthy");
    await shop.rolled("dev", "1.2.0", "healthy");
    await shop.rolled("dev", "1.3.0", "rejected", { reason: "server exited with code 3" });
    await shop.rolled("test", "1.0.0", "healthy");
    await shop.rolled("test", "1.1.0", "healthy");
    untouched = shop.read("Pulumi.test.yaml");
  });
  after(() => shop.close());
  afterEach(() => shop.write("Pulumi.test.yaml", untouched));

  const named = () => /tagalong:release: (.*)/.exec(shop.read("Pulumi.test.yaml"))?.[1];

  it("names the release in the stack's file, every other byte kept, and shows what that means", async () => {
    const { code, text } = await shop.run((output) => promote("test", { cwd, release: "1.2.0" }, output));
    assert.equal(code, 0, text);
    assert.equal(
      shop.read("Pulumi.test.yaml"),
      untouched.replace("config:\n", "config:\n  tagalong:release: 1.2.0\n"),
    );
    assert.match(text, /^test would run the release 1\.2\.0:$/m);
    assert.match(
      text,
      /^ {2}server {2}1\.1\.0 \(\S+\) {2}1\.2\.0 \(\S+\) {2}linux\/amd64 {2}healthy in dev for \d+ \w+$/m,
    );
    assert.match(text, /^\+ {2}tagalong:release: 1\.2\.0$/m);
    assert.match(text, /Pulumi\.test\.yaml is edited and not committed\. Next: pulumi up -s test/);
    const again = await shop.run((output) => promote("test", { cwd, release: "1.2.0" }, output));
    assert.equal(again.code, 0);
    assert.match(again.text, /says so already/);
  });

  it("says it as JSON, and edits nothing for --dry-run", async () => {
    const { code, text } = await shop.run((output) =>
      promote("test", { cwd, release: "1.2.0", dryRun: true, json: true }, output),
    );
    const naming: Naming = JSON.parse(text);
    assert.equal(code, 0);
    assert.equal(naming.release, "1.2.0");
    assert.deepEqual(naming.images["server"], {
      from: shop.digestOf("server", "1.1.0"),
      to: shop.digestOf("server", "1.2.0"),
      version: "1.2.0",
      commit: commitOf("1.2.0"),
      platforms: ["linux/amd64"],
      admitted: true,
      reason: null,
    });
    assert.deepEqual(
      [naming.edit?.changed, naming.edit?.written, naming.next],
      [true, false, "pulumi up -s test"],
    );
    assert.equal(shop.read("Pulumi.test.yaml"), untouched);
  });

  it("takes what another environment last found well, by the name of it", async () => {
    const { code, text } = await shop.run((output) => promote("test", { cwd, from: "dev" }, output));
    assert.equal(code, 0, text);
    assert.equal(named(), "1.2.0");
  });

  it("says where the other environment is on its way elsewhere", async () => {
    await shop.push("1.4.0", ["dev"]);
    await shop.rolled("dev", "1.4.0", "live");
    const { text } = await shop.run((output) => promote("test", { cwd, from: "dev", dryRun: true }, output));
    assert.match(text, /dev runs something newer, which it has not found well yet/);
    assert.match(text, /the tag dev carries another server, client, which dev does not run/);
    assert.match(text, /^test would run the release 1\.2\.0:$/m);
  });

  const mistakes: [what: string, options: Parameters<typeof promote>[1], code: number, text: RegExp][] = [
    ["a release of no image", { cwd: "", release: "9.9.9" }, 1, /no image has release 9\.9\.9/],
    ["a release that lacks an image", { cwd: "", release: "2.0.0" }, 1, /client: .*has no tag 2\.0\.0/],
    ["a tag that moves", { cwd: "", release: "dev" }, 2, /"dev" is a tag that may move/],
    [
      "a digest where there are several images",
      { cwd: "", release: `sha256:${"1".repeat(64)}` },
      2,
      /digest is of one image/,
    ],
    ["nothing", { cwd: "" }, 2, /name one of --release/],
    ["two things", { cwd: "", release: "1.2.0", from: "dev" }, 2, /name one of --release/],
    ["itself", { cwd: "", from: "test" }, 2, /name another environment/],
    [
      "an environment that is none",
      { cwd: "", from: "de" },
      2,
      /there is no environment "de": did you mean dev\?/,
    ],
  ];
  for (const [what, options, code, expected] of mistakes) {
    it(`edits nothing for ${what}`, async () => {
      const ended = await shop.run((output) => promote("test", { ...options, cwd }, output));
      assert.equal(ended.code, code, ended.text);
      assert.match(ended.text, expected);
      assert.equal(shop.read("Pulumi.test.yaml"), untouched);
    });
  }

  it("refuses what the environment before rejected, with the way out, and takes it after an override", async () => {
    const asked = () => shop.run((output) => promote("test", { cwd, release: "1.3.0" }, output));
    const refused = await asked();
    assert.equal(refused.code, 3);
    assert.match(
      refused.text,
      /Refused: test does not take the release 1\.3\.0:\n {2}server: rejected in dev .*server exited with code 3/,
    );
    const [, image = ""] = /tagalong override test --image (client@sha256:\S+)/.exec(refused.text) ?? [];
    assert.match(
      refused.text,
      /^All of it may run with: tagalong override test --release 1\.3\.0 --reason "…"$/m,
    );
    assert.match(refused.text, /Nothing was edited/);
    assert.equal(shop.read("Pulumi.test.yaml"), untouched);

    const reason = "the database was down";
    const one = await shop.run((output) => override("test", { cwd, image, reason, json: true }, output));
    assert.equal(one.code, 0, one.text);
    const [rejection] = JSON.parse(one.text).images.client.rejections;
    assert.deepEqual(
      [rejection.environment, rejection.by, rejection.reason],
      ["dev", "ada@build-7", "server exited with code 3"],
    );
    assert.equal((await asked()).code, 3, "the server is still refused");
    const both = await shop.run((output) => override("test", { cwd, release: "1.3.0", reason }, output));
    assert.match(both.text, /client .*nothing is in its way/);
    assert.match(
      both.text,
      /test may run server [0-9a-f]{12} now\n {2}in spite of: rejected in dev .* by ada@build-7: server exited with code 3/,
    );
    assert.equal((await asked()).code, 0);
    assert.equal(named(), "1.3.0");
  });

  it("says what is known of what is not found healthy yet, and refuses that as well", async () => {
    await shop.push("1.5.0");
    const { code, text } = await shop.run((output) => promote("test", { cwd, release: "1.5.0" }, output));
    assert.equal(code, 3);
    assert.match(text, /dev has not found it healthy yet/);
    const dry = await shop.run((output) =>
      override("test", { cwd, release: "1.5.0", reason: "urgent", dryRun: true }, output),
    );
    assert.match(dry.text, /would be allowed .*\n {2}in spite of: dev has not found it healthy yet/);
    assert.equal((await shop.run((output) => promote("test", { cwd, release: "1.5.0" }, output))).code, 3);
  });

  it("refuses while the environment is held, until it is resumed", async () => {
    const held = await shop.run((output) => hold("test", { cwd, reason: "demo on Friday" }, output));
    assert.equal(held.code, 0);
    const refused = await shop.run((output) => promote("test", { cwd, release: "1.2.0" }, output));
    assert.equal(refused.code, 3);
    assert.match(
      refused.text,
      /Refused: test is held since \S+ by \S+@\S+: demo on Friday; lift that with `tagalong resume test`/,
    );
    const resumed = await shop.run((output) => resume("test", { cwd }, output));
    assert.match(resumed.text, /test goes on; it was put on hold by .*: demo on Friday/);
    assert.equal((await shop.run((output) => promote("test", { cwd, release: "1.2.0" }, output))).code, 0);
    const nothing = await shop.run((output) => resume("test", { cwd }, output));
    assert.deepEqual([nothing.code, nothing.text], [0, "test is not held: there is nothing to lift\n"]);
  });

  it("goes back to what was well before, and back from there by name", async () => {
    const { code, text } = await shop.run((output) => rollback("test", { cwd }, output));
    assert.equal(code, 0, text);
    assert.equal(named(), "1.0.0");
    assert.match(text, /Note: test ran 1\.0\.0 from 2026-11-21 \d\d:\d\d and found it well/);
    await shop.run((output) => rollback("test", { cwd, to: "1.1.0" }, output));
    assert.equal(named(), "1.1.0");
  });

  it("goes back to what runs, where what the config names never came to run", async () => {
    await shop.run((output) => promote("test", { cwd, release: "1.2.0" }, output));
    const { code } = await shop.run((output) => rollback("test", { cwd }, output));
    assert.equal(code, 0);
    assert.equal(named(), "1.1.0");
  });

  it("has nothing to go back to before the second release", async () => {
    shop.write("Pulumi.third.yaml", untouched);
    await shop.rolled("third", "1.0.0", "healthy");
    const { code, text } = await shop.run((output) => rollback("third", { cwd }, output));
    assert.equal(code, 1);
    assert.match(
      text,
      /third has nothing to go back to: its receipts know of no other release that was well here/,
    );
    assert.equal(shop.read("Pulumi.third.yaml"), untouched);
  });

  it("follows the tag again", async () => {
    await shop.run((output) => promote("test", { cwd, release: "1.2.0" }, output));
    const { code, text } = await shop.run((output) => promote("test", { cwd, follow: true }, output));
    assert.equal(code, 0, text);
    assert.equal(shop.read("Pulumi.test.yaml"), untouched);
  });

  it("names what is in the repositories where releases come from, where the environment has its own", async () => {
    const own = ["server", "client"].map((image) => {
      const place = `${shop.registry.host}/live/${image}`;
      return `    ${image}: { repository: ${place}, source: ${shop.repository(image)} }\n`;
    });
    const live = untouched.replace("config:\n", `config:\n  tagalong:images:\n${own.join("")}`);
    shop.write("Pulumi.live.yaml", live);
    try {
      const bad = await shop.run((output) => promote("live", { cwd, release: "1.3.0" }, output));
      assert.equal(bad.code, 3, "what dev found out is beside the images that it runs");
      const { code, text } = await shop.run((output) => promote("live", { cwd, from: "dev" }, output));
      assert.equal(code, 0, text);
      assert.equal(
        shop.read("Pulumi.live.yaml"),
        live.replace("config:\n", "config:\n  tagalong:release: 1.2.0\n"),
      );
      const image = `server@${shop.digestOf("server", "1.3.0")}`;
      const reason = "urgent";
      const ended = await shop.run((output) => override("live", { cwd, image, reason, json: true }, output));
      assert.deepEqual([ended.code, JSON.parse(ended.text).images.server.written], [0, true]);
    } finally {
      shop.remove("Pulumi.live.yaml");
    }
  });

  it("needs a name for what another environment runs", async () => {
    const seed = ["server", "client"];
    await shop.push("nightly", ["third"], seed);
    await shop.rolled("third", "nightly", "healthy", {
      images: Object.fromEntries(seed.map((image) => [image, { to: shop.digestOf(image, "nightly") }])),
      release: "nightly",
    });
    const { code, text } = await shop.run((output) => promote("test", { cwd, from: "third" }, output));
    assert.equal(code, 1);
    assert.match(
      text,
      /no name leads to what third ran \(.*\): let CI tag every image of it with sha-<commit> or a version/,
    );
  });

  it("tells a broken file by its line, and leaves it", async () => {
    const broken = `${untouched}  tagalong:services: {}\n`;
    shop.write("Pulumi.test.yaml", broken);
    const { code, text } = await shop.run((output) => promote("test", { cwd, release: "1.2.0" }, output));
    assert.equal(code, 2, text);
    assert.match(text, /Pulumi\.test\.yaml:\d+/);
    assert.equal(shop.read("Pulumi.test.yaml"), broken);
  });
});
