/**
 * A project of its own for each test: a temporary folder that has the repository's program in it, a state backend, a
 * passphrase and a place in the registry that nobody else uses. Whatever a test leaves behind goes with `close`.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type Docker from "dockerode";
import { parse, stringify } from "yaml";
import { dependencies } from "../../package.json";
import { labels } from "../../provider/docker/layout";
import type { Traffic, TrafficOptions } from "../../tools/traffic.mjs";
import { importTool } from "../unit/tools/import-module";
import { docker, onDocker } from "./docker";
import type { Engine } from "./engine";
import { type AppImage, pushApp, registry } from "./images";

const repositoryRoot = resolve(__dirname, "../..");

export { docker, freePort, localImages, onDocker, removeContainer } from "./docker";

/** What one command of Pulumi did. */
export interface Run {
  code: number | null;
  /** Standard output and error, in the order in which they came. */
  output: string;
  stdout: string;
}

export interface Step {
  op: string;
  urn: string;
  /** Names of the inputs that differ. */
  diffReasons?: string[];
  oldState?: { inputs?: Record<string, unknown>; outputs?: Record<string, unknown> };
  newState?: { inputs?: Record<string, unknown>; outputs?: Record<string, unknown> };
}

export interface Resource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

export type Config = Record<string, unknown>;

/** A project with one image a name: `images: ["server"]`. */
export class Project {
  readonly name = `e2e-${randomBytes(4).toString("hex")}`;
  readonly folder = mkdtempSync(join(tmpdir(), `${this.name}-`));
  readonly passphrase = randomBytes(12).toString("hex");
  readonly stacks: Stack[] = [];

  constructor(
    readonly images: readonly string[],
    readonly engine: Engine = onDocker,
  ) {
    // Symbolic links: the program that runs is the repository's own, its working folder is this one.
    for (const file of ["program.cjs", "package.json", "node_modules"])
      symlinkSync(join(repositoryRoot, file), join(this.folder, file));
    mkdirSync(join(this.folder, "state"));
    this.write("Pulumi.yaml", {
      name: this.name,
      main: "program.cjs",
      runtime: { name: "nodejs", options: { typescript: false } },
      plugins: { providers: [{ name: "tagalong", path: join(repositoryRoot, "provider", "plugin") }] },
      config: {
        "tagalong:images": {
          value: Object.fromEntries(
            images.map((image) => [image, { repository: `${registry}/${this.repository(image)}` }]),
          ),
        },
      },
    });
  }

  repository(image: string): string {
    return `${this.name}/${image}`;
  }

  /** Pushes a version of the image under these tags; the digest, or nothing else where there are none. */
  async push(image: string, app: AppImage, ...tags: string[]): Promise<string> {
    const named = { ...this.engine.app, ...app, env: { IMAGE: image, ...this.engine.app.env, ...app.env } };
    return (await pushApp(this.repository(image), named, ...tags)).digest;
  }

  /** A new stack with this config, in the namespace `tagalong`. */
  async stack(name: string, config: Config): Promise<Stack> {
    const stack = new Stack(this, name);
    this.stacks.push(stack);
    await stack.run("stack", "init", name);
    stack.configure({ ...this.engine.config, ...config });
    return stack;
  }

  /** A stack of the same name and config, in a state of its own. */
  again(name: string): Stack {
    const stack = new Stack(this, name, "another-state");
    mkdirSync(join(this.folder, "another-state"));
    this.stacks.push(stack);
    return stack;
  }

  /** Removes everything of the project from the engine and the disk, by name and label, whatever state it is in. */
  async close(): Promise<void> {
    for (const stack of this.stacks) stack.kill();
    await this.engine.sweep(this);
    rmSync(this.folder, { recursive: true, force: true });
  }

  write(file: string, content: unknown): void {
    writeFileSync(join(this.folder, file), stringify(content));
  }
}

/** One stack of a project, driven by the plain command line. */
export class Stack {
  /** `<project>/<stack>` */
  readonly environment: string;
  readonly file: string;
  /** Over the environment of every command. */
  readonly env: NodeJS.ProcessEnv = {};
  private readonly running = new Set<ChildProcess>();

  constructor(
    readonly project: Project,
    readonly name: string,
    private readonly backend = "state",
  ) {
    this.environment = `${project.name}/${name}`;
    this.file = `Pulumi.${name}.yaml`;
  }

  /** Sets keys of the namespace `tagalong`; others, and what is encrypted, stay. */
  configure(config: Config): void {
    const path = join(this.project.folder, this.file);
    const content = (parse(readFileSync(path, { encoding: "utf8", flag: "a+" })) ?? {}) as {
      config?: Config;
    };
    const keys = Object.entries(config).map(([key, value]) => [`tagalong:${key}`, value]);
    this.project.write(this.file, { ...content, config: { ...content.config, ...Object.fromEntries(keys) } });
  }

  async setSecret(name: string, value: string): Promise<void> {
    const run = this.start(
      "config",
      "set",
      "--secret",
      "--path",
      `tagalong:secrets.${name}`,
      "-s",
      this.name,
    );
    run.child.stdin?.end(value);
    const { code, output } = await run.done;
    assert.equal(code, 0, output);
  }

  /** `pulumi up`; fails the test where it fails. */
  up(...args: string[]): Promise<Run> {
    return this.run("up", "--yes", "--skip-preview", "-s", this.name, ...args);
  }

  /** `pulumi up` that is expected to fail; its output. */
  async upFails(...args: string[]): Promise<string> {
    return this.fails("up", "--yes", "--skip-preview", ...args);
  }

  async previewFails(): Promise<string> {
    return this.fails("preview");
  }

  /** The steps of a preview that change something. */
  async preview(): Promise<Step[]> {
    const { stdout } = await this.run("preview", "--json", "-s", this.name);
    const { steps } = JSON.parse(stdout) as { steps: Step[] };
    return steps.filter(({ op }) => op !== "same");
  }

  /** What a preview would do, a line a resource: `update Gate dev: services`. */
  async changes(): Promise<string[]> {
    return (await this.preview()).map(({ op, urn, diffReasons }) => {
      const type = urn.split("::").at(-2)?.split(/[:$/]/).at(-1);
      const name = urn.split("::").at(-1);
      return `${op} ${type} ${name}${diffReasons ? `: ${diffReasons.join(", ")}` : ""}`;
    });
  }

  refresh(...args: string[]): Promise<Run> {
    return this.run("refresh", "--yes", "--skip-preview", "-s", this.name, ...args);
  }

  destroy(): Promise<Run> {
    return this.run("destroy", "--yes", "--skip-preview", "-s", this.name);
  }

  cancel(): Promise<Run> {
    return this.run("cancel", "--yes", this.name);
  }

  async exportState(): Promise<{ text: string; resources: Resource[] }> {
    const { stdout } = await this.run("stack", "export", "-s", this.name);
    const { deployment } = JSON.parse(stdout) as { deployment: { resources?: Resource[] } };
    return { text: stdout, resources: deployment.resources ?? [] };
  }

  /** Any command; fails the test where it fails. */
  async run(...args: string[]): Promise<Run> {
    const run = await this.start(...args).done;
    assert.equal(run.code, 0, `pulumi ${args.join(" ")} ended with ${run.code}:\n${run.output}`);
    return run;
  }

  private async fails(...args: string[]): Promise<string> {
    const run = await this.start(...args, "-s", this.name).done;
    assert.notEqual(run.code, 0, `pulumi ${args.join(" ")} was expected to fail:\n${run.output}`);
    return run.output;
  }

  /** The environment of every command. */
  variables(): NodeJS.ProcessEnv {
    const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const bin = join(home, "versions", dependencies["@pulumi/pulumi"], "bin");
    return {
      ...process.env,
      PATH: `${bin}:${process.env["PATH"]}`,
      // Without `metadata=skip` a kill at the wrong moment leaves an empty file beside the state: an error ever after.
      PULUMI_BACKEND_URL: `file://${join(this.project.folder, this.backend)}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: this.project.passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...this.env,
    };
  }

  /** Starts a command in a process group of its own. */
  start(...args: string[]): { child: ChildProcess; done: Promise<Run> } {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.project.folder,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: this.variables(),
    });
    this.running.add(child);
    if (args[0] !== "config") child.stdin.end();
    let [output, stdout] = ["", ""];
    const done = new Promise<Run>((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
      child.once("error", reject);
      child.once("close", (code) => {
        this.running.delete(child);
        resolve({ code, output, stdout });
      });
    });
    return { child, done };
  }

  /** Ends whatever runs for the project, providers and program included, as a power cut would. */
  kill(): void {
    if (this.running.size === 0) return;
    const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    for (const pid of processes) {
      try {
        // Providers are in process groups of their own; what tells them is where they work.
        if (readlinkSync(`/proc/${pid}/cwd`) === this.project.folder) process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended by itself, or is not ours to look at.
      }
    }
  }

  /** The environment's containers, running or not; those of one service, or all. */
  async containers(service?: string): Promise<Docker.ContainerInfo[]> {
    const all = await docker.listContainers({
      all: true,
      filters: { label: [`${labels.environment}=${this.environment}`] },
    });
    return all
      .filter(({ Labels }) => service === undefined || Labels[labels.service] === service)
      .sort((a, b) => (a.Id < b.Id ? -1 : 1));
  }

  /** Everything that runs of the environment; what runs of one service. */
  async ids(service?: string): Promise<string[]> {
    return (await this.project.engine.running(this, service)).map(({ id }) => id);
  }
}

/** Steady traffic on the app; see tools/traffic.mjs. */
export async function startTraffic(options: TrafficOptions): Promise<Traffic> {
  const traffic = await importTool<typeof import("../../tools/traffic.mjs")>("traffic.mjs");
  return traffic.startTraffic(options);
}

/** What the app answers where it is published: a URL, or a port of this machine. */
export async function ask(
  at: number | string,
  path = "/",
): Promise<{ status: number; version?: string; host?: string; said?: unknown }> {
  // A connection that stays open stays with whoever answered on it first, where no edge is between.
  const headers = { connection: "close" };
  const response = await fetch(`${typeof at === "number" ? onDocker.url(at) : at}${path}`, { headers });
  const text = await response.text();
  try {
    return { status: response.status, ...(JSON.parse(text) as object) };
  } catch {
    return { status: response.status, said: text };
  }
}

/** What serves in this version answers 503 to its health check from now on, and goes on answering otherwise. */
export async function sicken(at: number | string, version: string): Promise<void> {
  // For a moment a cluster's node still leads to what served before.
  while ((await ask(at, "/sicken")).version !== version) await new Promise((rest) => setTimeout(rest, 50));
}
