// Whether the GitHub of our tests behaves as GitHub documents it: what they prove is worth no more than that.
import assert from "node:assert/strict";
import { repository, Stage } from "./stage";

interface Got {
  status: number;
  body: Record<string, unknown> & Record<string, unknown>[];
  headers: Headers;
}

describe("GitHub without GitHub", () => {
  let stage: Stage;
  let token: string;
  beforeEach(async () => {
    stage = await Stage.open();
    token = stage.emulator.token({ deployments: "write", actions: "read", contents: "read" });
  });
  afterEach(() => stage.emulator.close());

  async function ask(
    method: string,
    path: string,
    body?: object,
    authorization = `Bearer ${token}`,
  ): Promise<Got> {
    const response = await fetch(
      `${stage.emulator.url}/repos/${repository.owner}/${repository.name}${path}`,
      {
        method,
        headers: authorization === "" ? {} : { authorization },
        ...(body ? { body: JSON.stringify(body) } : {}),
      },
    );
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  }
  const deploy = (number: 1 | 2 | 3, fields: object = {}) =>
    ask("POST", "/deployments", {
      ref: stage.commits[number - 1],
      auto_merge: false,
      environment: "dev",
      ...fields,
    });
  const say = ({ body }: Got, fields: object) => ask("POST", `/deployments/${body["id"]}/statuses`, fields);
  const states = async ({ body }: Got) =>
    (await ask("GET", `/deployments/${body["id"]}/statuses`)).body.map(({ state }) => state);

  describe("a deployment", () => {
    it("needs a commit that is there", async () => {
      const { status, body } = await ask("POST", "/deployments", { ref: "f".repeat(40) });
      assert.deepEqual([status, body["message"]], [422, `No ref found for: ${"f".repeat(40)}`]);
    });

    it("goes back as it was given, payloads of both kinds included", async () => {
      for (const payload of [{ deploy: "migrate" }, '{"deploy":"migrate"}']) {
        const { body } = await deploy(1, { payload });
        assert.deepEqual((await ask("GET", `/deployments/${body["id"]}`)).body["payload"], payload);
      }
    });

    it("is of production where nobody says anything", async () => {
      const { body } = await ask("POST", "/deployments", { ref: stage.commits[2], auto_merge: false });
      assert.deepEqual(
        [body["environment"], body["task"], body["production_environment"]],
        ["production", "deploy", true],
      );
    });

    it("of a commit that is behind is merged, unless told not to", async () => {
      await stage.emulator.world.ask("POST", "/repos/acme/shop/git/refs", {
        ref: "refs/heads/main",
        sha: stage.commits[2],
      });
      assert.equal((await ask("POST", "/deployments", { ref: stage.commits[0] })).status, 409);
      assert.equal((await deploy(1)).status, 201);
    });

    it("waits for checks, unless told not to", async () => {
      stage.emulator.world.failing.add(stage.commits[0]);
      assert.equal((await deploy(1)).status, 409);
      assert.equal((await deploy(1, { required_contexts: [] })).status, 201);
    });

    it("makes its environment", async () => {
      await deploy(1, { environment: "dev" });
      await deploy(2, { environment: "Dev" });
      await deploy(2, { environment: "test" });
      const { body } = await ask("GET", "/environments");
      assert.equal(body["total_count"], 2);
      assert.equal((await ask("GET", "/environments/dev")).body["name"], "dev");
      assert.equal((await ask("GET", "/environments/prod")).status, 404);
    });

    it("is found by commit and environment, newest first, a page at a time", async () => {
      for (const number of [1, 2, 1, 1] as const) await deploy(number);
      await deploy(1, { environment: "test" });
      const query = `?environment=dev&sha=${stage.commits[0]}&per_page=2`;
      const { body, headers } = await ask("GET", `/deployments${query}`);
      const [newest, second] = body.map(({ id }) => Number(id));
      assert.ok((newest ?? 0) > (second ?? 0));
      const next = /<([^>]+)>; rel="next"/.exec(headers.get("link") ?? "")?.[1] ?? "";
      const rest = await fetch(next, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(((await rest.json()) as unknown[]).length, 1);
      assert.match(rest.headers.get("link") ?? "", /rel="prev".*rel="first"/);
    });

    it("is removed when it serves no longer", async () => {
      const [one] = [await deploy(1), await deploy(2)];
      assert.equal((await ask("DELETE", `/deployments/${one?.body["id"]}`)).status, 422);
      if (one) await say(one, { state: "inactive" });
      assert.equal((await ask("DELETE", `/deployments/${one?.body["id"]}`)).status, 204);
    });
  });

  describe("success", () => {
    const cases: [string, object, object, string][] = [
      ["ends what served before", {}, {}, "inactive"],
      ["leaves it where told to", {}, { auto_inactive: false }, "success"],
      ["leaves production to others", { production_environment: true }, {}, "success"],
      ["leaves what is transient", { transient_environment: true }, {}, "success"],
      ["leaves another environment", { environment: "test" }, {}, "success"],
    ];
    for (const [what, deployment, status, state] of cases) {
      it(what, async () => {
        const before = await deploy(1, deployment);
        await say(before, { state: "success" });
        await say(await deploy(2), { state: "success", ...status });
        assert.equal((await states(before))[0], state);
      });
    }

    it("says nothing of what failed before, nor of what is newer", async () => {
      const [failed, own, newer] = [await deploy(1), await deploy(2), await deploy(3)];
      await say(failed, { state: "failure" });
      await say(newer, { state: "success" });
      await say(own, { state: "success" });
      assert.deepEqual([await states(failed), await states(newer)], [["failure"], ["success"]]);
    });
  });

  it("takes no description that is too long, and no address that is none", async () => {
    const one = await deploy(1);
    for (const fields of [
      { description: "x".repeat(141) },
      { log_url: "file:///x" },
      { environment_url: "dev" },
    ])
      assert.equal((await say(one, { state: "success", ...fields })).status, 422);
    assert.equal((await say(one, { state: "success", description: "x".repeat(140) })).status, 201);
  });

  describe("a run", () => {
    it("shows the jobs that have ended, and leads to their logs", async () => {
      stage.emulator.runs.report({ name: "unit", conclusion: "failure", log: ["hello", "##[error]boom"] });
      const { status, body } = await ask("GET", "/actions/runs/1/attempts/1/jobs?per_page=100");
      assert.deepEqual([status, body["total_count"]], [200, 1]);
      const [job] = body["jobs"] as { id: number; name: string; conclusion: string }[];
      assert.deepEqual([job?.name, job?.conclusion], ["unit", "failure"]);
      const log = await fetch(
        `${stage.emulator.url}/repos/${repository.owner}/${repository.name}/actions/jobs/${job?.id}/logs`,
        { headers: { authorization: `Bearer ${token}` } },
      );
      assert.match(await log.text(), /^\S+Z hello\n\S+Z ##\[error\]boom\n$/);
    });
  });

  describe("somebody", () => {
    it("without a token sees nothing of a private repository", async () => {
      assert.equal((await ask("GET", "", undefined, "")).status, 404);
      assert.equal((await ask("GET", "/deployments", undefined, "Bearer wrong")).status, 401);
    });

    it("who lacks a permission is told which", async () => {
      const other = stage.emulator.token({ deployments: "read" });
      const found = await ask("POST", "/deployments", { ref: "main" }, `token ${other}`);
      assert.deepEqual(
        [found.status, found.headers.get("x-accepted-github-permissions")],
        [403, "deployments=write"],
      );
    });

    it("is told what is left of the limit", async () => {
      const left = async () => Number((await ask("GET", "")).headers.get("x-ratelimit-remaining"));
      assert.equal((await left()) - (await left()), 1);
    });
  });

  it("answers behind the prefix of a server of one's own", async () => {
    const url = `${stage.emulator.url}/api/v3/repos/acme/shop`;
    assert.equal((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status, 200);
  });

  describe("fails the test", () => {
    const mistakes: [string, () => Promise<unknown>, RegExp][] = [
      [
        "that sends a field that GitHub does not know",
        () => deploy(1, { enviroment: "dev" }),
        /body\/enviroment is unknown/,
      ],
      [
        "that leaves one out",
        () => ask("POST", "/deployments", {}),
        /body must have required property 'ref'/,
      ],
      [
        "that sends one of another type",
        () => deploy(1, { auto_merge: "no" }),
        /body\/auto_merge must be boolean/,
      ],
      [
        "that asks for more than a number",
        () => ask("GET", "/deployments?per_page=all"),
        /per_page must be integer/,
      ],
      [
        "that asks for what GitHub does not know",
        () => ask("GET", "/deployments?env=dev"),
        /the query has env/,
      ],
      ["that asks what it has no answer to", () => ask("GET", "/forks"), /is no route of the emulator/],
    ];
    for (const [what, mistake, said] of mistakes) {
      it(what, async () => {
        await mistake();
        const { emulator } = stage;
        await assert.rejects(emulator.close(), said);
        stage = await Stage.open();
      });
    }
  });
});
