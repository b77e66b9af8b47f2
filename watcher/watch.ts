// The watcher of one environment, from its start to its end.
import type { EnvironmentConfig } from "../config";
import { dockerPlace } from "./docker";
import { FollowedConfig } from "./followedConfig";
import { kubernetesPlace } from "./kubernetes";
import type { Log } from "./log";
import { openMirror } from "./mirror";
import type { Hold, Place } from "./place";
import type { ReceiptSink } from "./receipts";
import { type Program, Runner } from "./runner";
import { readProject, type StackFolder } from "./stackFiles";
import { Voice } from "./voice";
import { Watcher } from "./watcher";
import { Standing } from "./work";

export interface WatchOptions extends StackFolder {
  program: Program;
  log: Log;
  /** Ends the watcher at the next safe point: a roll under way is finished first. */
  stop: AbortSignal;
  /** Cancels a roll under way too. */
  abort: AbortSignal;
  /** Told of each roll, besides the registry and GitHub. */
  sinks?: readonly ReceiptSink[];
}

const placeOf = ({ engine, kubernetes }: EnvironmentConfig): Place =>
  engine === "docker" ? dockerPlace : kubernetesPlace(kubernetes.context);

/** @throws ConfigError, SetUpError, or Error where it cannot start, or loses the environment to another watcher */
export async function watch(options: WatchOptions): Promise<void> {
  const { log, stop } = options;
  const project = readProject(options.directory);
  const config = new FollowedConfig(options, log);
  const place = placeOf(config.now);
  const hold = await place.hold?.({ project, config: config.now, log, stop });
  if (place.hold && !hold) return;
  try {
    await follow({ ...options, project, config, place, hold });
  } finally {
    await hold?.release();
  }
}

async function follow(
  options: WatchOptions & { project: string; config: FollowedConfig; place: Place; hold: Hold | undefined },
): Promise<void> {
  const { stack, log, config, place, hold } = options;
  const orLost = (signal: AbortSignal) => (hold ? AbortSignal.any([signal, hold.lost]) : signal);
  const [stop, abort] = [orLost(options.stop), orLost(options.abort)];
  const runner = await Runner.open({ ...options, stop });
  hold?.lost.addEventListener("abort", () => {
    setTimeout(() => runner.kill(), hold.handOverMs).unref();
  });
  const [standing, voice] = [new Standing(), new Voice(log)];
  const mirror = openMirror(options.directory, log);
  const work = { stack, config, runner, place, standing, log, voice, stop, abort };
  try {
    await new Watcher(work, options.directory, [...mirror.sinks, ...(options.sinks ?? [])]).run();
  } finally {
    await mirror.close();
    runner.close();
  }
  hold?.lost.throwIfAborted();
}
