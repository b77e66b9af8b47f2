// How the program hands the config's registry credentials to the provider: over a socket that only this user can open
// and that lives as long as the program. They are never an input of a resource, so no state ever holds them.
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExplicitCredentials } from "../registry/credentials";

let offered: { session: string; credentials: ExplicitCredentials } | undefined;

/**
 * Offers the credentials to the provider of this program until the process ends; a later call replaces them.
 * @returns the socket's path, which is the provider's `session`.
 */
export function offerCredentials(credentials: ExplicitCredentials): string {
  if (offered) {
    offered.credentials = credentials;
    return offered.session;
  }
  const folder = mkdtempSync(join(tmpdir(), "tagalong-")); // mode 0700
  const current = { session: join(folder, "session"), credentials };
  offered = current;
  const server = createServer((socket) => {
    socket.on("error", () => {}); // a provider that was killed while it asked
    socket.end(JSON.stringify(current.credentials));
  });
  server.listen(current.session);
  server.unref();
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return current.session;
}

let joined = "";

/** Tells this provider process where its program offers credentials; "" where it offers none. */
export function joinSession(session: string): void {
  joined = session;
}

/** The credentials of the program's config; none where there is no program, as in a refresh. */
export async function sessionCredentials(): Promise<ExplicitCredentials> {
  if (joined === "") return {};
  return new Promise((resolve, reject) => {
    const socket = connect(joined);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.once("end", () => resolve(JSON.parse(text) as ExplicitCredentials));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve({});
      else reject(error);
    });
  });
}
