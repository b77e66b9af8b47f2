// The command line beside a real environment: its containers, its watcher, and what the records say of them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { StatusEntry } from "../../cli/status";
import { Ledger } from "../../ledger";
import { parseReference, RegistryClient } from "../../registry";
import type { Receipt } from "../../rollout/record";
import { account, startRealRegistry } from "../integration/registry/real-registry";
import { docker, freePort, Project, type Stack } from "./harness";
import { registry } from "./images";
import { Watching } from "./watching";

const cli = resolve(__dirname, "../../cli/tagalong.mjs");

describe("The command line beside an environment", function () {
  this.timeout(600_000);
  const project = new Project(["server"]);
  const client = new RegistryClient();
  let stack: Stack;
  let digest: string;
  let other: string;

  before(async () => {
    const labels = { "org.opencontainers.image.version": "1.0.0" };
    digest = await project.push("server", { version: "1", labels }, "dev", "1.0.0");
    other = await project.push("server", { version: "2" }, "2.0.0");
    stack = await project.stack("dev", { services: { web: { image: "server", port: 8080, replicas: 2 } } });
    await stack.up();
  });
  after(async () => {
    await client.close();
    await project.close();
  });

  const run = async (env: NodeJS.ProcessEnv, ...args: string[]) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: project.folder,
      env: { ...process.env, XDG_STATE_HOME: join(project.folder, "watchers"), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [said, complained]: [string[], string[]] = [[], []];
    child.stdout.on("data", (chunk) => said.push(String(chunk)));
    child.stderr.on("data", (chunk) => complained.push(String(chunk)));
    const [status] = await once(child, "close");
    return { status, stdout: said.join(""), stderr: complained.join("") };
  };
  const entry = async (): Promise<StatusEntry> => {
    const { stdout, stderr } = await run({}, "status", "dev", "--json");
    assert.equal(stderr, "");
    return JSON.parse(stdout).environments[0];
  };
  const record = (to: string, outcome: Receipt["outcome"]) => {
    const reference = parseReference(`${registry}/${project.repository("server")}`);
    const at = new Date().toISOString();
    return new Ledger(client, "dev", { server: reference }, { steadyMs: 20 }).record({
      id: `${at.replaceAll(/[-:]/g, "")}-1`,
      environment: "dev",
      trigger: "tag",
      by: "ada@build-7",
      via: "watcher",
      images: { server: { to } },
      hops: { switched: at },
      outcome,
      endedAt: at,
    });
  };

  it("says of an environment with containers what these run, even before there is a record", async () => {
    const { services, state } = await entry();
    const { digest: runs, version, containers } = services["web"] ?? {};
    assert.deepEqual([runs, version], [digest, "1.0.0"]);
    assert.deepEqual(containers, { running: 2, digests: [digest] });
    assert.equal(state, "steady");
  });

  it("says where the records are not what the containers run", async () => {
    await record(other, "healthy");
    const { state, reasons, services } = await entry();
    assert.equal(state, "pending");
    assert.equal(services["web"]?.digest, other);
    const expected = `web: its receipts say ${other.slice(7, 19)}, and containers run ${digest.slice(7, 19)}`;
    assert(reasons.includes(expected), reasons.join("\n"));
    await record(digest, "healthy");
  });

  it("says that a service has no container left", async () => {
    const filters = { label: [`dev.tagalong.environment=${stack.environment}`, "dev.tagalong.service=web"] };
    const containers = await docker.listContainers({ filters });
    for (const { Id } of containers) await docker.getContainer(Id).pause();
    try {
      const { reasons } = await entry();
      assert.match(
        reasons.join("\n"),
        /web: its receipts say .*, and no container of it runs on the engine here/,
      );
    } finally {
      for (const { Id } of containers) await docker.getContainer(Id).unpause();
    }
    assert.equal((await entry()).state, "steady");
  });

  it("sees the watcher while it runs, and when it last rolled where it does not", async () => {
    const before = (await entry()).watcher;
    assert.deepEqual([before?.isRunning, before?.where], [false, "ada@build-7"]);
    const watching = new Watching(stack);
    try {
      await watching.next("watching");
      const { watcher } = await entry();
      assert.deepEqual([watcher?.isRunning, watcher?.where], [true, `this machine, process ${watching.pid}`]);
      assert.match(
        (await run({}, "status")).stdout,
        /^dev {2}steady {2}follows :dev {2}watcher runs \(this machine, process \d+\)$/m,
      );
    } finally {
      await watching.end();
    }
    assert.equal((await entry()).watcher?.isRunning, false);
  });

  it("uses the stack's own credentials of a registry where Pulumi can decrypt them", async () => {
    const guarded = await startRealRegistry({ basic: true });
    try {
      const locked = await project.stack("locked", {
        images: { server: { repository: `${guarded.host}/shop/server` } },
        services: { web: { image: "server", port: 8080 } },
        registries: { [guarded.host]: { username: account.username } },
      });
      const path = `tagalong:registries["${guarded.host}"].password`;
      await locked.run("config", "set", "--secret", "--path", path, account.password, "-s", "locked");
      const { status, stdout, stderr } = await run(
        { ...locked.variables(), PATH: process.env["PATH"] },
        "history",
        "locked",
      );
      assert.deepEqual([status, stdout, stderr], [0, "locked has no receipt of a roll yet\n", ""]);
      const wrong = await run(
        { ...locked.variables(), PULUMI_CONFIG_PASSPHRASE: "wrong" },
        "history",
        "locked",
      );
      assert.equal(wrong.status, 4);
      assert.match(wrong.stderr, /which are encrypted: log in with "docker login/);
    } finally {
      rmSync(join(project.folder, "Pulumi.locked.yaml"), { force: true });
      await guarded.close();
    }
  });

  it("says what it knows where no engine answers", async () => {
    const { status, stdout } = await run({ DOCKER_HOST: "unix:///nowhere.sock" }, "status", "--json");
    const [{ services, state }] = JSON.parse(stdout).environments;
    assert.deepEqual(
      [status, state, services.web.containers, services.web.digest],
      [0, "steady", null, digest],
    );
  });
});

describe("Promotion with the command line", function () {
  this.timeout(600_000);
  const project = new Project(["server"]);
  const digests: Record<string, string> = {};
  let stack: Stack;

  before(async () => {
    for (const version of ["1.0.0", "2.0.0"]) {
      const labels = { "org.opencontainers.image.version": version };
      digests[version] = await project.push("server", { version, labels }, version);
    }
    const services = { web: { image: "server", port: 8080, publish: await freePort() } };
    stack = await project.stack("test", { services, rollout: { soak: "0s" } });
  });
  after(() => project.close());

  const run = async (...args: string[]) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: project.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(String(chunk)));
    const [status] = await once(child, "close");
    assert.equal(status, 0, said.join(""));
    return said.join("");
  };
  const runs = async () => {
    const { environments } = JSON.parse(await run("status", "test", "--json"));
    const [entry] = environments as StatusEntry[];
    assert(entry);
    const { state, release, services, images } = entry;
    const web = services["web"];
    return {
      state,
      release,
      version: web?.version,
      containers: web?.containers?.digests,
      carried: images["server"]?.carried,
    };
  };
  const steady = (version: string) => {
    const digest = digests[version];
    return { state: "steady", release: version, version, containers: [digest], carried: digest };
  };

  it("is an edit and an up, there and back, and each is in the history", async () => {
    await run("promote", "test", "--release", "1.0.0");
    assert.equal((await runs()).state, "pending");
    await stack.up();
    assert.deepEqual(await runs(), steady("1.0.0"));

    await run("promote", "test", "--release", "2.0.0");
    assert.match(await run("diff", "test"), /\| test \| server \| 1\.0\.0 .* \| 2\.0\.0 .* \| rolls \|/);
    await stack.up();
    assert.deepEqual(await runs(), steady("2.0.0"));

    assert.match(await run("rollback", "test"), /^-.*release: 2\.0\.0\n\+.*release: 1\.0\.0$/m);
    await stack.up();
    assert.deepEqual(await runs(), steady("1.0.0"));

    const { receipts } = JSON.parse(await run("history", "test", "--json"));
    assert.deepEqual(
      receipts.map(({ release, outcome, via, images }: Receipt) => [
        release,
        outcome,
        via,
        images["server"]?.to,
      ]),
      ["1.0.0", "2.0.0", "1.0.0"].map((version) => [version, "healthy", "up", digests[version]]),
    );
    const { images } = JSON.parse(await run("locate", "2.0.0", "--json"));
    const { runs: isThere, ran } = images[0].environments.test;
    assert.deepEqual([isThere, ran.length], [false, 1]);
  });
});
