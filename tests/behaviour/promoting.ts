// What the tests of promotion work with: releases in a registry, and a stack whose config names one.
import assert from "node:assert/strict";
import { Ledger } from "../../ledger";
import { parseReference, RegistryClient } from "../../registry";
import { becomes, type Engine } from "../e2e/engine";
import { ask, Project, type Stack, sicken } from "../e2e/harness";
import { type AppImage, pushApp, pushAppIndex, registry } from "../e2e/images";
import { types } from "../integration/registry/images";

export type Digests = Record<string, string>;

export class Promoting {
  readonly project: Project;
  readonly ledger: Ledger;
  stack!: Stack;
  url = "";
  private readonly client = new RegistryClient();
  private readonly releases: Record<string, Digests> = {};

  constructor(readonly engine: Engine) {
    this.project = new Project(["server", "client"], engine);
    const repositories = Object.fromEntries(
      this.project.images.map((image) => [
        image,
        parseReference(`${registry}/${this.project.repository(image)}`),
      ]),
    );
    this.ledger = new Ledger(this.client, "test", repositories);
  }

  /** A stack with a server that is published, and a client; its first release is not brought up yet. */
  async open(release: string): Promise<void> {
    const port = await this.engine.freePort();
    this.url = this.engine.url(port);
    this.stack = await this.project.stack("test", {
      release,
      services: {
        server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" } },
        client: { image: "client", port: 8080 },
      },
    });
    this.configure();
  }

  async close(): Promise<void> {
    await this.project.close();
    await this.client.close();
  }

  /** Pushes a release: the server as an index of two platforms, the client as one image of OCI's kind. */
  async push(
    version: string,
    apps: { server?: Partial<AppImage>; client?: Partial<AppImage> } = {},
  ): Promise<void> {
    const labels = { "org.opencontainers.image.version": version };
    const of = (image: "server" | "client") => ({
      ...this.engine.app,
      version,
      labels,
      ...apps[image],
      env: { IMAGE: image, ...this.engine.app.env, ...apps[image]?.env },
    });
    const index = { ...of("server"), flavour: "docker" } as const;
    const server = await pushAppIndex(this.project.repository("server"), index, version);
    const single = { ...of("client"), flavour: "oci" } as const;
    const client = await pushApp(this.project.repository("client"), single, version);
    this.releases[version] = { server: server.digest, client: client.digest };
  }

  release(version: string): Digests {
    return this.releases[version] ?? {};
  }

  promote(version: string | undefined): void {
    this.stack.configure({ release: version });
  }

  configure(rollout: object = {}): void {
    const { deadline } = this.engine;
    this.stack.configure({ rollout: { deadline, drain: "1s", soak: "1s", ...rollout } });
  }

  /** What the registry says that the environment's tags carry; "" for one that is not there. */
  async carried(tag = "test"): Promise<Digests> {
    const accept = Object.values(types).flatMap(({ manifest, index }) => [manifest, index]);
    const found = this.project.images.map(async (image) => {
      const url = `http://${registry}/v2/${this.project.repository(image)}/manifests/${tag}`;
      const { headers } = await fetch(url, { method: "HEAD", headers: { accept: accept.join(", ") } });
      return [image, headers.get("docker-content-digest") ?? ""];
    });
    return Object.fromEntries(await Promise.all(found));
  }

  async version(): Promise<string | undefined> {
    return (await ask(this.url)).version;
  }

  serves(version: string): Promise<void> {
    return becomes(this.engine, () => this.version(), version);
  }

  /** Waits until a roll that is under way has brought the version. */
  async live(version: string): Promise<void> {
    while ((await this.version()) !== version) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** The first replica of the server turns unhealthy, and goes on answering. */
  sicken(version: string): Promise<void> {
    return sicken(this.url, version);
  }

  /** A preview and an update fail with the reason, and touch nothing; what the update says. */
  async refused(reason: RegExp): Promise<string> {
    const { stack } = this;
    const look = async () => ({
      tags: await this.carried(),
      ids: await stack.ids(),
      resources: (await stack.exportState()).resources.filter(({ type }) => !/pulumi:|provider/.test(type))
        .length,
    });
    const before = await look();
    const outputs = [await stack.previewFails(), await stack.upFails()];
    for (const output of outputs) assert.match(output, reason);
    assert.deepEqual(await look(), before);
    return outputs[1] ?? "";
  }

  /** Lets a rejected image of the server be tried once more. @returns the record of its rejection */
  async override(release: string, reason: string): Promise<string | undefined> {
    const digest = this.release(release)["server"] ?? "";
    const { rejected } = await this.ledger.findings("server", digest);
    const override = { at: new Date().toISOString(), by: "ada@build-7", reason };
    await this.ledger.override("server", digest, { ...override, rejections: [rejected?.record ?? ""] });
    return rejected?.record;
  }
}
