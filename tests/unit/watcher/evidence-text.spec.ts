import assert from "node:assert/strict";
import type { Evidence, ImageEvidence } from "../../../watcher/evidence";
import { evidenceLines, evidenceMarkdown } from "../../../watcher/evidenceText";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const [older, newer] = ["a".repeat(40), "b".repeat(40)];
const now = Date.parse("2026-11-21T16:15:00Z");
const commit = (title: string, author = "ada", url = "") => ({ sha: newer, title, author, url });
const commits: NonNullable<ImageEvidence["commits"]> = {
  kind: "known",
  from: older,
  to: newer,
  source: "Git",
  comparison: {
    direction: "ahead",
    gained: [commit("Faster checkout"), commit("Ask @everyone | <b>now</b>")],
    gainedTotal: 2,
    lost: [],
    lostTotal: 0,
    url: "",
  },
};
const server: ImageEvidence = {
  image: "server",
  from: { digest: digest("1"), version: "1.4.1", revision: older },
  to: { digest: digest("2"), version: "1.4.2", revision: newer, platforms: ["linux/amd64"] },
  lostPlatforms: ["linux/arm64/v8"],
  commits,
  standing: { environment: "dev", verdict: "healthy", at: "2026-11-21T13:15:00Z" },
  isOverridden: false,
};
const client: ImageEvidence = {
  image: "client",
  to: { digest: digest("3"), platforms: ["linux/amd64", "linux/arm64/v8"] },
  lostPlatforms: [],
  commits,
  standing: { environment: "dev", verdict: "none" },
  isOverridden: false,
};
const evidence: Evidence = {
  environment: "test",
  release: "1.4.2",
  images: [client, server],
  unchanged: ["worker"],
  course: { kind: "go" },
};
const why = "test does not take the release 1.4.2:\n  client: dev has not found it healthy yet ````";

describe("The evidence for a promotion, in a preview", () => {
  it("is a line an image, and the commits of all of them once", () =>
    assert.equal(
      evidenceLines(evidence, now),
      [
        "test would run the release 1.4.2:",
        "  image   from                         to                           platforms                              verdict",
        "  client  nothing                      sha256:333333333333          linux/amd64, linux/arm64/v8            none in dev yet",
        "  server  1.4.1 (sha256:111111111111)  1.4.2 (sha256:222222222222)  linux/amd64; no longer linux/arm64/v8  healthy in dev for 3 h",
        "  unchanged: worker",
        "  commits of client, server: aaaaaaaaaaaa to bbbbbbbbbbbb, 2 new (Git)",
        "    + bbbbbbbbbbbb Faster checkout (ada)",
        "    + bbbbbbbbbbbb Ask @everyone | <b>now</b> (ada)",
      ].join("\n"),
    ));

  it("says in plain words that `up` would refuse", () => {
    const refused = { ...evidence, course: { kind: "refuse", why } as const };
    assert.match(
      evidenceLines(refused, now),
      /\n`pulumi up` would refuse: test does not take the release 1\.4\.2:\n {2}client: dev has not/,
    );
  });

  it("says that what may not roll is not followed, and what somebody has allowed", () => {
    const allowed = {
      ...server,
      isOverridden: true,
      standing: { ...server.standing, verdict: "rejected" } as const,
    };
    const stays = {
      ...evidence,
      release: "",
      images: [allowed],
      course: { kind: "stay", why: "w" } as const,
    };
    const text = evidenceLines(stays, now);
    assert.match(text, /^test would run what its tag carries:/);
    assert.match(text, /rejected in dev 3 h ago, overridden/);
    assert.match(text, /`pulumi up` would not follow it: w$/);
  });

  it("says where nothing would change, and who holds the environment", () => {
    const hold = { at: "", by: "ada@build-7", reason: "" };
    assert.equal(
      evidenceLines({ ...evidence, images: [], unchanged: ["server"], hold }, now),
      "test: nothing would change, held by ada@build-7\n  unchanged: server",
    );
  });

  it("shows the newest of many commits, and how many there are", () => {
    const gained = Array.from({ length: 50 }, (_, index) => commit(`${index}`));
    const many = { ...commits, comparison: { ...commits.comparison, gained, gainedTotal: 70 } };
    const lines = evidenceLines({ ...evidence, images: [{ ...server, commits: many }] }, now).split("\n");
    assert.equal(lines.filter((line) => line.startsWith("    +")).length, 21);
    assert.equal(lines.at(-1), "    + and 50 more");
  });

  it("says why commits are not known", () => {
    const images = [{ ...server, commits: { kind: "unknown", why: "nobody knows" } as const }];
    assert.match(
      evidenceLines({ ...evidence, images }, now),
      / {2}commits of server: not known, since nobody knows$/,
    );
  });
});

describe("The evidence for promotions, in a pull request", () => {
  const markdown = evidenceMarkdown(
    [
      { ...evidence, environment: "dev", images: [], release: "" },
      {
        ...evidence,
        images: [{ ...client, refusal: "not healthy" }, server],
        course: { kind: "refuse", why },
      },
    ],
    now,
  );
  const lines = markdown.split("\n");

  it("is one table for all environments", () => {
    assert.deepEqual(lines.slice(0, 5), [
      "| environment | image | from | to | platforms | verdict | `pulumi up` |",
      "| --- | --- | --- | --- | --- | --- | --- |",
      "| dev |  |  |  |  |  | changes nothing |",
      `| test | client | nothing | <code title="${digest("3")}">sha256:333333333333</code> | linux/amd64, linux/arm64/v8 | none in dev yet | **refuses** |`,
      `| test | server | 1.4.1 <code title="${digest("1")}">sha256:111111111111</code> | 1.4.2 <code title="${digest("2")}">sha256:222222222222</code> | linux/amd64; no longer linux/arm64/v8 | healthy in dev for 3 h | **refuses** |`,
    ]);
  });

  it("mentions nobody and formats nothing by the words of a commit", () => {
    assert(lines.includes("- + `bbbbbbbbbbbb` Ask &#64;everyone \\| &lt;b&gt;now&lt;/b&gt; (ada)"), markdown);
    assert.doesNotMatch(markdown, /@everyone/);
  });

  it("has the reason of a refusal in a block that it cannot end", () => {
    const start = lines.indexOf("> [!CAUTION]");
    assert.deepEqual(lines.slice(start, start + 6), [
      "> [!CAUTION]",
      "> test: `pulumi up` would refuse",
      "> ````text",
      "> test does not take the release 1.4.2:",
      ">   client: dev has not found it healthy yet ",
      "> ````",
    ]);
  });

  it("links commits that have a page", () => {
    const comparison = {
      ...commits.comparison,
      gained: [commit("t", "ada", "https://c")],
      url: "https://all",
    };
    const linked = evidenceMarkdown(
      [{ ...evidence, images: [{ ...server, commits: { ...commits, comparison } }] }],
      now,
    );
    assert.match(
      linked,
      /- \+ \[`bbbbbbbbbbbb`\]\(https:\/\/c\) t \(ada\)\n- \[all of it\]\(https:\/\/all\)/,
    );
  });
});
