import assert from "node:assert/strict";
import {
  formatFailures,
  type GateFailure,
  hintOf,
  judgeReplica,
  parseFailures,
  type ReplicaSight,
  tooSlow,
} from "../../../rollout/gate";

const reference = "ghcr.io/acme/shop/server@sha256:aa";
const well: ReplicaSight = {
  service: "server",
  name: "shop-dev-server-0",
  wanted: reference,
  runs: reference,
  state: "running",
  exitCode: 0,
  restarts: 0,
  upForMs: 300,
  probe: "http",
  goodAnswers: 3,
};

describe("The gate's judgement of a replica", () => {
  const table: [what: string, seen: Partial<ReplicaSight>, decision: string][] = [
    ["passes after three good answers in a row", {}, "pass"],
    ["waits for the third", { goodAnswers: 2 }, "wait"],
    ["waits while it is being started", { state: "starting", goodAnswers: 0 }, "wait"],
    [
      "passes without a probe once it has stayed up",
      { probe: "none", goodAnswers: 0, upForMs: 1000 },
      "pass",
    ],
    ["waits without a probe until then", { probe: "none", goodAnswers: 0, upForMs: 999 }, "wait"],
    ["fails on an exit", { state: "exited", exitCode: 3 }, "shop-dev-server-0 exited with code 3"],
    ["fails on an exit with code 0 too", { state: "exited" }, "shop-dev-server-0 exited with code 0"],
    [
      "fails between two starts",
      { state: "restarting", exitCode: 1 },
      "shop-dev-server-0 exited with code 1",
    ],
    [
      "fails on one restart, well or not",
      { restarts: 1, exitCode: 9 },
      "shop-dev-server-0 exited with code 9",
    ],
    [
      "blames memory",
      { state: "exited", exitCode: 137, outOfMemory: true },
      "shop-dev-server-0 ran out of memory",
    ],
    ["fails on one that went", { state: "gone" }, "shop-dev-server-0 was removed while it was starting"],
    [
      "fails on another image by that name",
      { runs: "sha256:bb" },
      `shop-dev-server-0 runs sha256:bb instead of ${reference}`,
    ],
  ];
  for (const [what, seen, decision] of table) {
    it(what, () => {
      const judged = judgeReplica({ ...well, ...seen });
      assert.equal(judged.kind === "fail" ? judged.reason : judged.kind, decision);
    });
  }

  it("names no code that it does not know", () => {
    const { exitCode: _, ...unknown } = well;
    assert.deepEqual(judgeReplica({ ...unknown, state: "exited" }), {
      kind: "fail",
      reason: "shop-dev-server-0 exited",
    });
  });

  it("says at the deadline what the last answer was, or that there was none", () => {
    const late = "shop-dev-server-0 was not healthy within 2.5 s: ";
    assert.equal(tooSlow({ ...well, lastAnswer: "503 to GET /healthz" }, 2500), `${late}503 to GET /healthz`);
    assert.equal(tooSlow(well, 2500), `${late}it never answered`);
  });
});

describe("The gate's hints", () => {
  const failure = { service: "server", reason: "it exited", lastLines: ["starting"] };
  const table: [line: string, hint: RegExp | undefined][] = [
    ["mkdir: can't create directory '/data': Read-only file system", /root file system is read-only/],
    ["Error: EROFS: read-only file system, open '/state'", /readOnly: false/],
    ["chown: /var/lib/db: Operation not permitted", /all capabilities are dropped/],
    ["setgroups: operation not permitted", /capabilities, for instance \[CHOWN, SETGID, SETUID\]/],
    ["exec /bin/server: exec format error", /the image is for another platform/],
    ["cannot connect to db:5432", undefined],
  ];
  for (const [line, hint] of table) {
    it(`${hint ? "has one" : "has none"} for "${line}"`, () => {
      const found = hintOf({ ...failure, lastLines: ["starting", line] });
      if (hint) assert.match(found ?? "", hint);
      else assert.equal(found, undefined);
    });
  }
});

describe("The gate's hints on a reason", () => {
  const table: [reason: string, hint: RegExp][] = [
    ["container has runAsNonRoot and image will run as root", /set tagalong:services\.server\.user/],
    ["no match for platform in manifest: not found", /the image is for another platform/],
  ];
  for (const [reason, hint] of table)
    it(`have one for "${reason}"`, () => {
      assert.match(hintOf({ service: "server", reason, lastLines: [] }) ?? "", hint);
    });
});

describe("The gate's error", () => {
  const failures: GateFailure[] = [
    {
      service: "server",
      reference,
      reason: "shop-dev-server-0 exited with code 1",
      lastLines: ["EROFS: read-only file system"],
    },
    {
      service: "client",
      reference: "ghcr.io/acme/shop/client@sha256:cc",
      reason: "it: is late",
      lastLines: [],
    },
  ];

  it("is read as a list of services, each with image, last lines and hint", () => {
    assert.equal(
      formatFailures(failures),
      [
        "service server: shop-dev-server-0 exited with code 1",
        `  image ${reference}`,
        "  its last lines:",
        "  | EROFS: read-only file system",
        "  hint: the root file system is read-only: give the image a volume where it writes, or set readOnly: false",
        "service client: it: is late",
        "  image ghcr.io/acme/shop/client@sha256:cc",
      ].join("\n"),
    );
  });

  it("is found again in the engine's diagnostics", () => {
    const expected = failures.map(({ service, reason, reference }) => ({ service, reason, reference }));
    const text = formatFailures(failures);
    assert.deepEqual(parseFailures(text), expected);
    const diagnostics = `Diagnostics:\n  tagalong:index:Gate (dev):\n    error: ${text.replace(/\n/g, "\n    ")}\n\n`;
    assert.deepEqual(parseFailures(diagnostics), expected);
    assert.deepEqual(parseFailures("error: update failed"), []);
  });

  it("names no image where none is to blame, so that none is found again in it", () => {
    const { reference: _, ...blameless } = failures[0] as GateFailure;
    const text = formatFailures([{ ...blameless, lastLines: [] }, failures[1] as GateFailure]);
    assert.equal(text.split("\n")[1], "service client: it: is late");
    assert.deepEqual(
      parseFailures(text).map(({ service }) => service),
      ["client"],
    );
  });

  it("is not misled by a log that speaks of services", () => {
    const [failure] = failures;
    const text = formatFailures([
      { ...(failure as GateFailure), lastLines: ["service db: is down", "image x"] },
    ]);
    assert.deepEqual(
      parseFailures(text).map(({ service }) => service),
      ["server"],
    );
  });
});
