/**
 * What a test must know of the engine that its environments run on, so that the same test goes for each of them:
 * tests/behaviour/ has what is promised on all.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Hop } from "../../rollout/record";
import type { Config, Project, Stack } from "./harness";
import type { AppImage } from "./images";

export interface Engine {
  /** As a title has it. */
  readonly title: string;
  /**
   * Whether the traffic of all services moves in one moment, and what served before is gone when a roll is over; or
   * each service's moves as its replicas get ready, and the last of it goes by itself.
   */
  readonly switchesAtOnce: boolean;
  /** Whether a second watcher waits until the first one ends; or is refused. */
  readonly takesTurns: boolean;
  /** Whether an image is there as a whole before anything is touched. */
  readonly pullsFirst: boolean;
  /** A deadline that a good image keeps on it. */
  readonly deadline: string;
  /** What is said of a replica that answers 503 to the end of the deadline: the text of a pattern. */
  late(deadline: string): string;
  /** What is said of one that answers 503 after the switch: the text of a pattern. */
  readonly sick: string;
  /** The steps of a roll that can be told on it. */
  readonly steps: readonly Hop[];
  /** What every stack on it has in its config. */
  readonly config: Config;
  /** What an image needs to run on it as it is. */
  readonly app: Partial<AppImage>;
  /** A port to publish a service at that nobody has. */
  freePort(): Promise<number>;
  /** Where a service that is published at the port answers. */
  url(port: number): string;
  /**
   * What runs of the environment, in the order of the ids: of one service, or all of it. With the digest of the image
   * that it was made from, as the engine says itself; without what is about to go.
   */
  running(stack: Stack, service?: string): Promise<{ id: string; digest: string }[]>;
  /** Takes a service, or a part of it, away by hand, so that the engine does not bring it back by itself. */
  lose(stack: Stack, service: string): Promise<void>;
  /** What is on the engine of the stack, a line each; not what outlives it on purpose. */
  left(stack: Stack): Promise<string[]>;
  /** Removes all that the project has on the engine, whatever state it is in. */
  sweep(project: Project): Promise<void>;
}

/** After which a test that waits in vain shows what it got instead. */
const patienceMs = 60_000;

/** `3.0 s`, as messages have it, of the config's `3s`. */
export const inSeconds = (duration: string): string => `${Number.parseFloat(duration).toFixed(1)} s`;

/** The answer is the wanted one: at once, or soon where the engine goes on by itself when a roll is over. */
export async function becomes<T>(engine: Engine, ask: () => Promise<T>, wanted: T): Promise<void> {
  // For a moment a cluster's node has nobody to lead to, where the only pod was just made or has just fallen ill.
  const attempt = engine.switchesAtOnce ? ask : () => ask().catch((error: unknown) => error);
  let answer: unknown = await attempt();
  const end = Date.now() + (engine.switchesAtOnce ? 0 : patienceMs);
  while (!isDeepStrictEqual(answer, wanted) && Date.now() < end) {
    await new Promise((passed) => setTimeout(passed, 50));
    answer = await attempt();
  }
  assert.deepEqual(answer, wanted);
}
