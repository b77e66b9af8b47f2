// The Pulumi engine as the watcher runs it: each command in a process group of its own, so that a Ctrl-C meant for the
// watcher does not cut an update short, and so that what a killed watcher left behind can be ended whole.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation";
import { dependencies } from "../package.json";

/** A Pulumi command that failed; the message is what it wrote to standard error. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  constructor(
    readonly stdout: string,
    readonly stderr: string,
    readonly exitCode: number | null,
  ) {
    super(stderr.trim() || stdout.trim() || `pulumi ended with code ${exitCode}`);
  }
}

/** Called with the process group of each engine that starts, and with undefined when it has ended. */
export type GroupListener = (group: number | undefined) => void;

/**
 * The engine of the version that the SDK is of, where the set-up or the npm package "pulumi" put it; else PATH's.
 * @throws Error with the command that installs it
 */
export async function pulumiCommand(onGroup: GroupListener): Promise<PulumiCommand> {
  const version = dependencies["@pulumi/pulumi"];
  const root = join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), "versions", version);
  const installed = existsSync(join(root, "bin", "pulumi"));
  const command = await PulumiCommand.get(installed ? { root } : {}).catch((error: unknown) => {
    throw new Error(
      `no Pulumi engine: run \`npm run ground\`, or install Pulumi ${version} or later (${error instanceof Error ? error.message : String(error)})`,
    );
  });
  return Object.assign(command, { run: runIn(command.command, root, onGroup) });
}

type Run = (
  args: string[],
  cwd: string,
  env: Record<string, string>,
  onOutput?: (text: string) => void,
  onError?: (text: string) => void,
  signal?: AbortSignal,
) => Promise<{ stdout: string; stderr: string; code: number }>;

function runIn(command: string, root: string, onGroup: GroupListener): Run {
  return (args, cwd, env, onOutput, onError, signal) =>
    new Promise((resolve, reject) => {
      const path = `${join(root, "bin")}:${env["PATH"] ?? process.env["PATH"]}`;
      const child = spawn(
        command,
        args.includes("--non-interactive") ? args : [...args, "--non-interactive"],
        {
          cwd,
          env: {
            ...process.env,
            ...env,
            PATH: path,
            PULUMI_AUTOMATION_API: "true",
            PULUMI_SKIP_UPDATE_CHECK: "true",
          },
          stdio: ["ignore", "pipe", "pipe"],
          detached: true,
        },
      );
      onGroup(child.pid);
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
        onGroup(undefined);
        if (code === 0) resolve({ stdout, stderr, code });
        else reject(new EngineError(stdout, stderr, code));
      });
    });
}
