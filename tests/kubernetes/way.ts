// A way of its own to the cluster of the run, which a test can cut as a network does: nothing comes back, and nobody is
// told.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { type Cluster, connectCluster } from "../../provider/kubernetes/cluster";

interface Kubeconfig {
  clusters: { cluster: { server: string } }[];
}

export class Way {
  readonly cluster: Cluster;
  private isCut = false;
  private readonly sockets: Socket[] = [];

  private constructor(
    /** A kubeconfig that leads here. */
    readonly kubeconfig: string,
    private readonly end: () => void,
    sockets: Socket[],
  ) {
    this.sockets = sockets;
    this.cluster = connectCluster({ context: "" });
  }

  static async open(): Promise<Way> {
    const original = process.env["KUBECONFIG"] ?? "";
    const content = parse(readFileSync(original, "utf8")) as Kubeconfig;
    const { hostname, port } = new URL(content.clusters[0]?.cluster.server ?? "");
    const sockets: Socket[] = [];
    let way: Way | undefined;
    const server = createServer((near) => {
      sockets.push(near);
      near.on("error", () => {});
      if (way?.isCut) return;
      const far = connect(Number(port), hostname);
      sockets.push(far);
      far.on("error", () => {});
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const folder = mkdtempSync(join(tmpdir(), "way-"));
    const file = join(folder, "kubeconfig");
    for (const { cluster } of content.clusters)
      cluster.server = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    writeFileSync(file, stringify(content));
    const end = () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      rmSync(folder, { recursive: true });
    };
    way = new Way(file, end, sockets);
    // The way is found, and kept, with the first request.
    process.env["KUBECONFIG"] = file;
    await way.cluster.name();
    process.env["KUBECONFIG"] = original;
    return way;
  }

  /** From now on nothing passes, in either direction, and no connection ends. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  close(): void {
    this.end();
  }
}
