// Providers that are up before the engine is: starting them is part of what a roll takes, and one watcher runs one
// engine at a time, so nobody else can come upon them. Ours serves from this process, anew for each update, since a
// cancelled one stays cancelled; Docker's is a process that stays. Kubernetes' is not: it keeps what it watched.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
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

/** A published provider, as it is installed. */
export interface EngineProvider {
  /** `docker` */
  name: string;
  version: string;
}

export class Providers {
  private kept: { process: ChildProcess; port: number } | undefined;

  /**
   * @param engine the provider of the environment's engine, where it is to stay
   * @param environment what a process that this one starts must have in its environment
   */
  constructor(
    private readonly engine: EngineProvider | undefined,
    private readonly environment: () => Record<string, string>,
  ) {}

  /** Has the providers up and ready for one update. What cannot be kept up, Pulumi's engine starts by itself. */
  async attach(): Promise<Attached> {
    const { name } = this.engine ?? {};
    this.kept ??= this.engine && (await this.start(this.engine));
    const { port, stop } = await serve({
      handlers,
      version,
      engineAddress: undefined,
      onConfigure: ({ session }) => joinSession(typeof session === "string" ? session : ""),
    });
    const ports = [`tagalong:${port}`, ...(this.kept ? [`${name}:${this.kept.port}`] : [])];
    return { environment: { PULUMI_DEBUG_PROVIDERS: ports.join() }, detach: stop };
  }

  close(): void {
    this.kept?.process.kill();
    this.kept = undefined;
  }

  private async start(engine: EngineProvider): Promise<{ process: ChildProcess; port: number } | undefined> {
    const folder = `resource-${engine.name}-v${engine.version}`;
    const program = join(pulumiHome(), "plugins", folder, `pulumi-resource-${engine.name}`);
    if (!existsSync(program)) return undefined;
    // In a session of its own, as the engine's own would be: a Ctrl-C is not meant for it.
    const child = spawn(program, [], {
      env: { ...process.env, ...this.environment() },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    const gone = () => {
      if (this.kept?.process === child) this.kept = undefined;
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
