// What docker-build.mjs, rendered into a repository, asks of Docker: seen by a Docker that only writes down its calls.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type * as Git from "../../../workflows/scripts/git.mjs";
import { run, write } from "../../workflows/programs";
import { render } from "./given";
import { importScript } from "./import-script";

const recorder = `#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word" >>"$CALLS"; done
case "$*" in *"$FAILS"*) echo 'no such luck' >&2; exit 1 ;; esac
`;

describe("docker-build.mjs", () => {
  let folder: string;

  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=Ada", "-c", "user.email=ada@acme.example", ...args], folder).said.trim();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "docker-build-"));
    git("init", "--quiet");
    write(
      folder,
      render({ images: { server: { context: "server", dockerfile: "server/build/Dockerfile" } } }),
    );
    writeFileSync(join(folder, ".gitignore"), "docker\ncalls\n");
    writeFileSync(join(folder, "docker"), recorder);
    chmodSync(join(folder, "docker"), 0o755);
    writeFileSync(join(folder, "calls"), "");
    git("add", "--all");
    git("commit", "--quiet", "--message", "All");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Started as a program, from anywhere. */
  function build(args: string[] = [], fails = "nothing") {
    const PATH = `${folder}${delimiter}${process.env["PATH"]}`;
    const env = { PATH, CALLS: join(folder, "calls"), FAILS: fails };
    const ended = run(join(folder, ".github/tagalong/docker-build.mjs"), args, tmpdir(), env);
    const calls = readFileSync(join(folder, "calls"), "utf8").split(/^(?=build$)/m);
    return { ...ended, calls: calls.filter(Boolean).map((call) => call.trim().split("\n")) };
  }
  /** The values of an option. */
  const values = (call: readonly string[] | undefined, option: string) =>
    (call ?? []).flatMap((word, index) => (call?.[index - 1] === option ? [word] : []));

  it("builds every image for this machine, pushes nothing, and says their names", () => {
    const { status, said, calls } = build();
    assert.equal(status, 0, said);
    assert.equal(said, "ghcr.io/acme/shop/client:local\nghcr.io/acme/shop/server:local\n");
    const [client, server, ...more] = calls;
    assert.deepEqual(more, []);
    assert.deepEqual(values(server, "--file"), ["server/build/Dockerfile"]);
    assert.deepEqual([server?.at(-1), client?.at(-1)], ["server", "."]);
    assert.deepEqual(values(client, "--platform"), []);
    assert.deepEqual(values(client, "--tag"), ["ghcr.io/acme/shop/client:local"]);
  });

  it("tells an image what image.yml tells it: version, commit, time and source", () => {
    git("remote", "add", "origin", "https://ada:s3cret@github.com/acme/shop.git");
    git("tag", "--annotate", "--message", "x", "v1.4.2");
    const [call] = build(["client", "--build-arg", "MODE=fast"]).calls;
    const told = {
      VERSION: "1.4.2",
      REVISION: git("rev-parse", "HEAD"),
      CREATED: git("show", "--no-patch", "--format=%cI"),
      SOURCE: "https://github.com/acme/shop",
    };
    const pairs = Object.entries(told);
    assert.deepEqual(values(call, "--build-arg"), [
      ...pairs.map(([key, value]) => `${key}=${value}`),
      "MODE=fast",
    ]);
    assert.deepEqual(
      values(call, "--label"),
      pairs.map(([key, value]) => `org.opencontainers.image.${key.toLowerCase()}=${value}`),
    );
  });

  it("says in the version that files have changed since the commit", () => {
    writeFileSync(join(folder, "more.txt"), "more\n");
    const { said, calls } = build(["server", "--tag", "a", "--tag", "b"]);
    assert.match(
      said,
      /^warning: there are changes that are not committed: this is 0\.0\.0-g[0-9a-f]{12}-dirty$/m,
    );
    assert.match(values(calls[0], "--build-arg")[0] ?? "", /-dirty$/);
    assert.deepEqual(values(calls[0], "--tag"), ["ghcr.io/acme/shop/server:a", "ghcr.io/acme/shop/server:b"]);
  });

  for (const [args, message] of [
    [["web"], /^error: there is no image "web" — the images are client, server\n$/],
    [["--fast"], /^error: Unknown option '--fast'.* — see \.github\/tagalong\/docker-build\.mjs --help\n$/s],
  ] satisfies [string[], RegExp][]) {
    it(`refuses ${args.join(" ")}`, () => {
      const { status, said, calls } = build(args);
      assert.deepEqual([status, calls], [1, []]);
      assert.match(said, message);
    });
  }

  it("ends at the first image that docker does not build", () => {
    const { status, said, calls } = build([], "client");
    assert.equal(status, 1);
    assert.match(said, /^no such luck\nerror: client was not built/);
    assert.equal(calls.length, 1);
  });

  for (const [origin, source] of [
    ["git@github.com:acme/shop.git", "https://github.com/acme/shop"],
    ["ssh://git@github.com/acme/shop", "https://github.com/acme/shop"],
    ["https://token@ghe.acme.example/acme/shop.git", "https://ghe.acme.example/acme/shop"],
    ["/srv/git/shop.git", undefined],
  ] as const) {
    it(`takes ${origin} for ${source ?? "no source"}`, async () => {
      const { sourceOf } = await importScript<typeof Git>("git.mjs");
      git("remote", "add", "origin", origin);
      assert.equal(sourceOf(folder), source);
    });
  }
});
