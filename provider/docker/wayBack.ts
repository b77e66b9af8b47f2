// The way back of the traffic on a Docker engine: the edge's files as they were before the switch.
import { connectEngine } from "./engine";
import { type RouteFiles, writeRoutes } from "./route";

export interface RouteBefore {
  /** The edge's container. */
  edge: string;
  /** What the edge's files held before the switch; empty where they did not change, or a watcher rolls. */
  before: RouteFiles;
}

/** @returns what came of it, as a sentence */
export async function leadBack({ edge, before }: RouteBefore, signal: AbortSignal): Promise<string> {
  if (Object.keys(before).length === 0) return "nothing served before, so the traffic stays where it is";
  const ids = [...new Set(Object.values(before).map((upstream) => upstream.split(":")[0] ?? ""))];
  const docker = connectEngine();
  try {
    for (const id of ids) {
      const { State } = await docker.getContainer(id).inspect();
      if (!State.Running) throw new Error(`${id} does not run any more`);
    }
    await writeRoutes(edge, before, signal);
    return "the traffic goes to what served before again";
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `the traffic could not be led back to what served before (${why}): name the release before in tagalong:release, or lead the tag back, and run \`pulumi up\``;
  }
}
