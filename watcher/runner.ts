// Runs the stack's program in this process, one update at a time, and says what came of it.
import { hostname } from "node:os";
import { type EngineEvent, LocalWorkspace, type OutputMap, type Stack } from "@pulumi/pulumi/automation";
import type { Release } from "../components/release";
import { removeOrphans } from "../provider/docker/claim";
import { connectEngine } from "../provider/docker/engine";
import type { GateInputs } from "../provider/gate";
import { judgeLocks, parseLocks } from "../rollout/stack-lock";
import { EngineError, pulumiCommand } from "./engine";
import { Lease, processStart } from "./lease";
import type { Log } from "./log";

/** The program of index.ts. */
export type Program = (run: { release: Release; directory: string }) => Promise<Record<string, unknown>>;

/** What an error of an update was about: the type of the resource that failed, and the engine's words. */
export interface Failure {
  /** `tagalong:index:Gate`, `docker:index/container:Container`, …; "" where no resource failed. */
  type: string;
  message: string;
}

export type UpResult =
  | { ok: true; gate: GateInputs | undefined; switchedAt: number | undefined }
  | { ok: false; failures: Failure[] };

const lockRetryMs = 2000;

export class Runner {
  private constructor(
    private readonly stack: Stack,
    private readonly directory: string,
    private readonly program: Program,
    private readonly lease: Lease,
    private readonly log: Log,
  ) {}

  /** @throws Error where the stack does not exist, no engine is there, or another watcher has it */
  static async open(options: {
    stack: string;
    project: string;
    directory: string;
    program: Program;
    log: Log;
  }): Promise<Runner> {
    const { stack: stackName, project: projectName, directory: workDir, program, log } = options;
    const lease = await Lease.take(`${workDir} ${projectName}/${stackName}`);
    try {
      const command = await pulumiCommand((group) => lease.atWork(group));
      const idle = async () => ({});
      const stack = await LocalWorkspace.selectStack(
        { stackName, projectName, program: idle },
        { workDir, pulumiCommand: command },
      );
      return new Runner(stack, workDir, program, lease, log);
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  close(): void {
    this.lease.release();
  }

  /** The stack's outputs after its last update that succeeded. */
  outputs(): Promise<OutputMap> {
    return this.stack.outputs();
  }

  /** A value of the stack's config, decrypted; undefined where it is not set. */
  async config(key: string): Promise<string | undefined> {
    return (await this.stack.getAllConfig())[key]?.value;
  }

  /**
   * Clears what a killed update left: operations that nobody knows the end of, and containers that no state knows.
   * A lock is cleared by {@link up} when it meets one.
   */
  async recover(): Promise<void> {
    const state = (await this.unlocked(() => this.stack.exportStack())).deployment as {
      pending_operations?: unknown[];
      resources?: { type: string; id?: string; outputs?: { claim?: string } }[];
    };
    if ((state.pending_operations ?? []).length > 0) {
      this.log("recovered", "an update was interrupted: reading what is there");
      await this.unlocked(() => this.stack.refresh({ clearPendingCreates: true }));
      return this.recover();
    }
    const claim = state.resources?.find(({ type }) => type === "tagalong:index:Claim")?.outputs?.claim;
    if (!claim) return;
    const removed = await removeOrphans(
      connectEngine(),
      claim,
      new Set((state.resources ?? []).map(({ id }) => id ?? "")),
      () => {},
    );
    if (removed.length > 0)
      this.log("recovered", `removed ${removed.join(", ")}, left by an interrupted update`, { removed });
  }

  /**
   * Brings the environment to a release.
   * @param options.signal cancels the update, as Ctrl-C does
   * @param options.onLive called once the traffic has moved
   */
  async up(
    release: Release,
    options: { refresh?: boolean; signal: AbortSignal; onLive?: () => void },
  ): Promise<UpResult> {
    const failures: Failure[] = [];
    let gate: GateInputs | undefined;
    let switchedAt: number | undefined;
    const onEvent = ({ diagnosticEvent, resOutputsEvent }: EngineEvent) => {
      if (diagnosticEvent?.severity === "error") {
        failures.push({ type: typeOf(diagnosticEvent.urn ?? ""), message: plain(diagnosticEvent.message) });
      }
      const step = resOutputsEvent?.metadata;
      if (step?.type === "tagalong:index:Gate") gate = step.new?.inputs as GateInputs | undefined;
      if (step?.type === "tagalong:index:Route") {
        switchedAt = step.new?.outputs["switchedAt"] as number | undefined;
        if (step.op !== "same") options.onLive?.();
      }
    };
    try {
      await this.unlocked(() => {
        failures.length = 0;
        return this.stack.up({
          program: () => this.program({ release, directory: this.directory }),
          refresh: options.refresh ?? false,
          parallel: Math.max(16, 4 * Object.keys(release).length),
          signal: options.signal,
          onEvent,
        });
      });
      return { ok: true, gate, switchedAt };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const specific = failures.filter(({ type }) => type !== "" && type !== "pulumi:pulumi:Stack");
      if (specific.length > 0) return { ok: false, failures: specific };
      return { ok: false, failures: failures.length > 0 ? failures : [{ type: "", message: error.message }] };
    }
  }

  /** Runs a command of the engine; waits while somebody else updates the stack, clears a lock whose owner is gone. */
  private async unlocked<T>(command: () => Promise<T>): Promise<T> {
    for (let told = ""; ; ) {
      try {
        return await command();
      } catch (error) {
        if (!(error instanceof EngineError) || !/currently locked|already in progress/.test(error.stderr))
          throw error;
        const decision = judgeLocks(parseLocks(error.stderr), {
          host: hostname(),
          alive: (pid) => processStart(pid) !== undefined,
        });
        if (decision.kind === "clear") {
          this.log("recovered", "cleared the lock of an update whose process is gone");
          await this.stack.cancel();
        } else {
          if (told !== decision.holder) this.log("waiting", `${decision.holder} is updating the stack`);
          told = decision.holder;
          await new Promise((resolve) => setTimeout(resolve, lockRetryMs));
        }
      }
    }
  }
}

const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").pop() ?? "";

/** Without the engine's colour marks, as in `<{%fg 1%}>`. */
const plain = (text: string): string => text.replace(/<\{%[^%]*%\}>/g, "").trim();
