// A line to the cluster's API that can be cut, and a context of the kubeconfig that leads over it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse, stringify } from "yaml";

const own = process.env["TAGALONG_TEST_KUBECONFIG"] ?? "";

export class CutLine {
  readonly context = "cut";
  private readonly sockets = new Set<Socket>();
  private isCut = false;
  private joined = 0;

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
  ) {}

  static async open(): Promise<CutLine> {
    const config = parse(readFileSync(own, "utf8")) as {
      clusters: { cluster: Record<string, string> }[];
      users: { user: object }[];
    };
    const [entry] = config.clusters;
    const api = new URL(entry?.cluster["server"] ?? "");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const folder = mkdtempSync(join(tmpdir(), "line-"));
    const line = new CutLine(server, folder);
    server.on("connection", (near) => line.join(near, api));
    const { port } = server.address() as AddressInfo;
    const there = { server: `https://127.0.0.1:${port}`, "tls-server-name": "kubernetes" };
    const file = join(folder, "kubeconfig");
    writeFileSync(
      file,
      stringify({
        clusters: [{ name: "cut", cluster: { ...entry?.cluster, ...there } }],
        users: [{ name: "cut", user: config.users[0]?.user }],
        contexts: [{ name: "cut", context: { cluster: "cut", user: "cut" } }],
      }),
    );
    process.env["KUBECONFIG"] = [own, file].join(delimiter);
    return line;
  }

  /** Waits until three lists have been read, and the watches that follow them are open. */
  async isWatched(): Promise<void> {
    while (this.joined < 2 * 3 || this.sockets.size < 2 * 3) await pause(20);
  }

  get isRefusing(): boolean {
    return this.isCut;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
    this.joined = 0;
  }

  close(): void {
    this.cut();
    this.server.close();
    rmSync(this.folder, { recursive: true });
    process.env["KUBECONFIG"] = own;
  }

  private join(near: Socket, api: URL): void {
    if (this.isCut) return void near.destroy();
    this.joined++;
    const far = connect(Number(api.port), api.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(one);
      one.pipe(other);
      one.on("error", () => {});
      one.on("close", () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
  }
}
