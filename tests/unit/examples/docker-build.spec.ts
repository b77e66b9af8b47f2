// What docker-build.sh asks of Docker, and in which order, seen by a Docker that only writes down its calls.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";

const script = resolve(__dirname, "../../../examples/shop/docker-build.sh");
const commit = "0123456789abcdef0123456789abcdef01234567";
const digest = `sha256:${"d".repeat(64)}`;

const recorder = `#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
case "$*" in $FAILS) echo 'no such luck'; exit 1 ;; esac
case "$1 $2" in
  'version '*) echo 20.10.24 ;;
  'image inspect') echo 93000000 ;;
  'push '*) echo "tag: digest: ${digest} size: 1234" ;;
esac
`;

describe("examples/shop/docker-build.sh", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "docker-build-"));
    writeFileSync(join(folder, "docker"), recorder);
    chmodSync(join(folder, "docker"), 0o755);
    writeFileSync(join(folder, "calls"), "");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(
    args: string[],
    { fails = "none", env = {} }: { fails?: string; env?: NodeJS.ProcessEnv } = {},
  ) {
    const { status, stdout, stderr } = spawnSync(script, args, {
      encoding: "utf8",
      env: {
        PATH: `${folder}${delimiter}${process.env["PATH"]}`,
        CALLS: join(folder, "calls"),
        FAILS: fails,
        ...env,
      },
    });
    const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    const of = (verb: string) =>
      calls.filter((call) => call.startsWith(`${verb} `)).map((call) => call.slice(verb.length + 1));
    return {
      status,
      stdout,
      stderr,
      builds: of("build"),
      pushes: of("push"),
      tags: of("tag"),
      pulls: of("pull"),
    };
  }

  const all = ["--commit", commit, "--registry", "ghcr.io/acme/shop", "--tag", "dev", "--tag", "1.4.2"];

  it("pushes every sha tag before it moves any other tag", () => {
    const { status, stderr, pushes } = run([...all, "--push"]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(pushes, [
      `ghcr.io/acme/shop/server:sha-${commit}`,
      `ghcr.io/acme/shop/client:sha-${commit}`,
      "ghcr.io/acme/shop/server:dev",
      "ghcr.io/acme/shop/client:dev",
      "ghcr.io/acme/shop/server:1.4.2",
      "ghcr.io/acme/shop/client:1.4.2",
    ]);
  });

  it("pushes nothing and tags nothing when an image is not built", () => {
    const { status, stderr, pushes, tags } = run([...all, "--push"], { fails: "build*client*" });
    assert.equal(status, 1);
    assert.deepEqual([pushes, tags], [[], []]);
    assert.match(stderr, /\| no such luck\nerror: client was not built; nothing was pushed/);
  });

  it("moves no tag when an image is not pushed", () => {
    const { status, stderr, pushes } = run([...all, "--push"], { fails: "push*client:sha-*" });
    assert.equal(status, 1);
    assert.deepEqual(pushes, [
      `ghcr.io/acme/shop/server:sha-${commit}`,
      `ghcr.io/acme/shop/client:sha-${commit}`,
    ]);
    assert.match(stderr, /error: client was not pushed; no moving tag was moved\n.*docker login ghcr\.io/);
  });

  it("says so when only some of the images' tags have moved", () => {
    const { status, stderr } = run([...all, "--push"], { fails: "push*client:dev" });
    assert.equal(status, 1);
    assert.match(stderr, /client:dev was not moved.*\n.*run the same command again/);
  });

  it("without --push only builds and tags", () => {
    const { status, stdout, pushes, tags } = run([...all, "--json", "server"]);
    assert.equal(status, 0);
    assert.deepEqual(pushes, []);
    assert.equal(tags.length, 2);
    assert.deepEqual(JSON.parse(stdout), {
      images: {
        server: {
          reference: `ghcr.io/acme/shop/server:sha-${commit}`,
          digest: null,
          tags: [`sha-${commit}`, "dev", "1.4.2"],
        },
      },
    });
  });

  it("prints references by digest once pushed, and nothing else on standard output", () => {
    const { stdout } = run([...all, "--push", "--json"]);
    const { images } = JSON.parse(stdout);
    assert.deepEqual(Object.keys(images), ["server", "client"]);
    assert.equal(images.client.reference, `ghcr.io/acme/shop/client@${digest}`);
    assert.equal(images.client.digest, digest);
    assert.equal(run(all).stdout, "");
  });

  it("passes on version, commit, base and kind of breakage", () => {
    const { builds } = run([...all, "--version=1.4.2", "--base", "base:1", "--broken", "slow", "client"]);
    assert.equal(builds.length, 1);
    for (const part of ["VERSION=1.4.2", `REVISION=${commit}`, "BASE=base:1", "BROKEN=slow"]) {
      assert.ok(
        builds[0]?.includes(` --build-arg ${part} `),
        `${part} is missing in: docker build ${builds[0]}`,
      );
    }
  });

  it("takes registry and base from the environment unless told", () => {
    const env = { SHOP_REGISTRY: "127.0.0.1:5000/a", SHOP_BASE: "base:2" };
    const { builds } = run(["--commit", commit, "server"], { env });
    assert.match(builds[0] ?? "", /--tag 127\.0\.0\.1:5000\/a\/server:sha-.*BASE=base:2/);
  });

  it("names the sources that a CI run builds from", () => {
    const { builds } = run(["--commit", commit, "server"], { env: { GITHUB_REPOSITORY: "acme/shop" } });
    assert.match(builds[0] ?? "", /SOURCE=https:\/\/github\.com\/acme\/shop /);
  });

  for (const [fails, message] of [
    ["version*", /the Docker engine does not answer: no such luck\n +start it/],
    ["*base:1*", /the base image base:1 is out of reach: no such luck\n.*--base IMAGE/],
  ] satisfies [string, RegExp][]) {
    it(`says how to go on when docker fails at ${fails}`, () => {
      const { status, stderr, builds } = run([...all, "--base", "base:1"], { fails });
      assert.equal(status, 1);
      assert.match(stderr, message);
      assert.deepEqual(builds, []);
    });
  }

  for (const [args, message] of [
    [["--tag", "a/b"], /--tag: 'a\/b' is not a tag/],
    [["--tag"], /--tag needs a value/],
    [["--commit", "c0ffee"], /--commit: 'c0ffee' is not a commit\n.*40 hex digits/],
    [["--registry", "Acme"], /--registry: 'Acme' is not a registry and a path/],
    [["--version", "1 2"], /--version: '1 2' is not a version/],
    [["--broken", "badly"], /the kinds are unhealthy, exit and slow/],
    [["web"], /there is no image 'web'\n.*server and client/],
    [["--fast"], /unknown option --fast\n.*--help/],
  ] satisfies [string[], RegExp][]) {
    it(`refuses ${args.join(" ")}`, () => {
      const { status, stderr, builds } = run(args);
      assert.equal(status, 1);
      assert.match(stderr, message);
      assert.deepEqual(builds, []);
    });
  }
});
