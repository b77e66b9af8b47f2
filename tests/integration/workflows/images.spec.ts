// From a commit to tags that have moved: the scripts of image.yml and check.yml, with Git and a registry.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { host, Shop, sha256 } from "../../workflows/shop";

const sources = {
  "server/Dockerfile": "FROM scratch\n",
  "client/Dockerfile": "FROM scratch\n",
  "shared/a.txt": "1\n",
  "README.md": "the shop\n",
};

describe("Which images changed", function () {
  this.timeout(240_000);
  let shop: Shop;
  let first: string;
  const kept: Record<string, string> = {};

  /** What the default branch would build. */
  const changed = async (env: NodeJS.ProcessEnv = {}) => {
    const { status, said, outputs } = await shop.script("changes", env);
    assert.equal(status, 0, said);
    return JSON.parse(outputs["images"] ?? "") as string[];
  };

  before(async () => {
    shop = new Shop();
    first = shop.commit(sources);
    for (const image of shop.images) kept[image] = await shop.release(image, first, `sha-${first}`);
  });
  after(() => shop.remove());

  it("is none on the commit that was built, so a run that is run again builds nothing", async () => {
    assert.deepEqual(await changed(), []);
    const { outputs } = await shop.script("changes");
    assert.deepEqual(JSON.parse(outputs["kept"] ?? ""), kept);
  });

  it("is none where only words or another project change", async () => {
    shop.commit({ "README.md": "more\n", "docs/a.txt": "a\n", "tagalong/Pulumi.dev.yaml": "config: {}\n" });
    assert.deepEqual(await changed(), []);
  });

  it("is one where one image's folder changes", async () => {
    shop.commit({ "server/main.txt": "2\n" });
    assert.deepEqual(await changed(), ["server"]);
    const [build, ...more] = JSON.parse((await shop.script("changes")).outputs["builds"] ?? "");
    assert.deepEqual(more, []);
    assert.deepEqual(build, {
      image: "server",
      repository: shop.repository("server"),
      context: ".",
      dockerfile: "server/Dockerfile",
      platform: "linux/amd64",
      runner: "ubuntu-24.04",
      slug: "server.linux-amd64",
    });
  });

  it("is still one after another commit, whose predecessor was never built", async () => {
    shop.commit({ "README.md": "even more\n" });
    assert.deepEqual(await changed(), ["server"]);
  });

  it("is all where they share what changes", async () => {
    shop.commit({ "shared/a.txt": "2\n" });
    assert.deepEqual(await changed(), ["client", "server"]);
  });

  it("of a pull request is what it changes itself, not what the branch went on to", async () => {
    shop.git("checkout", "--quiet", "-b", "feature", first);
    shop.commit({ "client/b.txt": "b\n" });
    assert.deepEqual(await changed({ BASE: shop.git("rev-parse", "origin/main") }), ["client"]);
    shop.git("checkout", "--quiet", "main");
  });

  it("is all where the workflow itself changes", async () => {
    shop.render({ platforms: ["linux/amd64", "linux/arm64"] });
    const base = shop.git("rev-parse", "HEAD");
    shop.commit({});
    assert.deepEqual(await changed({ BASE: base }), ["client", "server"]);
  });

  it("says the version as far as the last one", async () => {
    assert.match((await shop.script("changes")).outputs["version"] ?? "", /^0\.0\.0-g[0-9a-f]{12}$/);
    shop.git("tag", "--annotate", "--message", "x", "v1.4.2", "HEAD~1");
    assert.match((await shop.script("changes")).outputs["version"] ?? "", /^1\.4\.2-1-g[0-9a-f]+$/);
  });

  it("is no guess where the base is not in the history", async () => {
    const { status, said } = await shop.script("changes", { BASE: "0".repeat(40) });
    assert.equal(status, 1);
    assert.match(said, /^::error::git merge-base/);
  });
});

describe("Merging platforms and moving tags", function () {
  this.timeout(240_000);
  let shop: Shop;

  beforeEach(() => {
    shop = new Shop({ platforms: ["linux/amd64", "linux/arm64"], images: { client: { budget: "1Mi" } } });
    shop.commit(sources);
  });
  afterEach(() => shop.remove());

  const head = () => shop.git("rev-parse", "HEAD");

  /** What the builds of an image leave behind. */
  function leave(image: string, digests: readonly string[]): NodeJS.ProcessEnv {
    digests.forEach((digest, index) => {
      const folder = join(shop.folder, "digests", image, `digest.${image}.${index}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "digest"), `${digest}\n`);
    });
    const DIGESTS = join(shop.folder, "digests", image);
    return { IMAGE: image, DIGESTS, REVISION: head(), VERSION: "1.0.0", GITHUB_REPOSITORY: "acme/shop" };
  }

  /** Moves the tags to what was built, and goes on with the rest. */
  function move(
    built: Record<string, string>,
    kept: Record<string, string> = {},
    env: NodeJS.ProcessEnv = {},
  ) {
    for (const [image, digest] of Object.entries(built)) {
      mkdirSync(join(shop.folder, "built", `index.${image}`), { recursive: true });
      writeFileSync(join(shop.folder, "built", `index.${image}`, "digest"), `${digest}\n`);
    }
    const BUILT = join(shop.folder, "built");
    return shop.script("move", { BUILT, KEPT: JSON.stringify(kept), MOVE: "true", ...env });
  }

  it("makes one index of two platforms, whose digest the tags of the image then share", async () => {
    const parts = await Promise.all(
      ["amd64", "arm64"].map((architecture) => shop.push("server", { architecture, revision: head() })),
    );
    const merged = await shop.script("merge", leave("server", parts));
    assert.equal(merged.status, 0, merged.said);
    const digest = merged.outputs["digest"] ?? "";
    const index = await shop.ask("server", "GET", `manifests/${digest}`, {
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    const text = await index.text();
    assert.equal(sha256(text), digest);
    const { manifests, annotations } = JSON.parse(text);
    assert.deepEqual(
      manifests.map((one: { digest: string; platform: unknown }) => [one.digest, one.platform]).sort(),
      parts.map((part, at) => [part, { os: "linux", architecture: ["amd64", "arm64"][at] }]).sort(),
    );
    assert.equal(annotations["org.opencontainers.image.revision"], head());
    const client = await shop.release("client", head());
    const moved = await move({ server: digest }, { client });
    assert.equal(moved.status, 0, moved.said);
    for (const tag of [`sha-${head()}`, "latest", "dev"]) {
      assert.equal(await shop.carried("server", tag), digest, tag);
      assert.equal(await shop.carried("client", tag), client, tag);
    }
  });

  it("says that something rolls only where an image is of the commit, and an environment follows", async () => {
    const rolls = async (...args: Parameters<typeof move>) => (await move(...args)).outputs["rolls"];
    const other = shop.commit({ "README.md": "a word\n" });
    const kept = { server: await shop.release("server", head()), client: await shop.release("client", "") };
    assert.equal(await rolls({}, kept, { MOVE: "false" }), "false", "a release");
    assert.equal(await rolls({}, kept), "true");
    assert.equal(await rolls({}, kept), "true", "the same run again");
    shop.commit({ "README.md": "another word\n" });
    assert.equal(await rolls({}, kept), "false", "no image of this commit");
    shop.git("checkout", "--quiet", "--detach", `${other}~1`);
    assert.equal(await rolls({}, kept), undefined, "an old run");
  });

  it("refuses an image that lacks a platform", async () => {
    const { status, said } = await shop.script("merge", leave("server", [await shop.push("server")]));
    assert.equal(status, 1);
    assert.match(
      said,
      /server was built for linux\/amd64, and is to be for linux\/amd64, linux\/arm64 — run all jobs again/,
    );
  });

  it("fails an image over its budget with the layer that grew, and leaves its tags alone", async () => {
    const before = await shop.push("client", { layer: "x".repeat(400_000) });
    await shop.tag("client", before, `sha-${head()}`);
    shop.commit({ "client/more.txt": "more\n" });
    const parts = await Promise.all(
      ["amd64", "arm64"].map((architecture) =>
        shop.push("client", { architecture, layer: "y".repeat(1_200_000) }),
      ),
    );
    const { status, said } = await shop.script("merge", leave("client", parts));
    assert.equal(status, 1);
    assert.match(
      said,
      /client \(linux\/amd64\) has 1\.2 MB and a budget of 1\.0 MB: 0\.2 MB too much\. The layer that grew: COPY src \. grew from 0\.4 MB to 1\.2 MB/,
    );
    assert.match(said, /raise tagalong:workflows\.images\.client\.budget/);
    assert.equal(await shop.carried("client", "dev"), undefined);
  });

  it("moves nothing where an image is neither built nor there from before", async () => {
    const server = await shop.release("server", head());
    const { status, said } = await move({ server });
    assert.equal(status, 1);
    assert.match(said, /client was neither built nor is there an earlier one; no tag was moved/);
    assert.equal(await shop.carried("server", `sha-${head()}`), undefined);
  });

  it("does not take anybody back when an old run is run again", async () => {
    const old = head();
    const images = { server: await shop.release("server", old), client: await shop.release("client", old) };
    const next = shop.commit({ "server/a.txt": "a\n" });
    const server = await shop.release("server", next, "latest", "dev");
    shop.git("checkout", "--quiet", "--detach", old);
    const { status, said } = await move(images);
    assert.equal(status, 0, said);
    assert.match(said, /::notice::latest, dev stay where they are: server:latest is of/);
    assert.equal(await shop.carried("server", "dev"), server);
    assert.equal(await shop.carried("server", `sha-${old}`), images.server);
  });

  it("keeps to a commit's image where somebody else was faster", async () => {
    const first = await shop.release("server", head(), `sha-${head()}`);
    const again = await shop.push("server", { revision: head(), layer: "the same, built later" });
    const client = await shop.release("client", head());
    assert.equal((await move({ server: again, client })).status, 0);
    assert.equal(await shop.carried("server", `sha-${head()}`), first);
    assert.equal(await shop.carried("server", "dev"), first);
  });

  it("leaves what environments follow alone when it builds for a release", async () => {
    const images = {
      server: await shop.release("server", head()),
      client: await shop.release("client", head()),
    };
    assert.equal((await move(images, {}, { MOVE: "false" })).status, 0);
    assert.equal(await shop.carried("server", `sha-${head()}`), images.server);
    assert.equal(await shop.carried("server", "dev"), undefined);
  });

  it("proves write access, and leaves no upload behind", async () => {
    const { status, said } = await shop.script("access");
    assert.equal(status, 0, said);
    assert.match(said, /client: may be pushed to\n.*server: may be pushed to/);
  });
});

describe("A registry that says no", () => {
  /** Runs a script against a registry of one's own making. */
  async function against(listener: RequestListener, script: string): Promise<string> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await new Promise((ready) => server.once("listening", ready));
    const shop = new Shop();
    try {
      const file = join(shop.work, ".github/tagalong/settings.json");
      const { port } = server.address() as AddressInfo;
      const text = readFileSync(file, "utf8").replaceAll(
        /"repository": "[^/"]+\//g,
        `"repository": "127.0.0.1:${port}/`,
      );
      shop.commit({ ...sources, ".github/tagalong/settings.json": text });
      const { status, said } = await shop.script(script);
      assert.equal(status, 1, said);
      return said;
    } finally {
      server.close();
      shop.remove();
    }
  }

  it("is told before the build, of every image at once", async () => {
    const said = await against((request, response) => {
      response.writeHead(request.method === "POST" ? 403 : 404).end('{"errors":[{"code":"DENIED"}]}');
    }, "access");
    assert.match(said, /no write access to .*client \(HTTP 403.*%0Ano write access to .*server/);
  });

  it("in the middle of moving tags has those before it moved back", async () => {
    const shop = new Shop();
    const commit = shop.commit(sources);
    const before: Record<string, string> = {};
    for (const image of shop.images) before[image] = await shop.release(image, "", "latest", "dev");
    for (const image of shop.images) {
      const digest = await shop.push(image, { revision: commit, layer: "new" });
      mkdirSync(join(shop.folder, "built", `index.${image}`), { recursive: true });
      writeFileSync(join(shop.folder, "built", `index.${image}`, "digest"), digest);
    }
    const proxy = createServer(async (request, response) => {
      const isRefused = request.method === "PUT" && request.url?.endsWith("/client/manifests/dev");
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { host: _, connection: __, "content-length": ___, ...headers } = request.headers;
      const init = { method: request.method ?? "", headers: headers as Record<string, string> };
      const body = chunks.length > 0 ? { body: new Uint8Array(Buffer.concat(chunks)) } : {};
      const answer = isRefused
        ? new Response("{}", { status: 403 })
        : await fetch(`http://${host}${request.url}`, { ...init, ...body });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
    }).listen(0, "127.0.0.1");
    await new Promise((ready) => proxy.once("listening", ready));
    try {
      const file = join(shop.work, ".github/tagalong/settings.json");
      const { port } = proxy.address() as AddressInfo;
      writeFileSync(file, readFileSync(file, "utf8").replaceAll(host, `127.0.0.1:${port}`));
      const BUILT = join(shop.folder, "built");
      const { status, said } = await shop.script("move", { BUILT, KEPT: "{}", MOVE: "true" });
      assert.equal(status, 1);
      assert.match(said, /client: dev was not written \(HTTP 403.*; every tag carries what it did before/);
      for (const image of shop.images)
        for (const tag of ["latest", "dev"]) assert.equal(await shop.carried(image, tag), before[image], tag);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
      shop.remove();
    }
  });

  it("is never taken for a missing image", async () => {
    const said = await against((_, response) => {
      response.writeHead(403).end();
    }, "changes");
    assert.match(said, /sha-[0-9a-f]{40} cannot be read \(HTTP 403\)/);
  });
});
