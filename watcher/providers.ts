// Providers that are up before the engine is: starting them is part of what a roll takes, and one watcher runs one
// engine at a time, so nobody else can come upon them. Ours serves from this process, anew for each update, since a
// cancelled one stays cancelled; Docker's is a process that stays.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { version as dockerVersion } from "@pulumi/docker/package.json";
import { version } from "../package.json";
import { handlers } from "../provider/handlers";
import { serve } from "../provider/server";
import { joinSession } from "../provider/session";
import { pulumiHome } from "./engine";

export interface Attached {
  /** What the engine must have in its environment to use them (pkg/resource/plugin: PULUMI_DEBUG_PROVIDERS). */
  environment: Record<string, string>;
  /** Called when the engine has ended. */
  detach: () => void;
}

export class Providers {
  private docker: { process: ChildProcess; port: number } | undefined;

  /** @param environment what a process that this one starts must have in its environment */
  constructor(private readonly environment: () => Record<string, string>) {}

  /** Has the providers up and ready for one engine. Where Docker's cannot be, the engine starts its own. */
  async attach(): Promise<Attached> {
    this.docker ??= await this.startDocker();
    const { port, stop } = await serve({
      handlers,
      version,
      engineAddress: undefined,
      onConfigure: ({ session }) => joinSession(typeof session === "string" ? session : ""),
    });
    const ports = [`tagalong:${port}`, ...(this.docker ? [`docker:${this.docker.port}`] : [])];
    return { environment: { PULUMI_DEBUG_PROVIDERS: ports.join() }, detach: stop };
  }

  close(): void {
    this.docker?.process.kill();
    this.docker = undefined;
  }

  private async startDocker(): Promise<{ process: ChildProcess; port: number } | undefined> {
    const name = "pulumi-resource-docker";
    const program = join(pulumiHome(), "plugins", `resource-docker-v${dockerVersion}`, name);
    if (!existsSync(program)) return undefined;
    // In a session of its own, as the engine's own would be: a Ctrl-C is not meant for it.
    const child = spawn(program, [], {
      env: { ...process.env, ...this.environment() },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    const gone = () => {
      if (this.docker?.process === child) this.docker = undefined;
    };
    child.once("error", gone);
    child.once("exit", gone);
    const port = await new Promise<number>((resolve) => {
      child.stdout.setEncoding("utf8").once("data", (line: string) => resolve(Number.parseInt(line, 10)));
      child.once("error", () => resolve(Number.NaN));
      child.once("exit", () => resolve(Number.NaN));
    });
    return Number.isNaN(port) ? undefined : { process: child, port };
  }
}
