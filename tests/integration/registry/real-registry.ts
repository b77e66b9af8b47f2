/**
 * A real registry (the ground's docker-registry, or distribution) on a free loopback port, empty, gone after `close`. Promises that
 * nothing of it outlives the test process.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The only account of a registry that wants Basic authentication. */
export const account = { username: "tagalong", password: "correct horse" };
const htpasswd = `${account.username}:$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n`;

export interface RealRegistry {
  /** `127.0.0.1:<port>`: what references start with. */
  readonly host: string;
  close(): Promise<void>;
}

/** How a registry asks who is there: Basic authentication with `account`, or tokens. */
export interface Guard {
  readonly basic?: boolean;
  /** Tokens of this issuer; `certificate` (PEM) is what it signs with, `realm` where it gives them out. */
  readonly token?: { realm: string; service: string; issuer: string; certificate: string };
}

export async function startRealRegistry({ basic, token }: Guard = {}): Promise<RealRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "tagalong-registry-"));
  const rootcertbundle = join(folder, "issuer.pem");
  const config = {
    version: 0.1,
    log: { level: "info" },
    storage: { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: true } },
    http: { addr: "127.0.0.1:0" },
    ...(basic ? { auth: { htpasswd: { realm: "test", path: join(folder, "htpasswd") } } } : {}),
    ...(token ? { auth: { token: { ...token, certificate: undefined, rootcertbundle } } } : {}),
  };
  await writeFile(join(folder, "htpasswd"), htpasswd);
  await writeFile(rootcertbundle, token?.certificate ?? "");
  await writeFile(join(folder, "config.yml"), JSON.stringify(config));

  const program = process.env["TAGALONG_REGISTRY_PROGRAM"] ?? "docker-registry";
  const child = spawn(program, ["serve", join(folder, "config.yml")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const host = await new Promise<string>((resolve, reject) => {
    const said: string[] = [];
    child.once("error", (error) =>
      reject(new Error(`${program} does not start (${error.message}); npm test brings it`)),
    );
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}: ${said.join("\n")}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address) resolve(address);
    });
  });
  return {
    host,
    async close() {
      process.off("exit", kill);
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
