// What the commands tell of environments: a real registry, real receipts, and registries that do not answer.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { history } from "../../../cli/history";
import { hold } from "../../../cli/hold";
import { locate } from "../../../cli/locate";
import { type StatusEntry, status } from "../../../cli/status";
import { pushImage } from "../registry/images";
import { commitOf, Shop } from "./shop";

describe("What the command line tells", function () {
  this.timeout(240_000);
  let shop: Shop;
  let cwd: string;

  before(async () => {
    shop = await Shop.open();
    cwd = shop.folder;
    await shop.push("1.0.0");
    await shop.push("1.1.0", ["test"]);
    await shop.push("1.2.0", ["dev"]);
    await shop.rolled("dev", "1.0.0", "healthy");
    await shop.rolled("dev", "1.1.0", "healthy", {
      via: "up",
      trigger: "config",
      configRevision: "c".repeat(40),
    });
    await shop.rolled("dev", "1.2.0", "rejected", {
      reason: "server exited with code 3\nlast line: \u001b[31mboom",
    });
    await shop.rolled("test", "1.1.0", "healthy");
  });
  after(() => shop.close());

  const entries = async (...chosen: string[]): Promise<Record<string, StatusEntry>> => {
    const { text } = await shop.run((output) => status(chosen, { cwd, json: true }, output));
    const { environments }: { environments: StatusEntry[] } = JSON.parse(text);
    return Object.fromEntries(environments.map((entry) => [entry.environment, entry]));
  };

  it("is what each environment runs, since when, and what is in its way", async () => {
    const { code, text } = await shop.run((output) => status([], { cwd }, output));
    assert.equal(code, 0, text);
    assert.match(text, /^dev {2}refused {2}follows :dev {2}watcher last seen .* ago \(ada@build-7\)$/m);
    assert.match(text, /^ {2}server {3}1\.1\.0 {4}110aaaa {2}[0-9a-f]{12} {2}\d+ \w+ +healthy \d+ \w+ ago$/m);
    assert.match(
      text,
      /server: the tag carries 1\.2\.0 \(.*\); it stays at 1\.1\.0 \(.*\): rejected in dev at .*: server exited with code 3/,
    );
    assert(!text.includes("\u001b"), "what somebody wrote into a reason moves no cursor");
    assert.match(text, /^test {2}steady {2}follows :test/m);
  });

  it("is the same for a machine", async () => {
    const { dev, test } = await entries();
    assert.deepEqual([dev?.state, test?.state], ["refused", "steady"]);
    const { since, verdict, ...server } = test?.services["server"] ?? {};
    assert.deepEqual(server, {
      image: "server",
      digest: shop.digestOf("server", "1.1.0"),
      version: "1.1.0",
      commit: commitOf("1.1.0"),
      containers: null,
    });
    assert.match(since ?? "", /^2026-11-21T10:03:07/);
    assert.equal(verdict?.outcome, "healthy");
    assert.equal(dev?.images["server"]?.carried, shop.digestOf("server", "1.2.0"));
    assert.equal(dev?.images["server"]?.running, shop.digestOf("server", "1.1.0"));
  });

  it("tells a tag that carries what the config does not name", async () => {
    const file = shop.read("Pulumi.test.yaml");
    try {
      shop.write("Pulumi.test.yaml", file.replace("config:\n", "config:\n  tagalong:release: 1.1.0\n"));
      assert.equal((await entries("test"))["test"]?.state, "steady");
      await shop.push("1.2.0", ["test"]);
      const { test } = await entries("test");
      assert.equal(test?.state, "unauthorised");
      assert.match(
        test?.reasons.join("\n") ?? "",
        /server: the tag carries 1\.2\.0 \(.*\), the config names 1\.1\.0, which is .*: not authorised; it stays at 1\.1\.0/,
      );
      shop.write("Pulumi.test.yaml", file.replace("config:\n", "config:\n  tagalong:release: 1.0.0\n"));
      await shop.push("1.1.0", ["test"]);
      const pending = (await entries("test"))["test"];
      assert.equal(pending?.state, "pending");
      assert.match(
        pending?.reasons[0] ?? "",
        /the config names 1\.0\.0, .* does not carry it yet; pulumi up -s test moves it/,
      );
      shop.write("Pulumi.test.yaml", file.replace("config:\n", "config:\n  tagalong:release: 7.7.7\n"));
      const mistaken = (await entries("test"))["test"];
      assert.equal(mistaken?.state, "refused");
      assert.match(mistaken?.reasons[0] ?? "", /no image has release 7\.7\.7/);
    } finally {
      shop.write("Pulumi.test.yaml", file);
    }
  });

  it("hides no environment because another's registry does not answer, or its file is broken", async () => {
    const dead = `config:\n  tagalong:images:\n    server: { repository: 127.0.0.1:1/shop/server }\n  tagalong:services:\n    server: { image: server, port: 1 }\n`;
    shop.write("Pulumi.gone.yaml", dead);
    shop.write("Pulumi.odd.yaml", "config:\n  tagalong:services: {}\n");
    shop.write("Pulumi.torn.yaml", "config: [\n");
    try {
      const { code, text } = await shop.run((output) => status(["gone", "test"], { cwd }, output));
      assert.equal(code, 4, text);
      assert.match(text, /^gone {2}unknown/m);
      assert.match(text, /127\.0\.0\.1:1/);
      assert.match(text, /^test {2}steady/m);
      const { odd, torn, gone, dev } = await entries();
      assert.deepEqual(
        [odd?.state, torn?.state, gone?.state, dev?.state],
        ["broken", "broken", "unknown", "refused"],
      );
      assert.match(torn?.reasons[0] ?? "", /^Pulumi\.torn\.yaml:2:1/);
      const both = await shop.run((output) => status(["odd", "test"], { cwd }, output));
      assert.equal(both.code, 2);
    } finally {
      for (const name of ["gone", "odd", "torn"]) shop.remove(`Pulumi.${name}.yaml`);
    }
  });

  it("says of an environment that nothing runs in that it is empty", async () => {
    shop.write("Pulumi.new.yaml", shop.read("Pulumi.dev.yaml"));
    try {
      const { new: empty } = await entries("new");
      assert.equal(empty?.state, "empty");
      assert.match(
        empty?.reasons[0] ?? "",
        /^server, client: there is no tag new yet: push one, or name a release/,
      );
      const { text } = await shop.run((output) => history("new", { cwd, number: "20" }, output));
      assert.equal(text, "new has no receipt of a roll yet\n");
    } finally {
      shop.remove("Pulumi.new.yaml");
    }
  });

  it("is held where somebody holds it, whatever else", async () => {
    await shop.run((output) => hold("dev", { cwd, reason: "demo" }, output));
    const { dev } = await entries("dev");
    assert.equal(dev?.state, "held");
    assert.equal(dev?.hold?.reason, "demo");
    assert.match(dev?.reasons[0] ?? "", /put on hold by .*: demo; it goes on with: tagalong resume dev/);
    assert.match(dev?.reasons[1] ?? "", /rejected in dev/);
    await shop.ledger("dev").liftHold("ada@build-7");
  });

  it("is the past, roll by roll, with the time of each step", async () => {
    const { code, text } = await shop.run((output) => history("dev", { cwd, number: "2" }, output));
    assert.equal(code, 0);
    const [newest = "", older = "", ...more] = text.split("\n\n");
    assert.deepEqual(more, []);
    assert.match(
      newest,
      /^2026-11-21 \d\d:\d\d {2}rejected {2}1\.2\.0 {2}watcher of ada@build-7 {2}the tag moved$/m,
    );
    assert.match(newest, /^ {2}server {2}first → [0-9a-f]{12} 1\.2\.0 \(120aaaa\)$/m);
    assert.match(newest, /^ {2}admitted 1\.0 s, pulled 2\.0 s, switched 4\.0 s, live after 7\.0 s$/m);
    assert.match(newest, /^ {2}server exited with code 3; last line: .*boom$/m);
    assert.match(older, /healthy {2}1\.1\.0 {2}up of ada@build-7 {2}the config was edited/);
    assert.match(older, /config at ccccccc/);
    const machine = await shop.run((output) => history("dev", { cwd, number: "20", json: true }, output));
    const { receipts } = JSON.parse(machine.text);
    assert.equal(receipts.length, 3);
    assert.deepEqual(receipts[0].durations, { admitted: 1000, pulled: 2000, switched: 4000 });
    const wrong = await shop.run((output) => history("dev", { cwd, number: "many" }, output));
    assert.equal(wrong.code, 2);
  });

  const found = async (what: string) => {
    const { code, text } = await shop.run((output) => locate(what, { cwd, json: true }, output));
    assert.equal(code, 0, text);
    const result = JSON.parse(text);
    return { ...result, digests: result.images.map(({ digest }: { digest: string }) => digest) };
  };

  it("leads from a commit, a tag, a digest and an environment to all the others", async () => {
    const both = [shop.digestOf("server", "1.1.0"), shop.digestOf("client", "1.1.0")];
    for (const what of ["1.1.0", commitOf("1.1.0"), `sha-${commitOf("1.1.0")}`, "110aaaa", "test"]) {
      const { digests, commit, release } = await found(what);
      assert.deepEqual([digests, commit, release], [both, commitOf("1.1.0"), "1.1.0"], what);
    }
    const one = await found(shop.digestOf("client", "1.1.0"));
    assert.deepEqual(one.digests, [both[1]]);
    assert.equal(one.release, "1.1.0");
    const [{ tags, environments, platforms, repository }] = one.images;
    assert.deepEqual(tags.sort(), ["1.1.0", `sha-${commitOf("1.1.0")}`, "test"]);
    assert.deepEqual(platforms, ["linux/amd64"]);
    assert.equal(repository, shop.repository("client"));
    assert.deepEqual([environments.dev.runs, environments.dev.carries], [true, false]);
    assert.deepEqual([environments.test.runs, environments.test.carries], [true, true]);
    const before = await found("1.0.0");
    assert.equal(before.images[0].environments.dev.runs, false);
    assert.equal(before.images[0].environments.dev.ran.length, 1);
    const rejected = await found("1.2.0");
    assert.equal(rejected.images[0].environments.dev.verdict.outcome, "rejected");
    const { text } = await shop.run((output) => locate("1.2.0", { cwd }, output));
    assert.match(text, /^ {2}dev +– +carries it {2}rejected: server exited with code 3/m);
  });

  it("knows a short commit by the folder's own repository, and one that is several by the records", async () => {
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
        cwd,
        encoding: "utf8",
      }).trim();
    git("init", "-q");
    git("commit", "-q", "--allow-empty", "-m", "one");
    const commit = git("rev-parse", "HEAD");
    const target = { host: shop.registry.host, repository: "shop/server" };
    const { digest } = await pushImage(target, { flavour: "docker", seed: "by commit" }, `sha-${commit}`);
    const { digests, release } = await found(commit.slice(0, 9));
    assert.deepEqual([digests, release], [[digest], `sha-${commit}`]);
    assert.equal((await found(commit)).containedIn, null);
    for (const message of ["two", "three", "four"]) git("commit", "-q", "--allow-empty", "-m", message);
    await pushImage(target, { flavour: "docker", seed: "later" }, `sha-${git("rev-parse", "HEAD")}`);
    const next = await pushImage(
      target,
      { flavour: "docker", seed: "next" },
      `sha-${git("rev-parse", "HEAD~1")}`,
    );
    const between = await found(git("rev-parse", "HEAD~2"));
    assert.deepEqual([between.digests, between.commit], [[next.digest], git("rev-parse", "HEAD~2")]);
    assert.equal(between.containedIn, git("rev-parse", "HEAD~1"));
    const { text } = await shop.run((output) => locate(git("rev-parse", "HEAD~2"), { cwd }, output));
    assert.match(text, /^[0-9a-f]{40} {2}contained in [0-9a-f]{40} {2}release sha-/);
    await shop.rolled("test", "1.1.00", "failed", {
      images: { server: { to: digest, revision: `110b${"0".repeat(36)}` } },
    });
    const several = await shop.run((output) => locate("110", { cwd }, output));
    assert.equal(several.code, 1, "three digits are no commit");
    const apart = await shop.run((output) => locate("110b", { cwd }, output));
    assert.equal(apart.code, 0);
    await shop.rolled("test", "1.1.000", "failed", {
      images: { server: { to: digest, revision: `110b${"1".repeat(36)}` } },
    });
    const both = await shop.run((output) => locate("110b", { cwd }, output));
    assert.deepEqual(
      [both.code, /several commits begin with 110b: 110b1+, 110b0+: write more of it/.test(both.text)],
      [2, true],
    );
  });

  it("says what is nowhere, and what cannot be asked", async () => {
    const cases = [
      ["9.9.9", 1, /no image has a tag 9\.9\.9/],
      ["f".repeat(40), 1, /CI tags its images sha-<commit>/],
      [`sha256:${"f".repeat(64)}`, 1, /no image has the digest/],
      ["fffffff", 1, /no image has a tag fffffff|write all 40 digits/],
      ["not a tag", 2, /none of what can be looked for/],
    ] as const;
    for (const [what, code, expected] of cases) {
      const ended = await shop.run((output) => locate(what, { cwd }, output));
      assert.equal(ended.code, code, ended.text);
      assert.match(ended.text, expected);
    }
  });
});
