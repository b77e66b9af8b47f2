import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { GitHub, Report } from "../../../github";
import type { Receipt } from "../../../rollout/record";
import { Stage } from "./stage";

describe("A roll on the repository's page", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.emulator.close());

  async function report(github: GitHub, ...receipts: Receipt[]): Promise<void> {
    for (const receipt of receipts) assert.equal((await github.report(receipt)).kind, "reported");
  }
  const steps = (number: 1 | 2 | 3, changes: Partial<Receipt> = {}, end: Receipt["outcome"] = "healthy") =>
    (["rolling", "live", end] as const).map((outcome) => stage.roll(number, { ...changes, outcome }));
  const problem = (found: Report) => (found.kind === "failed" ? found.error.message : inspect(found));

  it("is one deployment from its first step to its last, and what served before serves no longer", async () => {
    await report(stage.github(), ...steps(1), ...steps(2));
    assert.deepEqual(stage.shown, [
      [1, "dev", "in_progress", "in_progress", "success", "inactive"],
      [2, "dev", "in_progress", "in_progress", "success"],
    ]);
  });

  it("says what ran, where to read on and where it answers", async () => {
    const options = {
      logUrl: "https://ci.acme.example/run/7",
      environmentUrl: "http://dev.acme.example:8080",
    };
    const receipt = stage.roll(1, { outcome: "healthy", release: "1.0.1" });
    const found = await stage.github().report(receipt, options);
    const [deployment] = stage.emulator.deployments.all;
    assert.deepEqual(found, {
      kind: "reported",
      deployment: deployment?.id,
      commit: stage.commits[0],
      state: "success",
    });
    assert.equal(deployment?.description, "1.0.1");
    assert.deepEqual(deployment?.payload, {
      receipt: receipt.id,
      trigger: "tag",
      via: "watcher",
      release: "1.0.1",
      images: receipt.images,
    });
    const [status] = deployment?.statuses ?? [];
    assert.deepEqual(
      [status?.description, status?.log_url, status?.environment_url],
      ["Healthy: 1.0.1", options.logUrl, options.environmentUrl],
    );
  });

  it("leaves out addresses that GitHub takes for none", async () => {
    const options = { logUrl: "file:///var/log/roll", environmentUrl: "not an address" };
    assert.equal((await stage.github().report(stage.roll(1), options)).kind, "reported");
    assert.equal(stage.emulator.deployments.all[0]?.statuses[0]?.log_url, "");
  });

  it("takes a request for each step, and two to begin and one to end with", async () => {
    await report(stage.github(), ...steps(1));
    assert.deepEqual(
      stage.emulator.asked.map((line) => line.replace(/\d{7}/, "N")),
      [
        "GET /deployments 200",
        "POST /deployments 201",
        "POST /deployments/N/statuses 201",
        "POST /deployments/N/statuses 201",
        "POST /deployments/N/statuses 201",
        "GET /deployments 200",
      ],
    );
  });

  it("that failed leaves the one before it serving", async () => {
    await report(stage.github(), ...steps(1), ...steps(2, { reason: "exited with code 1" }, "rejected"));
    await report(stage.github(), stage.roll(3, { outcome: "failed", reason: "the registry is gone" }));
    assert.deepEqual(stage.shown, [
      [1, "dev", "in_progress", "in_progress", "success"],
      [2, "dev", "in_progress", "in_progress", "failure"],
      [3, "dev", "error"],
    ]);
    assert.equal(stage.emulator.deployments.all[1]?.statuses[0]?.description, "Rejected: exited with code 1");
  });

  it("that is tried again and again is shown once, and how it ends", async () => {
    const github = stage.github();
    const failed = stage.roll(1, { outcome: "failed", reason: "the registry is gone" });
    await report(github, stage.roll(1), failed, stage.roll(1), failed, ...steps(1));
    assert.deepEqual(stage.shown, [[1, "dev", "in_progress", "error", "in_progress", "success"]]);
  });

  it("that was replaced within its soak time served until then", async () => {
    const [rolling, live] = steps(1);
    assert.ok(rolling && live);
    await report(stage.github(), rolling, live, { ...live, endedAt: "2026-11-21T16:15:05Z" }, ...steps(2));
    assert.deepEqual(stage.shown, [
      [1, "dev", "in_progress", "in_progress", "success", "inactive"],
      [2, "dev", "in_progress", "in_progress", "success"],
    ]);
  });

  it("back to what served before is a deployment of the older commit", async () => {
    const back = { id: "20261121T161509.000Z-000009", trigger: "return" as const };
    await report(stage.github(), ...steps(1), ...steps(2), ...steps(1, back));
    assert.deepEqual(stage.shown, [
      [1, "dev", "in_progress", "in_progress", "success", "inactive"],
      [2, "dev", "in_progress", "in_progress", "success", "inactive"],
      [1, "dev", "in_progress", "in_progress", "success"],
    ]);
    assert.equal(stage.emulator.deployments.all[0]?.description, "Back to server 1.0.1");
  });

  it("in one environment says nothing of another", async () => {
    const test = { environment: "test", id: "20261121T161505.000Z-000005" };
    await report(stage.github(), ...steps(1), ...steps(1, test));
    await report(stage.github(), ...steps(2));
    assert.deepEqual(
      stage.shown.map(([commit, environment, ...states]) => [commit, environment, states.at(-1)]),
      [
        [1, "dev", "inactive"],
        [1, "test", "success"],
        [2, "dev", "success"],
      ],
    );
  });

  it("in production replaces what was there, which GitHub leaves to us", async () => {
    const production = { environment: "production" };
    await report(stage.github(), ...steps(1, production), ...steps(2, production), ...steps(3, production));
    assert.deepEqual(
      stage.shown.map(([commit, , ...states]) => [commit, states.at(-1)]),
      [
        [1, "inactive"],
        [2, "inactive"],
        [3, "success"],
      ],
    );
    assert.ok(stage.emulator.deployments.all.every((one) => one.production_environment));
  });

  it("in production is finished by whoever comes next, if the one who reported it was killed before the last word", async () => {
    const production = { environment: "production" };
    await report(stage.github(), ...steps(1, production));
    const killed = new AbortController();
    stage.emulator.onAnswer = ({ body }) => {
      if ((body as { state?: string } | undefined)?.state === "success") killed.abort();
    };
    const second = stage.roll(2, { ...production, outcome: "healthy" });
    await assert.rejects(stage.github().report(second, { signal: killed.signal }));
    assert.deepEqual(
      stage.shown.map((one) => one.at(-1)),
      ["success", "success"],
    );
    await report(stage.github(), second);
    assert.deepEqual(
      stage.shown.map((one) => one.at(-1)),
      ["inactive", "success"],
    );
  });

  describe("reported again", () => {
    it("by somebody who knows nothing of it adds nothing", async () => {
      await report(stage.github(), ...steps(1), ...steps(2));
      const before = stage.shown;
      await report(stage.github(), ...steps(1), ...steps(2));
      assert.deepEqual(stage.shown, before);
    });

    it("goes on where the one who was killed before the first status left off", async () => {
      const killed = new AbortController();
      stage.emulator.onAnswer = ({ method }) => method === "POST" && killed.abort();
      await assert.rejects(stage.github().report(stage.roll(1), { signal: killed.signal }));
      assert.deepEqual(stage.shown, [[1, "dev"]]);
      stage.emulator.onAnswer = () => {};
      await report(stage.github(), ...steps(1));
      assert.deepEqual(stage.shown, [[1, "dev", "in_progress", "in_progress", "success"]]);
    });

    it("finds its deployment where the payload comes back as a text", async () => {
      await report(stage.github(), stage.roll(1));
      const [deployment] = stage.emulator.deployments.all;
      assert.ok(deployment);
      deployment.payload = JSON.stringify(deployment.payload);
      await report(stage.github(), stage.roll(1, { outcome: "healthy" }));
      assert.deepEqual(stage.shown, [[1, "dev", "in_progress", "success"]]);
    });

    it("among other people's deployments of the same commit finds its own", async () => {
      await report(stage.github(), stage.roll(1), stage.roll(2, { id: "20261121T161507.000Z-000007" }));
      for (const payload of ["", "{broken", { deploy: "migrate" }]) {
        const [deployment] = stage.emulator.deployments.all;
        assert.ok(deployment);
        stage.emulator.deployments.all.unshift({
          ...deployment,
          id: deployment.id + 100,
          payload,
          statuses: [],
        });
      }
      await report(stage.github(), stage.roll(2, { id: "20261121T161507.000Z-000007", outcome: "healthy" }));
      assert.deepEqual(stage.shown.slice(0, 2), [
        [1, "dev", "in_progress"],
        [2, "dev", "in_progress", "success"],
      ]);
    });

    it("too late, it does not claim to serve", async () => {
      await report(stage.github(), stage.roll(1), ...steps(2));
      await report(stage.github(), stage.roll(1, { outcome: "healthy" }));
      assert.deepEqual(stage.shown, [
        [1, "dev", "in_progress", "success", "inactive"],
        [2, "dev", "in_progress", "in_progress", "success"],
      ]);
    });

    it("twice at once, one of the two stays", async () => {
      // Both have seen that there is none before either makes one.
      let looked = 0;
      let go = () => {};
      const both = new Promise<void>((resolve) => {
        go = resolve;
      });
      stage.emulator.onAnswer = ({ method }) => {
        if (method !== "GET") return;
        looked += 1;
        if (looked === 2) go();
        return both;
      };
      await Promise.all([report(stage.github(), stage.roll(1)), report(stage.github(), stage.roll(1))]);
      assert.equal(stage.shown.length, 2);
      await report(stage.github(), stage.roll(1, { outcome: "healthy" }));
      assert.deepEqual(stage.shown, [
        [1, "dev", "in_progress", "success"],
        [1, "dev", "in_progress", "inactive"],
      ]);
    });
  });

  describe("with answers that are lost", () => {
    for (const how of ["lost", "cut", "silent", { status: 502, body: { message: "Bad Gateway" } }] as const) {
      for (const [what, path] of [
        ["the deployment", /\/deployments$/],
        ["the status", /\/statuses$/],
      ] as const) {
        it(`is shown once: ${typeof how === "string" ? how : how.status} for ${what}`, async () => {
          stage.emulator.fail({ method: "POST", path, how });
          await report(stage.github(), stage.roll(1), stage.roll(1, { outcome: "healthy" }));
          assert.deepEqual(stage.shown, [[1, "dev", "in_progress", "success"]]);
        });
      }
    }

    it("gives up after three tries, and says so in a sentence", async () => {
      stage.emulator.fail({ method: "POST", path: /\/deployments$/, how: "silent", times: 9 });
      const found = await stage.github().report(stage.roll(1));
      assert.match(
        problem(found),
        /^GitHub did not answer for acme\/shop \(\w+\); look at https:\/\/www\.githubstatus/,
      );
      assert.equal(stage.emulator.seen.filter(({ method }) => method === "POST").length, 3);
    });

    it("reads again through an outage", async () => {
      stage.emulator.fail({
        method: "GET",
        path: /\/deployments/,
        how: { status: 503, body: { message: "" } },
        times: 2,
      });
      await report(stage.github(), stage.roll(1));
      assert.deepEqual(stage.pauses, [1_000, 3_000]);
    });
  });

  describe("at a rate limit", () => {
    it("waits for its end where that is near", async () => {
      stage.emulator.limit.remaining = 0;
      stage.emulator.limit.reset = Math.floor(Date.now() / 1_000) + 30;
      stage.meanwhile = () => {
        stage.emulator.limit.remaining = 5_000;
      };
      await report(stage.github(), stage.roll(1));
      assert.equal(stage.pauses.length, 1);
      assert.ok((stage.pauses[0] ?? 0) <= 30_000);
    });

    it("waits as long as it is told to, and writes nothing twice", async () => {
      const body = { message: "You have exceeded a secondary rate limit. Please wait a few minutes." };
      const headers = { "retry-after": "7" };
      stage.emulator.fail({ method: "POST", path: /\/deployments$/, how: { status: 403, body, headers } });
      await report(stage.github(), stage.roll(1));
      assert.deepEqual(stage.pauses, [7_000]);
      assert.deepEqual(stage.shown, [[1, "dev", "in_progress"]]);
    });

    it("says when it ends where that is far", async () => {
      stage.emulator.limit.remaining = 0;
      const found = await stage.github().report(stage.roll(1));
      assert.match(
        problem(found),
        /^GitHub's rate limit for the token in GITHUB_TOKEN is used up until about \d{4}-.*Z \(403, API rate limit exceeded/,
      );
      assert.deepEqual(stage.pauses, []);
    });
  });

  describe("that cannot be reported", () => {
    const refused: [string, () => { token?: string; receipt?: Receipt }, RegExp][] = [
      [
        "a token that may not",
        () => ({ token: stage.emulator.token({ contents: "read", deployments: "read" }) }),
        /^the token in GITHUB_TOKEN may not write deployments in acme\/shop .*give it "deployments: write" \(a classic token: the scope repo_deployment\)$/,
      ],
      [
        "a token of another repository",
        () => ({ token: stage.emulator.token({ deployments: "write" }, { repositories: ["acme/other"] }) }),
        /^acme\/shop is not on GitHub, or hidden from the token in GITHUB_TOKEN .*"deployments: write"/,
      ],
      [
        "a token that is none",
        () => ({ token: "ghp_wrong" }),
        /^GitHub does not accept the token in GITHUB_TOKEN \(401, Bad credentials\)/,
      ],
      [
        "a commit that was never pushed",
        () => ({
          receipt: stage.roll(1, { images: { server: { to: "sha256:1", revision: "f".repeat(40) } } }),
        }),
        /^acme\/shop has no commit f{40}, which the images name in the label org\.opencontainers\.image\.revision: push it, or correct tagalong:repository/,
      ],
    ];
    for (const [what, given, message] of refused) {
      it(`names the fix: ${what}`, async () => {
        const { token, receipt = stage.roll(1) } = given();
        const found = await stage.github(token).report(receipt);
        assert.match(problem(found), message);
        assert.ok(token === undefined || !inspect(found, { depth: 20 }).includes(token));
        assert.deepEqual(stage.shown, []);
        assert.deepEqual(stage.pauses, []);
      });
    }

    it("names no token, even where what is in between repeats it", async () => {
      const token = stage.emulator.token({});
      const body = { message: `blocked: authorization: token ${token}` };
      stage.emulator.fail({ method: "GET", path: /deployments/, how: { status: 418, body } });
      const found = await stage.github(token).report(stage.roll(1));
      assert.match(problem(found), /\(418, blocked: authorization: token \[token\]\)$/);
      assert.ok(!inspect(found, { depth: 20 }).includes(token));
    });

    it("is skipped without a commit, and GitHub is not asked", async () => {
      const found = await stage.github().report(stage.roll(1, { images: { server: { to: "sha256:1" } } }));
      assert.match(found.kind === "skipped" ? found.reason : "", /no image of dev has the label/);
      assert.deepEqual(stage.emulator.seen, []);
    });
  });

  describe("of several images", () => {
    const images = (server: number, client: number) => ({
      server: { from: "sha256:0", to: "sha256:1", revision: stage.commits[server - 1] ?? "" },
      client: { from: "sha256:0", to: "sha256:1", revision: stage.commits[client - 1] ?? "" },
    });
    for (const [server, client] of [
      [1, 3],
      [3, 1],
      [2, 2],
    ] as const) {
      it(`is shown for the newest commit: of ${server} and ${client}`, async () => {
        await report(stage.github(), stage.roll(1, { images: images(server, client) }));
        assert.deepEqual(stage.shown, [[Math.max(server, client), "dev", "in_progress"]]);
      });
    }

    it("is shown for what changed where the token may not know which is newer", async () => {
      const { server, client } = images(1, 3);
      const unchanged = { ...client, from: client.to };
      const github = stage.github(stage.emulator.token({ deployments: "write" }));
      await report(github, stage.roll(1, { images: { client: unchanged, server } }));
      assert.deepEqual(stage.shown, [[1, "dev", "in_progress"]]);
    });

    it("is shown for one that was pushed where another was not", async () => {
      const { server, client } = images(1, 3);
      const lost = { ...client, revision: "f".repeat(40) };
      await report(stage.github(), stage.roll(1, { images: { server, client: lost } }));
      assert.deepEqual(stage.shown, [[1, "dev", "in_progress"]]);
    });
  });
});
