// How the program hands the config's registry credentials to the provider: over a socket that only this user can open
// and that lives as long as the program. They are never an input of a resource, so no state ever holds them.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExplicitCredentials } from "../registry/credentials";

/**
 * Offers the credentials to the provider of this program, until the process ends or the function returned is called.
 * @returns the socket's path, which is the provider's `session`.
 */
export function offerCredentials(credentials: ExplicitCredentials): { session: string; end: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "tagalong-")); // mode 0700
  const session = join(folder, randomBytes(4).toString("hex"));
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(JSON.stringify(credentials));
  });
  server.on("error", (error) => {
    throw new Error(`the registry credentials cannot be handed to the provider: ${error.message}`);
  });
  server.listen(session);
  server.unref();
  const end = () => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", end);
  return {
    session,
    end: () => {
      process.removeListener("exit", end);
      end();
    },
  };
}

let path = "";

/** Tells this provider process where its program offers credentials; "" where it offers none. */
export function joinSession(session: string): void {
  path = session;
}

/** The credentials of the program's config; none where there is no program, as in a refresh. */
export async function sessionCredentials(): Promise<ExplicitCredentials> {
  if (path === "") return {};
  return new Promise((resolve, reject) => {
    const socket = connect(path);
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
