// Moving tags, with a registry in memory that fails where it is told to: all of them move, or none.
import assert from "node:assert/strict";
import { type Move, moveTags, type TagRegistry } from "../../../provider/moveTags";
import {
  atDigest,
  atTag,
  formatReference,
  parseReference,
  type Reference,
  RegistryError,
} from "../../../registry";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const [older, newer, foreign] = ["a", "b", "c"].map(digest) as [string, string, string];
const images = ["client", "server", "worker"];
const repository = (image: string) => parseReference(`ghcr.io/acme/shop/${image}`);
const name = (image: string) => `ghcr.io/acme/shop/${image}:test`;

/** What each image's tag carries, and a hook before each of its operations. */
class Registry implements TagRegistry {
  readonly log: string[] = [];
  /** Called before an operation: throws in its place, or lets something happen first. */
  before: (operation: string, image: string) => void = () => {};

  constructor(readonly tags: Map<string, string>) {}

  async resolve(tag: Reference) {
    this.note("resolve", tag);
    const carried = this.tags.get(formatReference(tag));
    if (carried === undefined) return { kind: "none" as const };
    return {
      kind: "found" as const,
      digest: carried as `sha256:${string}`,
      mediaType: "application/vnd.oci.image.index.v1+json" as const,
    };
  }
  async manifest(reference: Reference) {
    this.note("manifest", reference);
    const children = reference.digest === newer ? [{ digest: digest("d") }] : undefined;
    const parsed = children ? { kind: "index", manifests: children } : { kind: "image" };
    return { digest: reference.digest, parsed } as unknown as Awaited<ReturnType<TagRegistry["manifest"]>>;
  }
  async copy(_from: Reference, to: Reference) {
    this.note("copy", to);
  }
  async retag(from: Reference, to: Reference) {
    this.note("retag", to);
    this.tags.set(formatReference(to), from.digest ?? "");
  }
  private note(operation: string, reference: Reference) {
    const image = reference.repository.split("/").at(-1) ?? "";
    this.log.push(`${operation} ${image}`);
    this.before(operation, image);
  }
}

const moves = (recorded?: string): Move[] =>
  images.map((image) => ({
    image,
    source: { ...atDigest(repository(image), newer), digest: newer } as Move["source"],
    tag: atTag(repository(image), "test"),
    recorded,
  }));
const carrying = (of: string) => new Map(images.map((image) => [name(image), of]));
const down = () => {
  throw new RegistryError("network", "the registry hung up");
};
const run = (registry: Registry, recorded?: string) =>
  moveTags(registry, moves(recorded), new AbortController().signal);

describe("Moving the tags of a release", function () {
  this.timeout(10_000);

  it("moves all of them, and says what they carried", async () => {
    const registry = new Registry(carrying(older));
    assert.deepEqual(await run(registry), { client: older, server: older, worker: older });
    assert.deepEqual(registry.tags, carrying(newer));
  });

  it("looks at all of it, children included, before the first tag moves", async () => {
    const registry = new Registry(carrying(older));
    await run(registry);
    const first = registry.log.findIndex((line) => line.startsWith("retag"));
    const before = registry.log.slice(0, first).sort();
    assert.deepEqual(
      before,
      images
        .flatMap((image) => [`copy ${image}`, `manifest ${image}`, `manifest ${image}`, `resolve ${image}`])
        .sort(),
    );
  });

  it("writes nothing where the tags carry the release already", async () => {
    const registry = new Registry(carrying(newer));
    await run(registry);
    assert.deepEqual([...new Set(registry.log.map((line) => line.split(" ")[0]))], ["resolve"]);
  });

  it("touches no tag when one image may not be pushed, and names it", async () => {
    const registry = new Registry(carrying(older));
    registry.before = (operation, image) => {
      if (operation === "copy" && image === "server")
        throw new RegistryError("access", "no permission to write");
    };
    await assert.rejects(run(registry), { message: "no tag was moved:\n  server: no permission to write" });
    assert.deepEqual(registry.tags, carrying(older));
  });

  it("leaves all as they were, whichever request of it the registry fails, and moves them the next time", async () => {
    const good = new Registry(carrying(older));
    await run(good);
    for (let failing = 0; failing < good.log.length; failing++) {
      const registry = new Registry(carrying(older));
      registry.before = () => {
        if (registry.log.length === failing + 1) down();
      };
      const outcome = await run(registry).then(
        () => "moved",
        (error: Error) => error.message,
      );
      const expected = outcome === "moved" ? newer : older;
      assert.deepEqual(registry.tags, carrying(expected), `request ${failing}: ${outcome}`);
      if (outcome !== "moved")
        assert.match(outcome, /^no tag was moved:|All of them carry what they carried before/);
      registry.before = () => {};
      await run(registry);
      assert.deepEqual(registry.tags, carrying(newer));
    }
  });

  it("says which tags it could not put back, when the registry is gone for good", async () => {
    const registry = new Registry(carrying(older));
    let isDead = false;
    registry.before = (operation, image) => {
      isDead ||= operation === "retag" && image === "worker";
      if (isDead) down();
    };
    await assert.rejects(run(registry), (error: Error) => {
      assert.match(
        error.message,
        /Some could not be put back:\n {2}client: \S+:test: it may carry sha256:b+ instead of sha256:a+: the registry hung up/,
      );
      assert.match(error.message, /until then nothing rolls to what they carry now$/);
      return true;
    });
    registry.before = () => {};
    await run(registry, older);
    assert.deepEqual(registry.tags, carrying(newer));
  });

  it("goes back, after a move that was killed half way, to what was recorded last", async () => {
    const registry = new Registry(carrying(older).set(name("client"), newer));
    registry.before = (operation, image) => {
      if (operation === "retag" && image === "worker" && registry.tags.get(name("worker")) === older) down();
    };
    await assert.rejects(run(registry, older), /All of them carry what they carried before/);
    assert.deepEqual(registry.tags, carrying(older));
  });

  it("says of a tag that was not there before that it stays", async () => {
    const registry = new Registry(new Map());
    registry.before = (operation, image) => {
      if (operation === "retag" && image === "worker") down();
    };
    await assert.rejects(
      run(registry),
      /client: \S+:test: there was no such tag before, and registries do not let a tag alone be removed, so it carries sha256:b+ now/,
    );
  });

  it("names the digest that somebody else moved a tag to at the same time, and leaves it there", async () => {
    const registry = new Registry(carrying(older));
    let looks = 0;
    registry.before = (operation, image) => {
      if (operation === "resolve" && image === "server" && ++looks === 2)
        registry.tags.set(name("server"), foreign);
    };
    await assert.rejects(run(registry), (error: Error) => {
      assert(
        error.message.includes(
          `server: ${name("server")}: somebody else moved it at the same time, to ${foreign}`,
        ),
      );
      return true;
    });
    assert.deepEqual(registry.tags, carrying(older).set(name("server"), foreign));
  });

  it("waits for a registry that shows for a moment what it had before", async () => {
    const registry = new Registry(carrying(older));
    let looks = 0;
    registry.before = (operation, image) => {
      if (operation !== "resolve" || image !== "server") return;
      looks++;
      registry.tags.set(name("server"), looks === 3 ? newer : older);
    };
    await run(registry);
    assert.deepEqual(registry.tags, carrying(newer));
  });

  it("moves nothing once it is cancelled", async () => {
    const registry = new Registry(carrying(older));
    const cancel = new AbortController();
    registry.before = (operation) => {
      if (operation === "copy") cancel.abort(new Error("the update was cancelled"));
    };
    await assert.rejects(moveTags(registry, moves(), cancel.signal), /the update was cancelled/);
    assert.deepEqual(registry.tags, carrying(older));
  });
});
