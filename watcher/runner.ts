// Runs the stack's program in this process, one update at a time, and says what came of it.
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import type { GateInputs } from "../provider/gate";
import type { Release } from "../rollout/release";
import type { UpdateFailure } from "../rollout/verdict";
import { EngineError, mendState, pulumiCommand, setUpProblem } from "./engine";
import { Lease } from "./lease";
import type { Log } from "./log";
import type { Place } from "./place";
import { Providers } from "./providers";
import { type Listener, withoutDebugMessages, withShortStacks } from "./quietProgram";
import { type Recorded, recordedIn, type State } from "./state";
import { Overtaken, unlocked } from "./unlocked";
import { type HopTimes, isBlotted, UpdateEvents } from "./updateEvents";

/** The program of index.ts. */
export type Program = (run: { release: Release; directory: string }) => Promise<Record<string, unknown>>;

/** `hops`: the steps that were reached. */
export type UpResult = { hops: HopTimes } & (
  | /** `hasRolled`: whether anything was made anew that the gate waits for. */
  { ok: true; gate: GateInputs | undefined; hasRolled: boolean }
  | { ok: false; failures: UpdateFailure[] }
);

export class Runner {
  /** Whether an update may have been cut short, by a former watcher or by whoever held a lock that was cleared. */
  private interrupted = true;
  /** The same stack, without the three commands that the SDK runs after each update to gather what nobody asks for. */
  private readonly brief: Stack;
  private readonly providers: Providers;
  /** What the next engine needs in its environment, besides the lease's. */
  private attached: Record<string, string> = {};

  private constructor(
    private readonly stack: Stack,
    private readonly options: {
      directory: string;
      program: Program;
      place: Place;
      log: Log;
      stop: AbortSignal;
    },
    private readonly lease: Lease,
  ) {
    this.providers = new Providers(options.place.provider, () => lease.environment);
    this.brief = Object.create(stack, {
      outputs: { value: async () => ({}) },
      info: { value: async () => undefined },
    }) as Stack;
  }

  /**
   * @param options.stop ends the waiting for somebody else's update
   * @throws SetUpError where the stack cannot be had; Error where another watcher has it
   */
  static async open(options: {
    stack: string;
    project: string;
    directory: string;
    program: Program;
    place: Place;
    log: Log;
    stop: AbortSignal;
  }): Promise<Runner> {
    const { stack: stackName, project: projectName, directory: workDir } = options;
    let lease: Lease | undefined;
    try {
      let runner: Runner | undefined;
      const command = await pulumiCommand(() => ({
        ...options.place.environment,
        ...lease?.environment,
        ...runner?.attached,
      }));
      const workspace = await LocalWorkspace.create({ workDir, pulumiCommand: command });
      const { url } = await workspace.whoAmI();
      if (mendState(url ?? "", projectName, stackName)) {
        options.log(
          "recovered",
          "removed the empty attributes of the stack's state, left by a killed update",
        );
      }
      const stack = await LocalWorkspace.selectStack(
        { stackName, projectName, program: async () => ({}) },
        { workDir, pulumiCommand: command },
      );
      // Two folders may hold one project; the stack is one.
      lease = await Lease.take(`${projectName}/${stackName} in ${url}`);
      runner = new Runner(stack, options, lease);
      return runner;
    } catch (error) {
      lease?.release();
      throw (error instanceof EngineError && setUpProblem(error.message, stackName)) || error;
    }
  }

  close(): void {
    this.providers.close();
    this.lease.release();
  }

  /** Kills what is at work, where nobody can wait for it to end. */
  kill(): void {
    this.lease.kill();
  }

  async recorded(): Promise<Recorded> {
    return recordedIn(await this.state());
  }

  /** Where this watcher keeps what is not written to the registry yet. */
  get outboxFile(): string {
    return this.lease.keepsake;
  }

  /** A value of the stack's config, decrypted; undefined where it is not set. */
  async config(key: string): Promise<string | undefined> {
    return (await this.stack.getAllConfig())[key]?.value;
  }

  /**
   * Brings the environment to a release, and clears away before what an update that was cut short has left.
   * @param options.signal cancels the update, as Ctrl-C does
   * @param options.confirm asked once the stack is locked, before anything is declared: whether it is still to be
   * @param options.onRolling called once something is made that was not there
   * @param options.onLive called once the traffic has moved
   * @throws Overtaken; SetUpError where no update can work
   */
  async up(
    release: Release,
    options: {
      refresh?: boolean;
      confirm?: (() => Promise<boolean>) | undefined;
      signal: AbortSignal;
      onRolling?: () => void;
      onLive?: () => void;
    },
  ): Promise<UpResult> {
    const { program, directory } = this.options;
    const connections: unknown[] = [];
    const events = new UpdateEvents(options);
    const { failures, hops } = events;
    try {
      const update = async () => {
        // Read without the lock: it may be somebody's update under way, so it is only a hint.
        const suspect = this.interrupted && (await this.state()).pending.length > 0;
        let [pending, isOff] = [false, false];
        const attempt = (refresh: boolean) => {
          failures.length = 0;
          const up = () =>
            this.brief.up({
              program: async () => {
                const engine = pulumi.runtime.getEngine();
                connections.push(pulumi.runtime.getMonitor(), engine);
                if (engine) withoutDebugMessages(engine as Listener);
                // The engine holds the stack's lock by now: what is half done was left by nobody who still lives.
                if (this.interrupted) {
                  const state = await this.state();
                  pending = state.pending.length > 0;
                  if (pending) throw new pulumi.RunError("an interrupted update left operations pending");
                  await this.clearOrphans(state);
                }
                isOff = options.confirm !== undefined && !(await options.confirm());
                if (isOff) throw new pulumi.RunError("it is not to be any more");
                return program({ release, directory });
              },
              refresh,
              parallel: Math.max(16, 4 * Object.keys(release).length),
              signal: options.signal,
              onEvent: events.hear,
            });
          return this.withProviders(() => withShortStacks(up));
        };
        // What an engine that was killed had done is not in the state, where the place has that written at the end alone.
        const isBlind = this.interrupted && this.options.place.isSavedAtEnd;
        const refresh = (options.refresh ?? false) || isBlind;
        await attempt(refresh && !suspect).catch(async (error: unknown) => {
          if (isOff) throw new Overtaken("somebody else was faster, and found out more");
          if (!pending) throw error;
          await this.withProviders(() => this.brief.refresh({ clearPendingCreates: true }));
          this.options.log("recovered", "an update was interrupted: read again what is there");
          await attempt(false);
        });
      };
      await unlocked(update, {
        ...this.options,
        cancel: () => this.stack.cancel(),
        onInterrupted: () => {
          this.interrupted = true;
        },
        abort: options.signal,
      });
      const gate = events.gate && isBlotted(events.gate) ? (await this.recorded()).gate : events.gate;
      return { ok: true, hops, gate, hasRolled: events.hasRolled };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const specific = failures.filter(({ type }) => type !== "" && type !== "pulumi:pulumi:Stack");
      // A provider that ended while it made something leaves what nobody has the id of.
      if (specific.some(({ type }) => !type.startsWith("tagalong:"))) this.interrupted = true;
      if (specific.length > 0 && error.exitCode !== null) return { ok: false, hops, failures: specific };
      this.interrupted = true; // the engine itself ended, who knows where
      const problem = setUpProblem(error.message, this.stack.name);
      if (problem) throw problem;
      return {
        ok: false,
        hops,
        failures: failures.length > 0 ? failures : [{ type: "", name: "", message: error.message }],
      };
    } finally {
      // The SDK forgets those of an inline program, and each keeps the whole program of its update in memory.
      for (const one of connections) (one as { close(): void } | undefined)?.close();
    }
  }

  /** Runs an engine that finds its providers up. */
  private async withProviders<T>(command: () => Promise<T>): Promise<T> {
    const { environment, detach } = await this.providers.attach();
    this.attached = environment;
    try {
      return await command();
    } finally {
      this.attached = {};
      detach();
    }
  }

  private async state(): Promise<State> {
    try {
      const { resources = [], pending_operations: pending = [] } = (await this.stack.exportStack())
        .deployment as Partial<State> & { pending_operations?: unknown[] };
      return { resources, pending };
    } catch (error) {
      throw (error instanceof EngineError && setUpProblem(error.message, this.stack.name)) || error;
    }
  }

  /** Removes what carries this claim and no state knows. */
  private async clearOrphans({ resources }: State): Promise<void> {
    const { place } = this.options;
    const claim = resources.find(({ type }) => type === place.claimType)?.outputs;
    const ids = new Set(resources.map(({ id }) => id ?? ""));
    const removed = claim ? await place.removeOrphans(claim, ids) : [];
    this.interrupted = false;
    if (removed.length > 0) {
      const message = `removed ${removed.join(", ")}, left by an interrupted update`;
      this.options.log("recovered", message, { removed });
    }
  }
}
