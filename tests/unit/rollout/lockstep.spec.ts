import assert from "node:assert/strict";
import { agree, type TaggedImage } from "../../../rollout/lockstep";

const [a, b] = ["a".repeat(40), "b".repeat(40)];
const image = (name: string, digest: string, more: Partial<TaggedImage> = {}): TaggedImage => ({
  image: name,
  digest,
  digestsByCommit: {},
  ...more,
});

describe("Images in lockstep", () => {
  it("agree when they name one commit", () => {
    const images = [image("server", "1", { revision: a }), image("client", "2", { revision: a })];
    assert.deepEqual(agree(images), { kind: "agreed", commit: a });
  });

  it("agree when none says where it is from, and one that does not say takes no side", () => {
    assert.deepEqual(agree([image("server", "1"), image("client", "2")]), { kind: "agreed" });
    const images = [image("server", "1", { revision: a }), image("tools", "2")];
    assert.deepEqual(agree(images), { kind: "agreed", commit: a });
    assert.deepEqual(agree([]), { kind: "agreed" });
  });

  it("agree when a commit's tag carries an image that it did not change", () => {
    const images = [
      image("server", "1", { revision: b }),
      image("client", "2", { revision: a, digestsByCommit: { [b]: "2" } }),
    ];
    assert.deepEqual(agree(images), { kind: "agreed", commit: b });
  });

  it("ask first for the tags of commits that nobody has looked up", () => {
    const images = [image("server", "1", { revision: b }), image("client", "2", { revision: a })];
    const decision = agree(images);
    assert.equal(decision.kind, "undecided");
    assert.deepEqual(decision.kind === "undecided" && [...decision.commits].sort(), [a, b]);
  });

  it("are apart when no commit's tag carries them all, and it is told who is where", () => {
    const images = [
      image("server", "1", { revision: b, digestsByCommit: { [a]: "" } }),
      image("client", "2", { revision: a, digestsByCommit: { [b]: "3" } }),
    ];
    assert.deepEqual(agree(images), {
      kind: "apart",
      reason: "server is at commit bbbbbbbbbbbb, client is at commit aaaaaaaaaaaa",
    });
  });

  it("agree on a commit that all three share although two of them were built elsewhere", () => {
    const c = "c".repeat(40);
    const images = [
      image("server", "1", { revision: c }),
      image("client", "2", { revision: a, digestsByCommit: { [c]: "2", [b]: "" } }),
      image("worker", "3", { revision: b, digestsByCommit: { [c]: "3", [a]: "" } }),
    ];
    assert.deepEqual(agree(images), { kind: "agreed", commit: c });
  });
});
