// The Pulumi engine as the watcher runs it: each command in a session of its own, so that a Ctrl-C meant for the watcher
// does not cut an update short, and marked, so that what a killed watcher left behind can be ended whole.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation";
import { dependencies } from "../package.json";
import { quietHome } from "./engineHome";

/** A Pulumi command that failed; the message is what it wrote to standard error. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  constructor(
    readonly stdout: string,
    readonly stderr: string,
    /** Null where a signal ended it, so that nobody knows how far it got. */
    readonly exitCode: number | null,
  ) {
    super(stderr.trim() || stdout.trim() || `pulumi ended with code ${exitCode}`);
  }
}

/** Something that must be set up before anything can work; the message is the fix. */
export class SetUpError extends Error {
  override readonly name = "SetUpError";
}

/** What a failure of the engine says about the set-up; undefined where it says nothing about that. */
export function setUpProblem(text: string, stack: string): SetUpError | undefined {
  if (/no stack named/.test(text))
    return new SetUpError(
      `the stack ${stack} is not in the state backend: create it with \`pulumi stack init ${stack}\`, or look for the name with \`pulumi stack ls\``,
    );
  if (/incorrect passphrase/.test(text))
    return new SetUpError(
      `the passphrase is not the one of the stack ${stack}: set PULUMI_CONFIG_PASSPHRASE (or _FILE) to what the stack was made with`,
    );
  if (/passphrase must be set/.test(text))
    return new SetUpError(
      `the stack ${stack} needs its passphrase: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE`,
    );
  if (/PULUMI_ACCESS_TOKEN must be set|not logged in|invalid access token/i.test(text))
    return new SetUpError(
      "no state backend: log in with `pulumi login`, or set PULUMI_BACKEND_URL to where the stacks are",
    );
  const bucket = /unable to open bucket (\S+?)(?:\?\S*)?: (.+)/.exec(text);
  if (bucket)
    return new SetUpError(
      `the state backend ${bucket[1]} is out of reach (${bucket[2]}): set PULUMI_BACKEND_URL to where the stacks are`,
    );
  return undefined;
}

/**
 * Removes the side file of a stack's state that an engine left empty when it was killed while it wrote it. It holds no
 * state, only attributes that nobody reads, and nothing works while it is empty ("failed to load checkpoint: EOF").
 * @param backend the backend's URL; only those of files have side files
 * @returns whether there was one
 */
export function mendState(backend: string, project: string, stack: string): boolean {
  if (!backend.startsWith("file://")) return false;
  const folder = decodeURIComponent(backend.slice("file://".length).split("?")[0] ?? "").replace(
    /^~(?=\/|$)/,
    homedir(),
  );
  const file = join(folder, ".pulumi", "stacks", project, `${stack}.json.attrs`);
  if (!existsSync(file) || statSync(file).size > 0) return false;
  rmSync(file);
  return true;
}

/**
 * Whether a process is an engine, as far as this machine tells: the number alone may be another's by now, in a container
 * that starts again it is as a rule.
 */
export function isEngine(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "pulumi";
  } catch {
    return process.platform !== "linux";
  }
}

/** Where the engine keeps itself and its providers. */
export const pulumiHome = (): string => process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");

/**
 * The engine of the version that the SDK is of, where the set-up or the npm package "pulumi" put it; else PATH's.
 * @param environment what every command gets besides this process's own
 * @throws Error with the command that installs it
 */
export async function pulumiCommand(
  environment: () => Record<string, string>,
): Promise<PulumiCommand & { run: Run }> {
  const version = dependencies["@pulumi/pulumi"];
  const root = join(pulumiHome(), "versions", version);
  const installed = existsSync(join(root, "bin", "pulumi"));
  const command = await PulumiCommand.get(installed ? { root } : {}).catch((error: unknown) => {
    throw new Error(
      `no Pulumi engine: run \`npm run ground\`, or install Pulumi ${version} or later (${error instanceof Error ? error.message : String(error)})`,
    );
  });
  const home = quietHome(pulumiHome());
  return Object.assign(command, {
    run: runIn(command.command, root, () => ({ ...home, ...environment() })),
  });
}

type Run = (
  args: string[],
  cwd: string,
  env: Record<string, string>,
  onOutput?: (text: string) => void,
  onError?: (text: string) => void,
  signal?: AbortSignal,
) => Promise<{ stdout: string; stderr: string; code: number }>;

function runIn(command: string, root: string, environment: () => Record<string, string>): Run {
  return (args, cwd, env, onOutput, onError, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const path = `${join(root, "bin")}:${env["PATH"] ?? process.env["PATH"]}`;
      const child = spawn(
        command,
        args.includes("--non-interactive") ? args : [...args, "--non-interactive"],
        {
          cwd,
          env: {
            ...process.env,
            ...env,
            ...environment(),
            PATH: path,
            PULUMI_AUTOMATION_API: "true",
            PULUMI_SKIP_UPDATE_CHECK: "true",
          },
          stdio: ["ignore", "pipe", "pipe"],
          detached: true,
        },
      );
      const stop = () => child.kill("SIGINT");
      signal?.addEventListener("abort", stop, { once: true });
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        onOutput?.(text);
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
        onError?.(text);
      });
      child.once("error", reject);
      child.once("close", (code) => {
        signal?.removeEventListener("abort", stop);
        if (code === 0) resolve({ stdout, stderr, code });
        else reject(new EngineError(stdout, stderr, code));
      });
    });
}
