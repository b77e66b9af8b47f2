/** A shop of two images and two environments for the commands: a real registry, a project's folder, and a past. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, codeOf, sentenceOf } from "../../../cli/failure";
import type { Output } from "../../../cli/output";
import { Project } from "../../../cli/project";
import { Ledger } from "../../../ledger";
import { parseReference, type Reference, RegistryClient } from "../../../registry";
import type { Receipt, Verdict } from "../../../rollout/record";
import { pushImage } from "../registry/images";
import { type Guard, type RealRegistry, startRealRegistry } from "../registry/real-registry";

export const commitOf = (version: string): string => version.replaceAll(/[^0-9]/g, "").padEnd(40, "a");

/** What a command said and how it ended. */
export interface Ended {
  code: number;
  text: string;
}

export class Shop {
  /** By image and version. */
  readonly digests: Record<string, Record<string, string>> = { server: {}, client: {} };
  readonly client: RegistryClient;
  readonly folder = mkdtempSync(join(tmpdir(), "tagalong-shop-"));
  private receiptsMade = 0;

  private constructor(readonly registry: RealRegistry) {
    this.client = new RegistryClient();
    this.write("Pulumi.yaml", [
      "name: shop",
      "runtime: nodejs",
      "config:",
      "  tagalong:images:",
      "    value:",
      `      server: { repository: ${this.repository("server")} }`,
      `      client: { repository: ${this.repository("client")} }`,
      "",
    ]);
    this.write("Pulumi.dev.yaml", stackFile());
    this.write("Pulumi.test.yaml", stackFile("  tagalong:rollout: { after: dev }"));
    this.write("Pulumi.repository.yaml", ["config: {}", ""]);
  }

  static async open(guard: Guard = {}): Promise<Shop> {
    return new Shop(await startRealRegistry(guard));
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.registry.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  repository(image: string): string {
    return `${this.registry.host}/shop/${image}`;
  }

  get references(): Record<string, Reference> {
    return {
      server: parseReference(this.repository("server")),
      client: parseReference(this.repository("client")),
    };
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  write(file: string, text: string | readonly string[]): void {
    writeFileSync(join(this.folder, file), typeof text === "string" ? text : text.join("\n"));
  }

  remove(file: string): void {
    rmSync(join(this.folder, file));
  }

  /** Pushes a version of images, under its own tags and others. */
  async push(
    version: string,
    tags: readonly string[] = [],
    images = ["server", "client"],
    revision = commitOf(version),
  ): Promise<void> {
    const labels = {
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.revision": revision,
    };
    for (const image of images) {
      const target = { host: this.registry.host, repository: `shop/${image}` };
      const recipe = { flavour: "oci", seed: `${image} ${version}`, labels } as const;
      for (const tag of [version, `sha-${revision}`, ...tags]) {
        const { digest } = await pushImage(target, recipe, tag);
        this.digests[image] = { ...this.digests[image], [version]: digest };
      }
    }
  }

  ledger(environment: string): Ledger {
    return new Ledger(this.client, environment, this.references, { steadyMs: 20 });
  }

  /** Puts a roll on record, with its verdict. */
  async rolled(
    environment: string,
    version: string,
    outcome: Receipt["outcome"],
    more: Partial<Receipt> = {},
  ): Promise<Receipt> {
    const minute = String(this.receiptsMade++).padStart(2, "0");
    const at = (second: number) => `2026-11-21T10:${minute}:${String(second).padStart(2, "0")}.000Z`;
    const revision = commitOf(version);
    const receipt: Receipt = {
      id: `20261121T10${minute}00.000Z-${version}`,
      environment,
      trigger: "tag",
      by: "ada@build-7",
      via: "watcher",
      release: version,
      images: Object.fromEntries(
        Object.keys(this.references).map((image) => [
          image,
          { to: this.digestOf(image, version), version, revision },
        ]),
      ),
      hops: { observed: at(0), admitted: at(1), pulled: at(3), switched: at(7) },
      outcome,
      endedAt: at(12),
      ...more,
    };
    const ledger = this.ledger(environment);
    await ledger.record(receipt);
    if (outcome !== "healthy" && outcome !== "rejected") return receipt;
    for (const image of Object.keys(this.references)) {
      const verdict: Verdict = {
        outcome,
        at: at(12),
        reason: receipt.reason ?? "",
        configuration: this.configurationOf(environment, image),
        by: receipt.by,
        receipt: receipt.id,
      };
      await ledger.judge(image, this.digestOf(image, version), verdict);
    }
    return receipt;
  }

  digestOf(image: string, version: string): string {
    return this.digests[image]?.[version] ?? `sha256:${"0".repeat(64)}`;
  }

  private configurationOf(environment: string, image: string): string {
    const project = new Project(this.folder);
    void project.client.close();
    return project.environment(environment).configurationOf(image);
  }

  /** Runs a command with what it would be given, and gathers what it says. */
  async run(command: (output: Output) => Promise<number>): Promise<Ended> {
    const said: string[] = [];
    const write = (text: string) => void said.push(text);
    try {
      const code = await command({ write, width: 100, paint: (_, text) => text });
      return { code, text: said.join("") };
    } catch (error) {
      if (!(error instanceof CommandError) && codeOf(error) === 1 && !isExpected(error)) throw error;
      return { code: codeOf(error), text: sentenceOf(error) };
    }
  }
}

const isExpected = (error: unknown): boolean => error instanceof Error && error.name === "ReleaseError";

const stackFile = (...more: string[]): string[] => [
  "# what runs here",
  "config:",
  ...more,
  "  tagalong:services:",
  "    server: { image: server, port: 8080 }",
  "    client: { image: client, port: 8080 } # the shop",
  "",
];
