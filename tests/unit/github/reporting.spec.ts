import assert from "node:assert/strict";
import {
  commitsOf,
  descriptionOf,
  isNews,
  isProduction,
  payloadOf,
  type Status,
  statusOf,
} from "../../../github/reporting";
import type { Receipt } from "../../../rollout/record";
import { commitA, commitB, receipt } from "../../github/receipts";

describe("A receipt as a GitHub deployment", () => {
  const hops = { observed: "2026-11-21T16:15:00.000Z", switched: "2026-11-21T16:15:04.200Z" };
  const statuses: [string, Partial<Receipt>, string, string][] = [
    ["a roll under way", {}, "in_progress", "Rolling to server 1.4.2"],
    ["a roll to a release", { release: "1.4.2" }, "in_progress", "Rolling to 1.4.2"],
    [
      "what serves and may still go back",
      { outcome: "live", hops },
      "in_progress",
      "Serving since 2026-11-21T16:15:04.200Z; its soak time is not over",
    ],
    [
      "what serves since nobody knows when",
      { outcome: "live", hops: {} },
      "in_progress",
      "Serving; its soak time is not over",
    ],
    [
      "what was replaced within its soak time",
      { outcome: "live", hops, reason: "another roll began", endedAt: "2026-11-21T16:15:05.000Z" },
      "success",
      "Live: server 1.4.2, live 4.2 s after it was seen: another roll began",
    ],
    [
      "what has stayed well",
      { outcome: "healthy", hops },
      "success",
      "Healthy: server 1.4.2, live 4.2 s after it was seen",
    ],
    [
      "what was promoted by hand",
      { outcome: "healthy", release: "1.4.2", hops: {} },
      "success",
      "Healthy: 1.4.2",
    ],
    [
      "a bad image, without its log",
      { outcome: "rejected", reason: "server: exited with code 1\nlast lines: password is hunter2" },
      "failure",
      "Rejected: server: exited with code 1",
    ],
    [
      "something in the way",
      { outcome: "failed", reason: "the engine is gone" },
      "error",
      "Failed: the engine is gone",
    ],
    ["a failure without words", { outcome: "failed" }, "error", "Failed"],
    ["a roll that somebody stopped", { outcome: "cancelled" }, "error", "Cancelled"],
    [
      "colours of a terminal in the reason",
      { outcome: "failed", reason: "\u001b[31mred\u001b[0m" },
      "error",
      "Failed: red",
    ],
  ];
  for (const [what, changes, state, description] of statuses) {
    it(`is ${state} for ${what}`, () => {
      assert.deepEqual(statusOf(receipt(changes)), { state, description });
    });
  }

  it("says no more than GitHub takes, and cuts no character in two", () => {
    const { description } = statusOf(receipt({ outcome: "failed", reason: "🚢".repeat(200) }));
    assert.equal([...description].length, 140);
    assert.match(description, /^Failed: (🚢)+…$/u);
  });

  it("names a digest where an image has no version, and the way back as such", () => {
    const images = {
      server: { to: `sha256:${"2".repeat(64)}` },
      client: { to: "sha256:1", version: "1.4.2" },
    };
    assert.equal(
      descriptionOf(receipt({ images, trigger: "return" })),
      "Back to server sha256:222222222222, client 1.4.2",
    );
  });

  it("carries what it is found by and what ran, and nothing of who rolled", () => {
    const payload = payloadOf(receipt({ release: "1.4.2", configRevision: commitA }));
    assert.deepEqual(payload, {
      receipt: "20261121T161500.123Z-4f9a01",
      trigger: "tag",
      via: "watcher",
      release: "1.4.2",
      configRevision: commitA,
      images: receipt().images,
    });
    assert.doesNotMatch(JSON.stringify(payload), /ada|build-7/);
  });

  for (const [environment, is] of [
    ["production", true],
    ["Prod", true],
    ["dev", false],
    ["reproduction", false],
  ] as const) {
    it(`takes ${environment} for ${is ? "" : "no "}production`, () =>
      assert.equal(isProduction(environment), is));
  }
});

describe("The commit of a deployment", () => {
  const image = (revision?: string, changed = true) => ({
    from: "sha256:1",
    to: changed ? "sha256:2" : "sha256:1",
    ...(revision === undefined ? {} : { revision }),
  });
  const found: [string, Partial<Receipt>, string[]][] = [
    [
      "the one that all images name",
      { images: { server: image(commitA), client: image(commitA) } },
      [commitA],
    ],
    ["the one that some name", { images: { server: image(), client: image(commitA) } }, [commitA]],
    [
      "the one that was released",
      { release: `sha-${commitB}`, images: { server: image(commitA) } },
      [commitB],
    ],
    [
      "one of several, what changed first",
      { images: { client: image(commitA, false), server: image(commitB) } },
      [commitB, commitA],
    ],
  ];
  for (const [what, changes, candidates] of found) {
    it(`is ${what}`, () => assert.deepEqual(commitsOf(receipt(changes)), { kind: "commits", candidates }));
  }

  const none: [string, Partial<Receipt>, RegExp][] = [
    [
      "no image names one",
      { images: { server: image() } },
      /no image of dev has the label org\.opencontainers\.image\.revision/,
    ],
    [
      "an image names something else",
      { images: { server: image("main") } },
      /^server has main in the label .* no commit's full name/,
    ],
    [
      "it is cut short",
      { images: { server: image(commitA.slice(0, 12)) } },
      /^server has aaaaaaaaaaaa in the label/,
    ],
  ];
  for (const [what, changes, reason] of none) {
    it(`is missing where ${what}, and the fix is named`, () => {
      const commits = commitsOf(receipt(changes));
      assert.equal(commits.kind, "none");
      assert.match(commits.kind === "none" ? commits.reason : "", reason);
    });
  }
});

describe("A status of a deployment", () => {
  const rolling: Status = { state: "in_progress", description: "Rolling" };
  const live: Status = { state: "in_progress", description: "Serving" };
  const success: Status = { state: "success", description: "Healthy" };
  const inactive: Status = { state: "inactive", description: "" };
  const failure: Status = { state: "failure", description: "Rejected" };
  const error: Status = { state: "error", description: "Failed" };
  const cases: [string, Status, Status[], boolean][] = [
    ["the first", rolling, [], true],
    ["the same again", rolling, [rolling], false],
    ["the next step", live, [rolling], true],
    ["an earlier step that comes late", rolling, [live, rolling], false],
    ["a step after the end", live, [success, rolling], false],
    ["the end", success, [live, rolling], true],
    ["the end without steps", success, [], true],
    ["the same end again", success, [success, rolling], false],
    ["the same end again, replaced since", success, [inactive, success], false],
    ["another end", failure, [success], true],
    ["an error", error, [rolling], true],
    ["the same roll, tried again", rolling, [error, rolling], false],
    ["its next error", error, [error, rolling], false],
    ["the same roll, further than before", live, [error, rolling], true],
    ["an error after that", error, [live, error, rolling], true],
    ["its end at last", success, [live, error, rolling], true],
  ];
  for (const [what, status, has, is] of cases) {
    it(`is ${is ? "added" : "left out"}: ${what}`, () => assert.equal(isNews(status, has), is));
  }
});
