// A connection to the Docker engine that the environment runs on: DOCKER_HOST, or the machine's own socket.
// It speaks to the engine's API alone, so an engine at the end of an SSH line works as well as the one at hand.

import { spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex } from "node:stream";
import Docker from "dockerode";

/** An error answer of the engine: the HTTP status and the engine's own sentence. */
export interface EngineError extends Error {
  statusCode: number;
  json?: { message?: string };
}

export const isEngineError = (error: unknown, ...statuses: number[]): error is EngineError =>
  error instanceof Error && "statusCode" in error && statuses.includes(error.statusCode as number);

export const engineMessage = (error: unknown): string =>
  error instanceof Error ? ((error as EngineError).json?.message ?? error.message) : String(error);

/** As Docker's own client does it: the system's ssh, so its config, keys and known hosts apply. */
function sshAgent(host: URL): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const target = [...(host.port ? ["-p", host.port] : []), ...(host.username ? ["-l", host.username] : [])];
  const createConnection = (): Duplex => {
    const line = spawn(
      "ssh",
      [...target, "-o", "ConnectTimeout=30", "-T", "--", host.hostname, "docker", "system", "dial-stdio"],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    const duplex = Duplex.from({ readable: line.stdout, writable: line.stdin });
    line.once("error", (error) => duplex.destroy(error));
    return Object.assign(duplex, {
      setKeepAlive: () => duplex,
      setNoDelay: () => duplex,
      setTimeout: () => duplex,
      ref: () => duplex,
      unref: () => duplex,
    });
  };
  return Object.assign(agent, { createConnection });
}

/**
 * Connects to the engine; no request is made yet.
 * @param address as in DOCKER_HOST (`unix://…`, `tcp://…`, `ssh://…`); undefined is the machine's own.
 */
export function connectEngine(address: string | undefined = process.env["DOCKER_HOST"]): Docker {
  if (!address?.startsWith("ssh://")) return new Docker();
  const host = new URL(address);
  return new Docker({
    protocol: "http",
    host: host.hostname,
    port: 80,
    agent: sshAgent(host),
  } as Docker.DockerOptions);
}

/** Runs the command in a running container and gathers what it printed. */
export async function execute(
  docker: Docker,
  container: string,
  command: string[],
  signal: AbortSignal,
): Promise<{ exitCode: number; output: string }> {
  const exec = await docker
    .getContainer(container)
    .exec({ Cmd: command, AttachStdout: true, AttachStderr: true, abortSignal: signal });
  const stream = await exec.start({ abortSignal: signal });
  const chunks: Buffer[] = [];
  docker.modem.demuxStream(
    stream,
    { write: (chunk: Buffer) => chunks.push(chunk) } as unknown as NodeJS.WritableStream,
    { write: (chunk: Buffer) => chunks.push(chunk) } as unknown as NodeJS.WritableStream,
  );
  const giveUp = () => stream.destroy(new Error(`"${command.join(" ")}" did not end`));
  signal.addEventListener("abort", giveUp, { once: true });
  await new Promise<void>((resolve, reject) => {
    stream.once("end", resolve);
    stream.once("error", reject);
    stream.once("close", resolve);
  }).finally(() => signal.removeEventListener("abort", giveUp));
  const { ExitCode } = await exec.inspect();
  return { exitCode: ExitCode ?? -1, output: Buffer.concat(chunks).toString("utf8") };
}

/** The last lines that a container wrote, both streams together, without control characters. */
export async function lastLines(docker: Docker, container: string, count: number): Promise<string[]> {
  const raw = await docker
    .getContainer(container)
    .logs({ stdout: true, stderr: true, tail: count, follow: false });
  return demultiplex(raw as unknown as Buffer)
    .split(/\r?\n/)
    .map((line) => line.replace(/[\p{Cc}]/gu, " ").trimEnd())
    .filter((line) => line !== "")
    .slice(-count);
}

/** Undoes the engine's framing of a log: eight bytes of header (stream, 0, 0, 0, length) before each piece. */
function demultiplex(raw: Buffer): string {
  const pieces: Buffer[] = [];
  for (let offset = 0; offset + 8 <= raw.length; ) {
    const framed = (raw[offset] ?? 3) <= 2 && raw.readUIntBE(offset + 1, 3) === 0;
    if (!framed) return raw.toString("utf8"); // a container with a TTY writes no frames
    const length = raw.readUInt32BE(offset + 4);
    pieces.push(raw.subarray(offset + 8, offset + 8 + length));
    offset += 8 + length;
  }
  return Buffer.concat(pieces).toString("utf8");
}
