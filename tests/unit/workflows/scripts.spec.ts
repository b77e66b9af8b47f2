// What the scripts of the workflows decide, by tables; what they ask and do is tried in tests/integration/workflows.
import assert from "node:assert/strict";
import type * as Comment from "../../../workflows/scripts/comment.mjs";
import type * as Gate from "../../../workflows/scripts/gate.mjs";
import type * as Notice from "../../../workflows/scripts/notice.mjs";
import type * as Preview from "../../../workflows/scripts/preview.mjs";
import type * as Publish from "../../../workflows/scripts/publish.mjs";
import type * as Release from "../../../workflows/scripts/release.mjs";
import type * as Size from "../../../workflows/scripts/size.mjs";
import type * as Stacks from "../../../workflows/scripts/stacks.mjs";
import type * as Words from "../../../workflows/scripts/words.mjs";
import { importScript } from "./import-script";

describe("The gate", () => {
  for (const [results, expected] of [
    [{ quality: "success", build: "skipped" }, []],
    [{ quality: "failure", build: "skipped" }, ["quality: failure"]],
    [{ quality: "success", build: "cancelled" }, ["build: cancelled"]],
  ] as const) {
    it(`says ${expected.join() || "yes"} to ${JSON.stringify(results)}`, async () => {
      const { objections } = await importScript<typeof Gate>("gate.mjs");
      const jobs = Object.fromEntries(Object.entries(results).map(([name, result]) => [name, { result }]));
      assert.deepEqual(objections(jobs), expected);
    });
  }
});

describe("The size budget", () => {
  const layer = (digest: string, size: number, step = "") => ({ digest, size, step });
  const before = [layer("a", 50e6, "FROM base"), layer("b", 2e6, "COPY src ."), layer("c", 1e6, "RUN make")];
  const judged = async (layers: typeof before, budget: number | null, old = before) =>
    (await importScript<typeof Size>("size.mjs")).overBudget({
      ...{ name: "server", platform: "linux/amd64", budget, layers, before: old },
    });

  it("has nothing to say of an image within it, or of one without", async () => {
    assert.equal(await judged(before, 53e6), undefined);
    assert.equal(await judged(before, null), undefined);
  });

  it("names the layer that grew, and not the largest", async () => {
    const layers = [
      layer("a", 50e6, "FROM base"),
      layer("x", 9e6, "COPY src ."),
      layer("c", 1e6, "RUN make"),
    ];
    assert.equal(
      await judged(layers, 55e6),
      "server (linux/amd64) has 60.0 MB and a budget of 55.0 MB: 5.0 MB too much. The layer that grew: COPY src . grew from 2.0 MB to 9.0 MB",
    );
  });

  it("names a layer that is new", async () => {
    const layers = [...before, layer("n", 4e6, "COPY assets .")];
    assert.match((await judged(layers, 55e6)) ?? "", /COPY assets \. is new, with 4\.0 MB$/);
  });

  it("names the largest where nothing is known of before", async () => {
    assert.match((await judged(before, 50e6, [])) ?? "", /Its largest layer: FROM base \(50\.0 MB\)$/);
  });

  it("takes a layer's step from the history, without what made no layer", async () => {
    const { layersOf } = await importScript<typeof Size>("size.mjs");
    const history = [
      { created_by: "/bin/sh -c #(nop) ADD file:abc in / " },
      { created_by: "ENV A=1", empty_layer: true },
      { created_by: "COPY /src ./ # buildkit" },
    ];
    const layers = ["a", "b"].map((digest, size) => ({ mediaType: "", digest, size }));
    assert.deepEqual(
      layersOf({ layers }, { history }).map(({ step }) => step),
      ["ADD file:abc in /", "COPY /src ./"],
    );
    assert.deepEqual(
      layersOf({ layers }, { history: [] }).map(({ step }) => step),
      ["", ""],
    );
  });
});

describe("A release's tag", () => {
  let release: typeof Release;
  before(async () => {
    release = await importScript<typeof Release>("release.mjs");
  });

  for (const [tag, others, expected] of [
    ["v1.4.2", [], ["1.4.2", "1.4", "latest"]],
    ["v1.4.2", ["v1.4.1", "v1.3.9", "v1.4.2"], ["1.4.2", "1.4", "latest"]],
    ["v1.3.10", ["v1.4.0", "v1.3.9"], ["1.3.10", "1.3"]],
    ["v1.3.5", ["v1.3.10"], ["1.3.5"]],
    ["v2.0.0-rc.1", ["v1.4.0"], ["2.0.0-rc.1"]],
    ["v1.4.0", ["v2.0.0-rc.1", "vendor", "v3"], ["1.4.0", "1.4", "latest"]],
  ] as const) {
    it(`${tag} after ${others.join(", ") || "none"} gives the images ${expected.join(", ")}`, () =>
      assert.deepEqual(release.imageTags(tag, others), expected));
  }

  for (const [tag, why] of [
    ["v1.4", /"v1.4" makes no release: a release's tag is a version — write v1.4.2/],
    ["v1.4.2+build", /an image's tag has no \+/],
    ["v01.4.2", /makes no release/],
    ["v1.4.2-", /makes no release/],
  ] as const) {
    it(`${tag} is refused`, () => assert.throws(() => release.versionOf(tag), why));
  }
});

describe("The notice of a failure", () => {
  const at = "2026-11-21T10:00:00.0000000Z";
  it("names the job that failed first, and not the gate that failed with it", async () => {
    const { firstFailed } = await importScript<typeof Notice>("notice.mjs");
    const job = (name: string, conclusion: string, completed_at: string) => ({
      ...{ id: 1, name, conclusion, completed_at, html_url: "" },
    });
    const jobs = [
      job("gate", "failure", "2026-11-21T10:05:00Z"),
      job("unit", "failure", "2026-11-21T10:03:00Z"),
      job("quality", "success", "2026-11-21T10:01:00Z"),
      job("integration", "cancelled", "2026-11-21T10:02:00Z"),
    ];
    assert.equal(firstFailed(jobs)?.name, "unit");
    assert.equal(firstFailed(jobs.slice(2)), undefined);
  });

  for (const [title, lines, expected] of [
    [
      "an annotation",
      ["all fine", "##[error]src/a.ts(3,1): no", "##[error]Process completed with exit code 1."],
      "src/a.ts(3,1): no",
    ],
    [
      "what a program said",
      ["> npm test", "1 failed: adds up", "see log", "##[error]Process completed with exit code 1."],
      "1 failed: adds up",
    ],
    ["the last word", ["> make", "gone", "##[error]Process completed with exit code 2."], "gone"],
    ["nothing that a terminal would obey", ["##[error]\u001b[31mred\u001b[0m\u202e"], "[31mred [0m"],
  ] as const) {
    it(`quotes ${title}`, async () => {
      const { tellingLine } = await importScript<typeof Notice>("notice.mjs");
      assert.equal(tellingLine(lines.map((line) => `${at} ${line}`).join("\n")), expected);
    });
  }
});

describe("The comment of a preview", () => {
  let comment: typeof Comment;
  before(async () => {
    comment = await importScript<typeof Comment>("comment.mjs");
  });

  it("is known by its marker and its author, since anybody may write the marker", () => {
    const bot = { login: "github-actions[bot]" };
    const comments = [
      { id: 1, body: `${comment.MARKER} x`, user: { login: "mallory" } },
      { id: 2, body: `I quote ${comment.MARKER}`, user: bot },
      { id: 3, body: `${comment.MARKER}\n\nours`, user: bot },
      { id: 4, user: null },
    ];
    assert.deepEqual(
      comment.ownComments(comments).map(({ id }) => id),
      [3],
    );
  });

  it("is cut where GitHub would refuse it, and says so outside of any fence or fold", () => {
    const body = comment.bodyOf([`<details>\n\n\`\`\`\n${"x\n".repeat(50_000)}`], "https://log");
    assert.ok(body.length <= 65_000 && body.startsWith(comment.MARKER));
    assert.match(body, /\n```\n<\/details>\n\nThis is cut: \[all of it\]\(https:\/\/log\)$/);
    const open = `a\n\n<details open>\n\n\`\`\`\`\n\`\`\`\n${"x\n".repeat(50_000)}`;
    assert.match(comment.bodyOf([open], "https://log"), /\n````\n<\/details>\n\nThis is cut/);
    assert.equal(
      comment.bodyOf(["a", "b"], ""),
      `${comment.MARKER}\n\n## What merging this would do\n\na\n\nb`,
    );
  });

  it("fences what Pulumi says by more backticks than it has", async () => {
    const { fenced, page } = await importScript<typeof Preview>("preview.mjs");
    assert.equal(fenced("a ```` b\n"), "`````\na ```` b\n`````");
    const refused = { status: 3, out: "| t |\n", complained: "refused" };
    const failed = page("test", refused, { status: 1, out: "no", complained: "" });
    const broken = page(
      "dev",
      { status: 2, out: "", complained: "bad" },
      { status: 0, out: "x", complained: "w" },
    );
    assert.equal(
      broken,
      "### dev\n\n```\nbad\n```\n\n<details><summary>pulumi preview</summary>\n\n```\nx\n```\n\n</details>",
    );
    assert.match(failed, /^### test\n\n\| t \|\n\n<details open><summary>pulumi preview failed<\/summary>/);
  });
});

describe("A change of the project", () => {
  for (const [files, project, expected] of [
    [["tagalong/Pulumi.test.yaml"], "tagalong", ["test"]],
    [["tagalong/Pulumi.yaml"], "tagalong", ["dev", "test"]],
    [["tagalong/components/a.ts"], "tagalong", ["dev", "test"]],
    [["tagalong/README.md", "tagalong/docs/a.svg"], "tagalong", []],
    [["tagalong/Pulumi.repository.yaml"], "tagalong", []],
    [["server/main.ts"], "tagalong", []],
    [["Pulumi.dev.yaml", ".github/workflows/x.yml"], ".", ["dev"]],
  ] as const) {
    it(`of ${files.join(", ")} in ${project} is about ${expected.join(", ") || "nobody"}`, async () => {
      const { touched } = await importScript<typeof Stacks>("stacks.mjs");
      assert.deepEqual(touched(files, ["dev", "test"], project), expected);
    });
  }
});

describe("The text of a release", () => {
  it("is led by the tag's message, and says how to verify each image", async () => {
    const { bodyOf } = await importScript<typeof Publish>("publish.mjs");
    const images = [{ image: "server", repository: "ghcr.io/acme/server", digest: "sha256:1" }];
    const common = { message: "Faster", changelog: "", images, version: "1.4.2", repository: "acme/shop" };
    const body = bodyOf({ ...common, isAttested: true });
    assert.match(body, /^Faster\n\n## Images\n/);
    assert.match(body, /\| server \| `ghcr.io\/acme\/server:1.4.2` \| `sha256:1` \|/);
    assert.match(body, /gh attestation verify oci:\/\/ghcr.io\/acme\/server@sha256:1 --repo acme\/shop/);
    assert.ok(!bodyOf({ ...common, isAttested: false }).includes("attestation"));
  });
});

describe("An annotation", () => {
  it("is one line, whatever others wrote", async () => {
    const { annotation } = await importScript<typeof Words>("words.mjs");
    assert.equal(annotation("error", "50%\r\n::set-env::x"), "::error::50%25%0D%0A::set-env::x");
  });
});
