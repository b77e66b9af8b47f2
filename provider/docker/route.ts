// Route: where the edge sends each service's traffic. The edge reads one small file a replica at each request, so
// writing them is the switch: no reload, no dropped connection. Each file is replaced by a rename, never half written.
import type { Handler } from "../handler";
import { connectEngine, execute, isEngineError } from "./engine";
import { routeFile } from "./layout";

export interface RouteInputs extends Record<string, unknown> {
  /** Id of the edge's container. */
  edge: string;
  /** Service → `container:port` of each replica, in order. */
  upstreams: Record<string, string[]>;
}

export interface RouteOutputs extends Record<string, unknown> {
  /** When the traffic moved, milliseconds since the epoch. */
  switchedAt: number;
}

// Arguments are file and content in turns; all are written before the first is renamed.
const inTurns = (then: string): string =>
  `f=; for a in "$@"; do if [ -z "$f" ]; then f=$a; else ${then}; f=; fi; done`;
const writeScript = `set -e; ${inTurns('printf %s "$a" > "$f.new"')}; ${inTurns('mv "$f.new" "$f"')}`;
const readScript = 'for f in /routes/*; do [ -f "$f" ] && printf "%s %s\\n" "$f" "$(cat "$f")"; done; true';

const filesOf = (upstreams: Record<string, string[]>): [file: string, content: string][] =>
  Object.entries(upstreams).flatMap(([service, replicas]) =>
    replicas.map((upstream, replica): [string, string] => [routeFile(service, replica), upstream]),
  );

async function run(edge: string, script: string, parameters: string[], signal: AbortSignal): Promise<string> {
  const { exitCode, output } = await execute(
    connectEngine(),
    edge,
    ["/bin/sh", "-c", script, "route", ...parameters],
    signal,
  );
  if (exitCode !== 0)
    throw new Error(`the edge could not change its routes (exit code ${exitCode}): ${output.trim()}`);
  return output;
}

async function write(inputs: RouteInputs, signal: AbortSignal): Promise<RouteOutputs> {
  await run(inputs.edge, writeScript, filesOf(inputs.upstreams).flat(), signal);
  return { switchedAt: Date.now() };
}

export const route: Handler<RouteInputs, RouteOutputs> = {
  async create(inputs, context) {
    return { id: "route", outputs: await write(inputs, context.signal) };
  },
  async update(_id, inputs, old, context) {
    const outputs = await write(inputs, context.signal);
    const stale = filesOf(old.upstreams).map(([file]) => file);
    const wanted = new Set(filesOf(inputs.upstreams).map(([file]) => file));
    const left = stale.filter((file) => !wanted.has(file));
    if (left.length > 0) await run(inputs.edge, 'rm -f "$@"', left, context.signal);
    return outputs;
  },
  async read(_id, state, context) {
    try {
      const lines = (await run(state.edge, readScript, [], context.signal))
        .split("\n")
        .filter((line) => line !== "");
      const found = new Map(
        lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
      );
      const upstreams = Object.fromEntries(
        Object.entries(state.upstreams).map(([service, replicas]) => [
          service,
          replicas.map((_, replica) => found.get(routeFile(service, replica)) ?? ""),
        ]),
      );
      return { ...state, upstreams };
    } catch (error) {
      if (isEngineError(error, 404, 409)) return undefined; // the edge is gone or stopped: so is the route
      throw error;
    }
  },
};
