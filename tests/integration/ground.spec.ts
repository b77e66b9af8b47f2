import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const root = resolve(__dirname, "../..");
const tools = join(root, "tools");

// A build that takes a while, as a real one does, and leaves a line for every time that it was begun.
const buildOnce = `
  import { appendFileSync, writeFileSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  import { built } from ${JSON.stringify(join(tools, "go-build.mjs"))};
  import { progress } from ${JSON.stringify(join(tools, "progress.mjs"))};
  const program = { name: "language", title: "Slow program", version: "0.0.1", binary: "slow", target: ".", usually: 1, gigabytes: 0 };
  const path = await built(program, progress(), async (_, output) => {
    appendFileSync(process.env.BEGUN, "begun\\n");
    writeFileSync(output, "half", { mode: 0o755 });
    await sleep(Number(process.env.TAKES));
    writeFileSync(output, "whole");
  });
  console.log(path);
`;

describe("The ground", () => {
  let folder: string;
  let children: ChildProcess[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tagalong-ground-"));
    children = [];
  });

  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  const begin = (args: string[], env: NodeJS.ProcessEnv = {}) => {
    const cache = { TAGALONG_CACHE: join(folder, "cache"), PULUMI_HOME: join(folder, "home") };
    const child = spawn(process.execPath, args, { env: { ...process.env, ...cache, ...env }, stdio: "pipe" });
    children.push(child);
    const said = { out: "", err: "" };
    child.stdout.on("data", (chunk) => {
      said.out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      said.err += chunk;
    });
    const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...said }));
    return { child, ended };
  };
  const script = (text: string, env?: NodeJS.ProcessEnv) => begin(["--input-type=module", "-e", text], env);
  const run = (args: string[], env?: NodeJS.ProcessEnv) =>
    begin([join(tools, "run.mjs"), ...args], env).ended;

  const begun = () => join(folder, "begun");
  const times = () => (existsSync(begun()) ? readFileSync(begun(), "utf8").trim().split("\n").length : 0);
  const slowBuild = (takes: number) => script(buildOnce, { BEGUN: begun(), TAKES: String(takes) });
  const hasBegun = async () => {
    while (times() === 0) await sleep(10);
  };

  // A PATH with no program but those named.
  const onlyOnPath = (...names: string[]) => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const found = (name: string) =>
      (process.env["PATH"] ?? "").split(":").find((at) => existsSync(join(at, name))) ?? "";
    for (const name of names) symlinkSync(join(found(name), name), join(bin, name));
    return bin;
  };

  it("builds a program once when two runs want it at the same time, and tells the second whom it waits for", async () => {
    const first = slowBuild(600);
    await hasBegun();
    const [one, two] = await Promise.all([first.ended, slowBuild(600).ended]);
    assert.equal(times(), 1);
    assert.equal(two.out, one.out);
    assert.equal(readFileSync(one.out.trim(), "utf8"), "whole");
    assert.match(
      two.err,
      new RegExp(`Slow program: process ${first.child.pid} is building it; waiting for that`),
    );
  });

  it("builds again after a run that was killed in the middle, and never takes the half for the whole", async () => {
    const first = slowBuild(60_000);
    await hasBegun();
    first.child.kill("SIGKILL");
    await first.ended;
    const { code, out, err } = await slowBuild(1).ended;
    assert.equal(code, 0, err);
    assert.equal(readFileSync(out.trim(), "utf8"), "whole");
    assert.equal(times(), 2);
    assert.doesNotMatch(err, /waiting/);
  });

  it("names the missing Go and where to get it, when a program must be built", async () => {
    const { code, err } = await run(["ground", "watchtower"], { PATH: onlyOnPath("node") });
    assert.equal(code, 1);
    assert.match(
      err,
      /Watchtower 1\.7\.1 must be built here, and there is no Go 1\.21 or newer\n {2}install Go 1\.26/,
    );
    assert.doesNotMatch(err, /\bat .*\.mjs:/);
  });

  it("says before a build that the disk is too full for it", async function () {
    this.timeout(240_000);
    const impossible = `
      import { built } from ${JSON.stringify(join(tools, "go-build.mjs"))};
      import { progress } from ${JSON.stringify(join(tools, "progress.mjs"))};
      const program = { name: "language", title: "Huge program", version: "0.0.1", binary: "huge", target: ".", usually: 1, gigabytes: 1e6 };
      await built(program, progress());
    `;
    const { code, err } = await script(impossible).ended;
    assert.equal(code, 1);
    assert.match(
      err,
      /building Huge program takes up to 1000000 GB, and \S+ has [\d.]+ GB free\n\s+free some space/,
    );
  });

  it("names the port and the variable when something that is no registry has the registry's port", async () => {
    const server = createServer((_, response) => response.writeHead(404).end("no")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const { code, err } = await run(["ground", "registry"], { TAGALONG_REGISTRY_PORT: String(port) });
      assert.equal(code, 1);
      assert.match(
        err,
        new RegExp(`port ${port}, wanted for the local registry, is taken by something that is no registry`),
      );
      assert.match(err, new RegExp(`TAGALONG_REGISTRY_PORT=${port + 1}`));
    } finally {
      server.close();
    }
  });

  it("refuses a registry port that is none", async () => {
    const { code, err } = await run(["ground", "registry"], { TAGALONG_REGISTRY_PORT: "http" });
    assert.equal(code, 1);
    assert.match(err, /TAGALONG_REGISTRY_PORT is "http", which is no port/);
  });

  it("says which Docker engine does not answer, and that DOCKER_HOST named it", async () => {
    const host = `unix://${folder}/docker.sock`;
    const { code, err } = await run(["ground", "engine-docker"], { DOCKER_HOST: host });
    assert.equal(code, 1);
    assert.match(err, /no Docker engine answers/);
    assert.ok(err.includes(host), err);
    assert.match(err, /check the address, or unset the variable/);
  });

  it("names what there is when asked for something that there is not", async () => {
    const { code, err } = await run(["ground", "podman"]);
    assert.equal(code, 1);
    assert.match(err, /there is no "podman" in the ground\n {2}it has: engine, language, docker, .*registry/);
  });

  it("starts a registry of its own, finds it again, and ends it", async function () {
    this.timeout(600_000);
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo;
    await new Promise((done) => free.close(done));
    const registry = (then: string) => `
      import { localRegistry } from ${JSON.stringify(join(tools, "local-registry.mjs"))};
      import { progress } from ${JSON.stringify(join(tools, "progress.mjs"))};
      const build = () => Promise.reject(new Error("a build was not expected"));
      const { address, startedByUs, stop, from } = await localRegistry({ progress: progress(), build, port: ${port} });
      console.log(address, startedByUs, (await fetch("http://" + address + "/v2/")).status);
      ${then}
    `;
    const first = await script(registry("")).ended;
    assert.equal(first.out, `127.0.0.1:${port} true 200\n`, first.err);
    const second = await script(registry("console.log(from); await stop();")).ended;
    assert.equal(second.out, `127.0.0.1:${port} true 200\nstarted by an earlier run\n`, second.err);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/v2/`));
  });

  it("names what a cluster lacks on this machine before anything is built for it", async function () {
    if (process.platform !== "linux" || process.getuid?.() !== 0) this.skip();
    const PATH = onlyOnPath("node");
    const lacking = /a cluster needs .*iptables.* on PATH\n {2}.*install .*iptables/;
    const up = await run(["cluster", "up"], { PATH });
    assert.equal(up.code, 1);
    assert.match(up.err, lacking);
    const test = await run(["test", "kubernetes"], { PATH });
    assert.equal(test.code, 1);
    assert.match(test.err, lacking);
    assert.equal(test.out, "0 passed, 1 failed\n");
    assert.equal(existsSync(join(folder, "cache")), false);
  });

  it("is surveyed by the doctor before any package is installed, and nothing changes", async () => {
    const project = join(folder, "project");
    for (const name of ["tools", "package.json", "package-lock.json"])
      cpSync(join(root, name), join(project, name), { recursive: true });
    const before = readdirSync(project, { recursive: true }).length;
    const { code, out, err } = await begin([join(project, "tools", "run.mjs"), "doctor"], {
      PATH: onlyOnPath("node", "npm"),
    }).ended;
    assert.equal(code, 1, err);
    assert.match(out, /^npm packages +everything +missing +npm ci$/m);
    assert.match(out, /^Pulumi engine +every stack +missing +npm run ground -- engine$/m);
    assert.equal(readdirSync(project, { recursive: true }).length, before);
    assert.equal(existsSync(join(folder, "cache")) || existsSync(join(folder, "home")), false);
  });

  it("tells the doctor's findings as JSON", async () => {
    const { out } = await run(["doctor", "--json"]);
    const { ready, things } = JSON.parse(out);
    assert.equal(typeof ready, "boolean");
    assert.ok(
      things.some(
        ({ thing, needed }: { thing: string; needed: boolean }) => thing === "Docker engine" && needed,
      ),
    );
  });
});
