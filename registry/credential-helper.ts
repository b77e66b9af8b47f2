/**
 * Asks a Docker credential helper (`docker-credential-<name> get`). Promises that the host goes in by standard
 * input, that "credentials not found" means none, and that every other failure names the helper and not a word of
 * what it wrote: helpers were seen to print secrets when they fail.
 */
import { spawn } from "node:child_process";
import type { Secret } from "./credentials";
import { CredentialError } from "./errors";

const deadlineMs = 15_000;
const longestAnswer = 256 * 1024;

/**
 * @param name the helper without its prefix: `ecr-login`, `desktop`
 * @param server the key as Docker's tools write it: a host, or Docker Hub's `https://index.docker.io/v1/`
 * @param source where the helper is configured, for error messages
 */
export async function askHelper(
  name: string,
  server: string,
  source: string,
  env: NodeJS.ProcessEnv,
): Promise<Secret | undefined> {
  const program = `docker-credential-${name}`;
  const fail = (problem: string, fix: string) =>
    new CredentialError(`${program} (configured in ${source}) ${problem} for ${server}; ${fix}`);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new CredentialError(
      `${source} names a credential helper that is no plain program name; correct it`,
    );
  }
  const { code, output } = await run(program, server, env).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") {
      throw fail("is not on PATH, asked", "install it, or remove it from the Docker config");
    }
    throw fail(`did not answer (${error.code ?? error.message})`, "try it by hand");
  });
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw fail(`failed with exit code ${code}`, `try it by hand, or run "docker login ${server}"`);
  }
  const answer = parseAnswer(output);
  if (answer === undefined) throw fail("answered with something else than its JSON", "try it by hand");
  const { Username: username, Secret: secret } = answer;
  if (secret === "") return undefined;
  return username === "<token>"
    ? { kind: "identity-token", token: secret }
    : { kind: "password", username, password: secret };
}

function run(
  program: string,
  input: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], { env, stdio: ["pipe", "pipe", "ignore"], timeout: deadlineMs });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= longestAnswer) chunks.push(chunk);
      else child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === null) reject(new Error(`ended by ${signal}`));
      else resolve({ code, output: Buffer.concat(chunks).toString("utf8") });
    });
    child.stdin.on("error", () => {
      // A helper that ends without reading its input is judged by its exit code.
    });
    child.stdin.end(`${input}\n`);
  });
}

function parseAnswer(output: string): { Username: string; Secret: string } | undefined {
  try {
    const answer = JSON.parse(output) as { Username?: unknown; Secret?: unknown } | null;
    if (typeof answer?.Username !== "string" || typeof answer.Secret !== "string") return undefined;
    return { Username: answer.Username, Secret: answer.Secret };
  } catch {
    return undefined;
  }
}
