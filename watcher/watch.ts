// The watcher of one environment, from its start to its end.
import { dockerPlace } from "./docker";
import { FollowedConfig } from "./followedConfig";
import { kubernetesPlace } from "./kubernetes";
import type { Log } from "./log";
import { openMirror } from "./mirror";
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

const places = { docker: dockerPlace, kubernetes: kubernetesPlace } as const;

/** @throws ConfigError, SetUpError, or Error where it cannot start; from then on nothing but `stop` ends it */
export async function watch(options: WatchOptions): Promise<void> {
  const { stack, log, stop, abort } = options;
  const project = readProject(options.directory);
  const config = new FollowedConfig(options, log);
  const place = places[config.now.engine];
  const runner = await Runner.open({ ...options, project, place });
  const [standing, voice] = [new Standing(), new Voice(log)];
  const mirror = openMirror(options.directory, log);
  const work = { stack, config, runner, place, standing, log, voice, stop, abort };
  try {
    await new Watcher(work, options.directory, [...mirror.sinks, ...(options.sinks ?? [])]).run();
  } finally {
    await mirror.close();
    runner.close();
  }
}
