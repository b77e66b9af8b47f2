// A repository with an origin and rendered workflows, and the packages that its images are pushed to: what the scripts
// work on, without GitHub.
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { validateConfig } from "../../config";
import { renderWorkflows } from "../../workflows";
import { run, write } from "./programs";

export const host = process.env["TAGALONG_REGISTRY"] ?? "127.0.0.1:5000";
const ociManifest = "application/vnd.oci.image.manifest.v1+json";

export const sha256 = (bytes: string | Buffer) =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export interface Ended {
  status: number | null;
  said: string;
  outputs: Record<string, string>;
}

export class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), "shop-"));
  readonly work = join(this.folder, "work");
  readonly origin = join(this.folder, "origin.git");

  /** @param path where the registry has the images */
  constructor(
    workflows: Record<string, unknown> = {},
    readonly images: readonly string[] = ["server", "client"],
    readonly path = `workflows-test/${randomBytes(4).toString("hex")}`,
  ) {
    mkdirSync(this.work);
    run("git", ["init", "--quiet", "--bare", "--initial-branch=main", this.origin], this.folder);
    run("git", ["clone", "--quiet", this.origin, "work"], this.folder);
    this.git("config", "user.name", "Ada");
    this.git("config", "user.email", "ada@acme.example");
    this.render(workflows);
  }

  /** The config anew; nothing is committed. */
  render(workflows: Record<string, unknown>): void {
    const config = validateConfig(
      {
        images: Object.fromEntries(this.images.map((name) => [name, { repository: this.repository(name) }])),
        repository: { owner: "acme", name: "shop" },
        workflows: { platforms: ["linux/amd64"], environments: ["dev", "test"], ...workflows },
      },
      { stack: "repository" },
    );
    if (config.kind === "repository") write(this.work, renderWorkflows(config));
  }

  repository(image: string): string {
    return `${host}/${this.path}/${image}`;
  }

  git(...args: string[]): string {
    const { status, said } = run("git", args, this.work);
    if (status !== 0) throw new Error(`git ${args.join(" ")}: ${said}`);
    return said.trim();
  }

  /** Writes files, commits and pushes them. @returns the commit */
  commit(files: Record<string, string>, message = "Change"): string {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.work, path)), { recursive: true });
      writeFileSync(join(this.work, path), text);
    }
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--message", message);
    this.git("push", "--quiet", "origin", "HEAD");
    return this.git("rev-parse", "HEAD");
  }

  /** Runs a script as a step of a workflow does. */
  async script(name: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const file = join(this.folder, "output");
    writeFileSync(file, "");
    const child = spawn(process.execPath, [".github/tagalong/run.mjs", name], {
      cwd: this.work,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: this.folder, GITHUB_OUTPUT: file, ...env },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        said += chunk;
      });
    const [status] = (await once(child, "close")) as [number | null];
    const outputs = [...readFileSync(file, "utf8").matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm)];
    return {
      status,
      said,
      outputs: Object.fromEntries(outputs.map(([, key = "", , value = ""]) => [key, value])),
    };
  }

  /** Pushes one platform's image by digest, as a builder does. */
  async push(
    image: string,
    { revision = "", architecture = "amd64", layer = "layer" } = {},
  ): Promise<string> {
    const blob = async (bytes: Buffer) => {
      const digest = sha256(bytes);
      const opened = await this.ask(image, "POST", "blobs/uploads/");
      const to = new URL(opened.headers.get("location") ?? "", `http://${host}`);
      to.searchParams.set("digest", digest);
      const headers = { "content-type": "application/octet-stream" };
      const { status } = await fetch(to, { method: "PUT", headers, body: new Uint8Array(bytes) });
      if (status !== 201) throw new Error(`the blob was not taken: ${status}`);
      return { digest, size: bytes.length };
    };
    const labels = { "org.opencontainers.image.revision": revision };
    const history = [{ created_by: "ENV A=1", empty_layer: true }, { created_by: "COPY src . # buildkit" }];
    const config = Buffer.from(
      JSON.stringify({ os: "linux", architecture, config: { Labels: labels }, history }),
    );
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...(await blob(config)) },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...(await blob(Buffer.from(layer))) }],
    });
    const digest = sha256(manifest);
    const headers = { "content-type": ociManifest };
    await this.ask(image, "PUT", `manifests/${digest}`, { headers, body: manifest });
    return digest;
  }

  /** Pushes an image and gives it tags. */
  async release(image: string, revision: string, ...tags: string[]): Promise<string> {
    const digest = await this.push(image, { revision, layer: `${image} ${revision}` });
    for (const tag of tags) await this.tag(image, digest, tag);
    return digest;
  }

  async tag(image: string, digest: string, tag: string): Promise<void> {
    const answer = await this.ask(image, "GET", `manifests/${digest}`, { headers: { accept: ociManifest } });
    const body = await answer.text();
    await this.ask(image, "PUT", `manifests/${tag}`, { headers: { "content-type": ociManifest }, body });
  }

  /** The digest that a tag carries. */
  async carried(image: string, tag: string): Promise<string | undefined> {
    const accept = `${ociManifest}, application/vnd.oci.image.index.v1+json`;
    const answer = await this.ask(image, "HEAD", `manifests/${tag}`, { headers: { accept } });
    return answer.headers.get("docker-content-digest") ?? undefined;
  }

  ask(image: string, method: string, path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://${host}/v2/${this.path}/${image}/${path}`, { method, ...init });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
