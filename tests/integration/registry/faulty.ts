/**
 * A registry that misbehaves on demand: a proxy in front of a real one, which hands each request to the fault that
 * is set. Promises to count every request and connection, and to be honest while no fault is set.
 */
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the real registry answers. */
export interface Truth {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** One request at the mercy of a fault. */
export interface Hostage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Asks the real registry. */
  truth(): Promise<Truth>;
  /** Answers honestly. */
  pass(): Promise<void>;
}

export type Fault = (hostage: Hostage) => void | Promise<void>;

export interface FaultyRegistry {
  /** `127.0.0.1:<port>`: what references start with. */
  readonly host: string;
  fault: Fault | undefined;
  /** `<method> <path> → <status>` of every request so far. */
  readonly log: string[];
  connections: number;
  /** The headers of every request so far, in the log's order. */
  readonly headers: IncomingMessage["headers"][];
  close(): Promise<void>;
}

/** @param upstream the real registry's host; without one, every request needs a fault that answers it */
export async function startFaultyRegistry(upstream?: string): Promise<FaultyRegistry> {
  const server = createServer((request, response) => {
    const { method = "GET", url = "/" } = request;
    const place = self.log.push(`${method} ${url}`) - 1;
    self.headers.push(request.headers);
    response.on("close", () => {
      self.log[place] = `${method} ${url} → ${response.headersSent ? response.statusCode : "nothing"}`;
    });
    const truth = () => ask(upstream ?? "127.0.0.1:9", request);
    const pass = async () => give(response, await truth());
    const handled = self.fault ? self.fault({ request, response, truth, pass }) : pass();
    Promise.resolve(handled).catch(() => response.destroy());
  });
  const self: FaultyRegistry = {
    host: "",
    fault: undefined,
    log: [],
    connections: 0,
    headers: [],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  server.on("connection", () => {
    self.connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(self, { host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** Sends an answer as it is; the length is announced unless the headers say otherwise. */
export function give(response: ServerResponse, { status, headers, body }: Truth): void {
  response.writeHead(status, headers);
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function ask(upstream: string, request: IncomingMessage): Promise<Truth> {
  const { method, url, headers } = request;
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`http://${upstream}${url}`, { method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const { connection: _connection, "keep-alive": _keepAlive, ...rest } = answer.headers;
        resolve({ status: answer.statusCode ?? 0, headers: rest, body: Buffer.concat(chunks) });
      });
    });
    asked.on("error", reject);
    request.pipe(asked);
  });
}
