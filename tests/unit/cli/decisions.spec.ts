import assert from "node:assert/strict";
import type { V1ContainerStatus, V1LeaseSpec } from "@kubernetes/client-node";
import { fixedNames, whatIs } from "../../../cli/asked";
import { containersIn } from "../../../cli/containers";
import { CommandError, codeOf, sentenceOf } from "../../../cli/failure";
import { durations } from "../../../cli/history";
import { holderOf, podsIn } from "../../../cli/pods";
import { ReleaseError } from "../../../ledger";
import { RegistryError } from "../../../registry";

const digest = `sha256:${"a".repeat(64)}`;
const commit = "0123456789".repeat(4);

describe("What a text stands for", () => {
  const cases: [text: string, asked: ReturnType<typeof whatIs>][] = [
    ["dev", { kind: "environment", environment: "dev" }],
    [digest, { kind: "digest", digest }],
    [`ghcr.io/acme/shop/server@${digest}`, { kind: "digest", digest }],
    ["a".repeat(64), { kind: "digest", digest }],
    [commit, { kind: "commit", commit }],
    [`sha-${commit}`, { kind: "commit", commit }],
    ["0123abc", { kind: "short", short: "0123abc" }],
    ["1.4.2", { kind: "tag", tag: "1.4.2" }],
    ["nightly", { kind: "tag", tag: "nightly" }],
    ["a b", undefined],
    ["", undefined],
    ["ghcr.io/acme/shop", undefined],
  ];
  for (const [text, asked] of cases)
    it(`${text || "nothing"}: ${asked?.kind ?? "none"}`, () =>
      assert.deepEqual(whatIs(text, ["dev"]), asked));

  it("has names that always lead to one image, versions first", () => {
    assert.deepEqual(fixedNames(["dev", `sha-${commit}`, "1.4", "v1.4.2", "latest", "1.4.2"]), [
      "v1.4.2",
      "1.4.2",
      `sha-${commit}`,
    ]);
  });
});

describe("What containers run", () => {
  const container = (service: string | undefined, image: string, State = "running", name = "x") => ({
    Image: image,
    State,
    Names: [`/${name}`],
    Labels: {
      "dev.tagalong.environment": "shop/test",
      ...(service ? { "dev.tagalong.service": service } : {}),
    },
  });

  it("is told by service, running ones alone, of one project", () => {
    const other = {
      ...container("web", `x@${digest}`),
      Labels: { "dev.tagalong.environment": "other/test" },
    };
    const found = containersIn(
      [
        container("web", `ghcr.io/acme/web@${digest}`),
        container("web", `ghcr.io/acme/web@${digest}`),
        container("web", `ghcr.io/acme/web@sha256:${"b".repeat(64)}`, "exited"),
        container("worker", `ghcr.io/acme/web@${digest}`, "exited"),
        container(undefined, "ghcr.io/acme/tagalong", "running", "shop-test-watcher"),
        container(undefined, "caddy", "running", "shop-test-edge"),
        other,
      ],
      "shop",
    );
    assert.deepEqual(
      [...found],
      [
        [
          "shop/test",
          {
            services: { web: { running: 2, digests: [digest] }, worker: { running: 0, digests: [] } },
            watcher: { where: "container shop-test-watcher", isRunning: true },
          },
        ],
      ],
    );
  });
});

describe("What a cluster runs", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const pod = (service: string | undefined, state: object, more: object = {}) => ({
    metadata: {
      name: `${service ?? "watcher"}-0`,
      labels: { "tagalong.dev/claim": "c", ...(service ? { "tagalong.dev/service": service } : {}) },
      ...more,
    },
    spec: { containers: [{ name: "main", image: `ghcr.io/acme/web@${digest}` }] },
    status: { containerStatuses: [{ state } as V1ContainerStatus] },
  });

  it("is told by service, running ones alone, without what is about to end", () => {
    const running = { running: {} };
    const found = podsIn([
      pod("web", running),
      pod("web", running),
      pod("web", running, { deletionTimestamp: new Date() }),
      pod("worker", { waiting: { reason: "CrashLoopBackOff" } }),
      pod(undefined, running),
    ]);
    assert.deepEqual(found, {
      services: { web: { running: 2, digests: [digest] }, worker: { running: 0, digests: [] } },
      watcher: { where: "pod watcher-0", isRunning: true },
    });
  });

  it("is told of a watcher elsewhere by its Lease, as long as that is renewed", () => {
    const renewedAt = Date.UTC(2026, 10, 21);
    // As the API writes it: the type has a class of the client library for it, the answer a text.
    const renewTime = "2026-11-21T00:00:00.000000Z" as unknown as NonNullable<V1LeaseSpec["renewTime"]>;
    const lease = (holderIdentity: string) => ({ spec: { holderIdentity, renewTime } });
    assert.equal(holderOf(lease("build_box_4711_0a1b2c3d"), renewedAt + 20_000), "build_box, process 4711");
    assert.equal(holderOf(lease("build_box_4711_0a1b2c3d"), renewedAt + 61_000), undefined);
    assert.equal(holderOf(lease(""), renewedAt), undefined);
    assert.equal(holderOf({}, renewedAt), undefined);
  });
});

describe("How long each step of a roll took", () => {
  const receipt = {
    id: "r",
    environment: "test",
    trigger: "tag" as const,
    by: "ada",
    via: "watcher" as const,
    images: {},
    outcome: "healthy" as const,
  };
  const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 16, 0, second)).toISOString();

  it("is counted from the step before that was reached, and never backwards", () => {
    const hops = { observed: at(0), pulled: at(4), started: at(3), switched: at(9) };
    assert.deepEqual(durations({ ...receipt, hops }), { pulled: 4000, started: 0, switched: 6000 });
    assert.deepEqual(durations({ ...receipt, hops: {} }), {});
    assert.deepEqual(durations({ ...receipt, hops: { observed: "soon" } }), {});
  });
});

describe("How a command ends", () => {
  const lost = new RegistryError("network", "no answer", { reference: "ghcr.io/acme/shop" });
  const cases: [what: string, error: unknown, code: number][] = [
    ["a mistake in the command line", new CommandError("x", 2), 2],
    ["a refusal", new CommandError("x", 3), 3],
    ["a registry that could not be asked", lost, 4],
    ["a release that is not known for that reason", new ReleaseError("x", { cause: lost }), 4],
    ["a release that there is not", new ReleaseError("x"), 1],
    ["anything else", new Error("x"), 1],
  ];
  for (const [what, error, code] of cases)
    it(`with ${code} for ${what}`, () => assert.equal(codeOf(error), code));

  it("with a sentence, and with a trace where it is a mistake of ours", () => {
    assert.equal(sentenceOf(lost), "ghcr.io/acme/shop: no answer");
    assert.match(sentenceOf(new TypeError("x is not a function")), /^TypeError: x is not a function\n\s+at /);
    assert.equal(sentenceOf("gone"), "gone");
  });
});
