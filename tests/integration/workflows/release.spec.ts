// Which tags make a release, what they do to the images, and what is published; with Git, a registry and a GitHub.
import assert from "node:assert/strict";
import { GitHub } from "../../workflows/github";
import { Shop } from "../../workflows/shop";

describe("A release", function () {
  this.timeout(240_000);
  let shop: Shop;
  let github: GitHub;
  let commit: string;
  const digests: Record<string, string> = {};

  before(async () => {
    github = await GitHub.start();
    shop = new Shop();
    commit = shop.commit({ "server/Dockerfile": "FROM scratch\n" }, "feat: a server");
    for (const image of shop.images) digests[image] = await shop.release(image, commit, `sha-${commit}`);
  });
  after(async () => {
    await github.close();
    shop.remove();
  });

  /** Pushes a tag and checks it out as a workflow does, which flattens it. */
  function tagged(name: string, ...args: string[]): void {
    shop.git("tag", "--force", ...args, name);
    shop.git("push", "--quiet", "--force", "origin", `refs/tags/${name}`);
    const at = shop.git("rev-parse", `${name}^{commit}`);
    shop.git("tag", "--force", name, at);
    shop.git("checkout", "--quiet", "--detach", at);
  }
  const release = (TAG: string, STEP: "check" | "tag" = "check") => shop.script("release", { TAG, STEP });

  it("is refused for a lightweight tag, with the way to a right one", async () => {
    tagged("v0.9.0");
    const { status, said } = await release("v0.9.0");
    assert.equal(status, 1);
    assert.match(said, /the tag v0\.9\.0 is lightweight: .* git tag --force --annotate v0\.9\.0/);
  });

  it("is refused for a tag off the default branch", async () => {
    shop.git("checkout", "--quiet", "-b", "side");
    shop.commit({ "server/side.txt": "x\n" });
    tagged("v0.9.1", "--annotate", "--message", "x");
    const { status, said } = await release("v0.9.1");
    assert.equal(status, 1);
    assert.match(said, /v0\.9\.1 is on [0-9a-f]{40}, which is not on main — merge it into main first/);
    shop.git("checkout", "--quiet", "main");
  });

  it("is refused for a tag that is no version", async () => {
    tagged("vnext", "--annotate", "--message", "x");
    const { status, said } = await release("vnext");
    assert.equal(status, 1);
    assert.match(said, /"vnext" makes no release/);
  });

  it("gives the built images the version's tags, all of them, and builds nothing", async () => {
    tagged("v1.0.0", "--annotate", "--message", "The first\n\nIt serves.");
    const checked = await release("v1.0.0");
    assert.equal(checked.status, 0, checked.said);
    assert.deepEqual([checked.outputs["absent"], checked.outputs["prerelease"]], ["[]", "false"]);
    const { status, said, outputs } = await release("v1.0.0", "tag");
    assert.equal(status, 0, said);
    for (const image of shop.images)
      for (const tag of ["1.0.0", "1.0", "latest"])
        assert.equal(await shop.carried(image, tag), digests[image], `${image}:${tag}`);
    assert.deepEqual(
      JSON.parse(outputs["images"] ?? "").map(({ image }: { image: string }) => image),
      [...shop.images].sort(),
    );
  });

  it("is published with the tag's message first, the changes, and the images by digest", async () => {
    const images = JSON.stringify(
      shop.images.map((image) => ({ image, repository: shop.repository(image), digest: digests[image] })),
    );
    const CHANGELOG = ".git/description";
    // As each job's own checkout leaves it.
    shop.git("tag", "--force", "v1.0.0", "v1.0.0^{commit}");
    const env = { ...github.env(), TAG: "v1.0.0", IMAGES: images, CHANGELOG, ATTESTED: "true" };
    const { status, said } = await shop.script("publish", env);
    assert.equal(status, 0, said);
    const [made, ...more] = github.releases;
    assert.deepEqual(more, []);
    assert.deepEqual([made?.name, made?.draft, made?.prerelease], ["1.0.0", false, false]);
    assert.match(made?.body ?? "", /^The first\n\nIt serves\.\n\n## Changes\n\nUnnamed repository/);
    assert.match(made?.body ?? "", new RegExp(`${digests["server"]}`));
    assert.deepEqual(JSON.parse(made?.assets[0]?.text ?? ""), JSON.parse(images));
    const order = github.asked.filter((one) => !one.startsWith("GET"));
    assert.deepEqual(
      order.map((one) => one.replace(/\/\d+/, "/N").replace("/repos/acme/shop", "")),
      ["POST /releases", "POST /releases/N/assets", "PATCH /releases/N"],
    );
    assert.equal((await shop.script("publish", env)).status, 0);
    assert.equal(github.releases.length, 1);
    assert.equal(github.releases[0]?.assets.length, 1);
    assert.equal(github.releases[0]?.make_latest, "true");
  });

  it("is not what GitHub calls the latest where there is a higher version", async () => {
    shop.git("tag", "--annotate", "--message", "A fix of the old line", "v0.8.1");
    shop.git("push", "--quiet", "origin", "refs/tags/v0.8.1");
    const env = { ...github.env(), TAG: "v0.8.1", IMAGES: "[]" };
    assert.equal((await shop.script("publish", env)).status, 0);
    const made = github.releases.find(({ tag_name }) => tag_name === "v0.8.1");
    assert.deepEqual([made?.make_latest, made?.prerelease], ["false", false]);
  });

  it("names the images that are still to be built, and tags none before they are", async () => {
    shop.git("checkout", "--quiet", "main");
    const next = shop.commit({ "server/b.txt": "b\n" });
    await shop.release("server", next, `sha-${next}`);
    tagged("v1.1.0", "--annotate", "--message", "x");
    assert.equal((await release("v1.1.0")).outputs["absent"], '["client"]');
    const { status, said } = await release("v1.1.0", "tag");
    assert.equal(status, 1);
    assert.match(said, /client has no image of [0-9a-f]{40}; no tag was moved/);
    assert.equal(await shop.carried("server", "1.1.0"), undefined);
  });

  it("never changes a version that is there", async () => {
    shop.git("checkout", "--quiet", "main");
    shop.commit({ "server/c.txt": "c\n" });
    tagged("v1.0.0", "--annotate", "--message", "again");
    const { status, said } = await release("v1.0.0");
    assert.equal(status, 1);
    assert.match(said, /client:1\.0\.0 is sha256:\w+ already, .* release the next one/);
  });
});
