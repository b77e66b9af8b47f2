// The shop's images, built and run for real. Needs Docker, a registry on this machine, and a base image.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const script = resolve(__dirname, "../../examples/shop/docker-build.sh");
const registry = process.env["TAGALONG_TEST_REGISTRY"] ?? "127.0.0.1:5000";
const base = process.env["SHOP_BASE"] ?? "127.0.0.1:5000/tagalong/base:node20";

interface Built {
  images: Record<string, { reference: string; digest: string; tags: string[] }>;
}

describe("examples/shop", function () {
  this.timeout(240_000);

  const run = randomBytes(4).toString("hex");
  const commit = randomBytes(20).toString("hex");
  const network = `shop-test-${run}`;
  const containers: string[] = [];
  let built: Built;

  async function docker(...args: string[]): Promise<string> {
    return (await execute("docker", args)).stdout.trim();
  }

  async function build(...args: string[]): Promise<Built> {
    const common = ["--registry", `${registry}/shop-test/${run}`, "--base", base, "--push", "--json"];
    return JSON.parse((await execute(script, [...common, ...args])).stdout);
  }

  function image(name: string): Built["images"][string] {
    const found = built.images[name];
    assert.ok(found, `docker-build.sh --json does not name ${name}`);
    return found;
  }

  /** Starts an image as locked up as it promises to work. */
  async function start(reference: string, ...args: string[]): Promise<string> {
    const locked = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
    const id = await docker(
      "run",
      "-d",
      ...locked,
      "--network",
      network,
      "-p",
      "127.0.0.1::8080",
      ...args,
      reference,
    );
    containers.push(id);
    return id;
  }

  async function address(id: string): Promise<string> {
    return `http://${(await docker("port", id, "8080/tcp")).split("\n")[0]}`;
  }

  /** Waits until a container answers on /healthz, with this status. */
  async function healthz(id: string, status: number): Promise<string> {
    const url = await address(id);
    for (
      const end = Date.now() + 30_000;
      Date.now() < end;
      await new Promise((again) => setTimeout(again, 50))
    ) {
      const answer = await fetch(`${url}/healthz`).catch(() => undefined);
      if (answer?.status === status) return url;
    }
    throw new Error(`${id} did not answer ${status} on /healthz: ${await docker("logs", id)}`);
  }

  const ready = (id: string) => healthz(id, 200);

  before(async function () {
    this.timeout(600_000);
    built = await build("--commit", commit, "--version", "1.4.2", "--tag", "dev");
    await docker("network", "create", network);
  });

  after(async () => {
    if (containers.length > 0) await docker("rm", "-f", ...containers);
    await docker("network", "rm", network).catch(() => {});
    const left = await docker("images", "-q", "--filter", `reference=${registry}/shop-test/${run}/*`);
    if (left) await docker("rmi", "-f", ...new Set(left.split("\n")));
  });

  for (const name of ["server", "client"]) {
    it(`${name} carries the promised tags, all on one digest`, async () => {
      const { reference, digest, tags } = image(name);
      assert.deepEqual(tags, [`sha-${commit}`, "dev"]);
      assert.equal(reference, `${registry}/shop-test/${run}/${name}@${digest}`);
      for (const tag of tags) {
        const answer = await fetch(`http://${registry}/v2/shop-test/${run}/${name}/manifests/${tag}`, {
          method: "HEAD",
          headers: {
            accept:
              "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json",
          },
        });
        assert.equal(answer.headers.get("docker-content-digest"), digest, `${name}:${tag}`);
      }
    });

    it(`${name} says by its labels what it was built from`, async () => {
      const labels = JSON.parse(
        await docker("inspect", "-f", "{{json .Config.Labels}}", image(name).reference),
      );
      assert.equal(labels["org.opencontainers.image.title"], `shop ${name}`);
      assert.equal(labels["org.opencontainers.image.version"], "1.4.2");
      assert.equal(labels["org.opencontainers.image.revision"], commit);
      assert.match(labels["org.opencontainers.image.source"], /^https?:\/\//);
      assert.ok(Math.abs(Date.now() - Date.parse(labels["org.opencontainers.image.created"])) < 600_000);
    });

    it(`${name} runs as nobody special, by exec, and holds no tests`, async () => {
      const config = JSON.parse(await docker("inspect", "-f", "{{json .Config}}", image(name).reference));
      assert.equal(config.User, "1000:1000");
      assert.deepEqual(config.Cmd, ["node", `${name}/${name}.mjs`]);
      assert.equal(config.StopSignal, "SIGTERM");
      assert.deepEqual(config.ExposedPorts, { "8080/tcp": {} });
      const files = await docker("run", "--rm", image(name).reference, "find", "/app", "-type", "f");
      assert.match(files, new RegExp(`/app/${name}/${name}.mjs`));
      assert.doesNotMatch(files, /test|Dockerfile/);
    });
  }

  it("the client answers with its own identity and the server's, in a read-only container without capabilities", async () => {
    const settings = ["-e", "ENVIRONMENT=test"];
    const server = await start(image("server").reference, "--network-alias", "server", ...settings);
    const client = await start(image("client").reference, "-e", "SERVER_URL=http://server:8080", ...settings);
    await ready(server);
    const identity = { version: "1.4.2", commit, environment: "test" };
    assert.deepEqual(await (await fetch(await ready(client))).json(), {
      service: "client",
      ...identity,
      server: { service: "server", ...identity, database: { configured: false } },
    });
    await assert.rejects(docker("exec", client, "touch", "/app/file"), /Read-only file system/);
  });

  it("the client's own health check finds it healthy", async () => {
    const client = await start(image("client").reference);
    await ready(client);
    assert.equal(await docker("exec", client, "node", "client/healthcheck.mjs"), "/healthz answered 200");
    const check = await docker(
      "inspect",
      "-f",
      "{{json .Config.Healthcheck.Test}}",
      image("client").reference,
    );
    assert.deepEqual(JSON.parse(check), ["CMD", "node", "client/healthcheck.mjs"]);
  });

  it("docker stop lets a request in flight finish, and the exit code is 0", async () => {
    const server = await start(image("server").reference);
    const url = await ready(server);
    const slow = fetch(`${url}/slow?ms=2000`);
    await fetch(url);
    await docker("stop", server);
    const answer = await slow;
    assert.equal(answer.status, 200);
    assert.equal(((await answer.json()) as { waitedMs: number }).waitedMs, 2000);
    assert.equal(await docker("inspect", "-f", "{{.State.ExitCode}}", server), "0");
  });

  it("an image built to be unhealthy answers, and never gets ready", async () => {
    const { images } = await build(
      "--commit",
      randomBytes(20).toString("hex"),
      "--broken",
      "unhealthy",
      "server",
    );
    const broken = await start(images["server"]?.reference ?? "");
    const url = await healthz(broken, 503);
    assert.equal((await fetch(url)).status, 200);
  });

  it("an image built to exit ends with code 3 and says why", async () => {
    const { images } = await build("--commit", randomBytes(20).toString("hex"), "--broken", "exit", "server");
    const broken = await start(images["server"]?.reference ?? "");
    assert.equal(await docker("wait", broken), "3");
    assert.match(await docker("logs", broken), /"level":"error".*BROKEN=exit/);
  });

  it("shellcheck finds nothing in docker-build.sh", async function () {
    const found = await execute("shellcheck", ["--version"]).catch(() => undefined);
    if (!found) return this.skip();
    await execute("shellcheck", [script]);
  });
});
