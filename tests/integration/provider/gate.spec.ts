// The gate before real containers: from a machine that reaches their network, and from one that only reaches the
// engine, where it has to ask through the edge. The latter is a process in an empty network of its own.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectEngine } from "../../../provider/docker/engine";
import type { DockerGateInputs, DockerService } from "../../../provider/docker/lookout";
import { pullImage } from "../../../provider/docker/pull";

const registry = process.env["TAGALONG_REGISTRY"] ?? "127.0.0.1:5000";
const base = process.env["TAGALONG_BASE_IMAGE"] ?? `${registry}/tagalong/base:node20`;
const edgeImage = process.env["TAGALONG_EDGE_IMAGE"] ?? `${registry}/tagalong/edge:2.11.9`;
const program = join(__dirname, "gate-process.ts");
const listen = (code: string) => [
  "node",
  "-e",
  `require("http").createServer((q, r) => {${code}}).listen(8080)`,
];

function canUnshare(): boolean {
  try {
    execFileSync("unshare", ["--net", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("The gate", function () {
  this.timeout(240_000);

  const docker = connectEngine();
  const network = `gate-test-${randomBytes(4).toString("hex")}`;
  const containers: string[] = [];
  let edge: string;

  async function start(image: string, command: string[], more: object = {}): Promise<string> {
    const { id } = await docker.createContainer({
      Image: image,
      Cmd: command,
      ...more,
      HostConfig: { NetworkMode: network, RestartPolicy: { Name: "always" } },
    });
    containers.push(id);
    await docker.getContainer(id).start();
    return id;
  }

  before(async () => {
    for (const image of [base, edgeImage])
      await pullImage(docker, image, async () => undefined, new AbortController().signal);
    await docker.createNetwork({ Name: network });
    const answer = ["caddy", "respond", "--listen", ":9999", "ok"];
    edge = await start(edgeImage, answer, { Env: ["XDG_DATA_HOME=/tmp", "XDG_CONFIG_HOME=/tmp"] });
  });
  after(async () => {
    for (const id of containers) await docker.getContainer(id).remove({ force: true, v: true });
    await docker.getNetwork(network).remove();
  });

  async function gate(
    apart: boolean,
    service: Partial<DockerService> & { replicas: string[] },
  ): Promise<{ passedAt?: number; error?: string }> {
    const inputs: DockerGateInputs = {
      services: {
        edge: { reference: edgeImage, replicas: [edge], port: 9999, path: "/" },
        app: { reference: base, ...service },
      },
      network,
      edge,
      deadlineMs: 3000,
    };
    const run = [
      process.execPath,
      "--require",
      "ts-node/register/transpile-only",
      program,
      JSON.stringify(inputs),
    ];
    const [file = "", ...args] = apart ? ["unshare", "--net", ...run] : run;
    return JSON.parse((await promisify(execFile)(file, args)).stdout);
  }

  for (const [place, apart] of [
    ["from a machine that reaches the containers", false],
    ["from a machine that reaches the engine alone", true],
  ] as const) {
    describe(place, () => {
      before(function () {
        if (apart && !canUnshare()) this.skip();
      });

      it("passes what answers well, on its path or on its port", async () => {
        const app = await start(base, listen("r.statusCode = q.url === '/healthz' ? 204 : 404; r.end()"));
        for (const asked of [{ port: 8080, path: "/healthz" }, { port: 8080 }])
          assert((await gate(apart, { replicas: [app], ...asked })).passedAt, JSON.stringify(asked));
      });

      it("says at the deadline what does not answer well, or not at all", async () => {
        const bad = await start(base, listen("r.statusCode = 503; r.end()"));
        const silent = await start(base, listen(""));
        const deaf = await start(base, ["sleep", "600"]);
        const said = async (id: string, asked: object) =>
          (await gate(apart, { replicas: [id], ...asked })).error;
        const [one, two, three] = await Promise.all([
          said(bad, { port: 8080, path: "/healthz" }),
          said(silent, { port: 8080, path: "/healthz" }),
          said(deaf, { port: 8080 }),
        ]);
        assert.match(one ?? "", /service app: \S+ was not healthy within 3\.0 s: .*503/);
        assert.match(two ?? "", /was not healthy within 3\.0 s: no (good )?answer to GET \/healthz/);
        assert.match(three ?? "", /was not healthy within 3\.0 s: .*port 8080/);
      });
    });
  }

  it("tells the code of an exit although the engine has started the container again", async () => {
    const loop = await start(base, ["sh", "-c", "echo no config; exit 78"]);
    const { error } = await gate(false, { replicas: [loop] });
    assert.match(
      error ?? "",
      /service app: \S+ exited with code 78\n.*\n {2}its last lines:\n {2}\| no config/,
    );
  });

  it("asks the image's own HEALTHCHECK at once instead of waiting for the engine to do so", async () => {
    const Healthcheck = { Test: ["CMD-SHELL", "test -e /tmp/ready"], Interval: 3600e9 };
    const app = await start(base, ["sh", "-c", "sleep 0.3; touch /tmp/ready; sleep 600"], { Healthcheck });
    assert((await gate(false, { replicas: [app] })).passedAt);
  });

  it("passes what has nothing to ask once it has stayed up", async () => {
    const app = await start(base, ["sleep", "600"]);
    assert((await gate(false, { replicas: [app] })).passedAt);
  });

  it("says of a container that somebody removed that it is gone", async () => {
    const app = await start(base, ["sleep", "600"]);
    await docker.getContainer(app).remove({ force: true });
    containers.splice(containers.indexOf(app), 1);
    assert.match((await gate(false, { replicas: [app] })).error ?? "", /was removed while it was starting/);
  });
});
