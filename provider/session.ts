// How the program hands the provider what no state may hold or need not: the config's registry credentials, the way to
// GitHub, who runs it, and what it knows of the roll. Over a socket that only this user can open and that lives as long as the program.
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Access, FilesFacts, Repository } from "../github";
import type { ExplicitCredentials } from "../registry/credentials";
import type { HandRoll } from "./handRoll";

export interface Offer {
  credentials: ExplicitCredentials;
  /**
   * Who runs the program. By `hand`, a person's or CI's `pulumi up`, the provider moves tags and writes down what came of
   * the roll. The `watcher` does all that itself, and what it rolls to moves no tag.
   */
  role: "hand" | "watcher";
  /** What is to be written down of the roll; left out where nobody is to. */
  roll?: HandRoll;
  /** The repository on GitHub, and the token for it. */
  github?: { repository: Repository; access: Access };
  /** What that has of our files; left out where it was not there to be asked. */
  files?: FilesFacts | undefined;
}

let offered: { session: string; offer: Offer } | undefined;

/**
 * Offers this to the provider of this program until the process ends; a later call replaces it.
 * @returns the socket's path, which is the provider's `session`.
 */
export function offer(what: Offer): string {
  if (offered) {
    offered.offer = what;
    return offered.session;
  }
  const folder = mkdtempSync(join(tmpdir(), "tagalong-")); // mode 0700
  const current = { session: join(folder, "session"), offer: what };
  offered = current;
  const server = createServer((socket) => {
    socket.on("error", () => {}); // a provider that was killed while it asked
    socket.end(JSON.stringify(current.offer));
  });
  server.listen(current.session);
  server.unref();
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return current.session;
}

let joined = "";

/** Tells this provider process where its program offers something; "" where it offers nothing. */
export function joinSession(session: string): void {
  joined = session;
}

/** What the program offers; undefined where there is no program, as in a refresh. */
export async function session(): Promise<Offer | undefined> {
  if (joined === "") return undefined;
  return new Promise((resolve, reject) => {
    const socket = connect(joined);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.once("end", () => resolve(JSON.parse(text) as Offer));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(undefined);
      else reject(error);
    });
  });
}

/** The credentials of the program's config; none where there is no program. */
export async function sessionCredentials(): Promise<ExplicitCredentials> {
  return (await session())?.credentials ?? {};
}
