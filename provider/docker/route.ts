// Route: where the edge sends each service's traffic. The edge reads one small file at each request, so writing them is
// the switch: no reload, no dropped connection. Each file is replaced by a rename, never half written.
import { basename } from "node:path";
import { type Context, changedKeys, type Handler } from "../handler";
import { handRoll } from "../handRoll";
import { connectEngine, execute, isEngineError } from "./engine";
import { routeFile, routesFolder, slotsFor } from "./layout";

export interface RouteInputs extends Record<string, unknown> {
  /** Id of the edge's container. */
  edge: string;
  /** Service → `container:port` of each replica, in order. */
  upstreams: Record<string, string[]>;
}

/** What the edge's files hold. */
export type RouteFiles = Record<string, string>;

export interface RouteOutputs extends Record<string, unknown> {
  /** When the traffic moved, milliseconds since the epoch. */
  switchedAt: number;
  /** What the edge's files held before that, where a person rolled: file → `container:port`. */
  before: RouteFiles;
}

// Arguments are a file's name and its content in turns; all are written before the first is renamed, by one program.
const writeScript = [
  "set -e",
  `cd ${routesFolder}`,
  "rm -rf .new",
  "mkdir .new",
  'f=; for a in "$@"; do if [ -z "$f" ]; then f=$a; else printf %s "$a" > ".new/$f"; f=; fi; done',
  "mv -f .new/* .",
].join("; ");
const readScript = `for f in ${routesFolder}/*; do [ -f "$f" ] && printf "%s %s\\n" "$f" "$(cat "$f")"; done; true`;

/** Each slot's file and what it holds: the replicas in turn. */
export const filesOf = (upstreams: Record<string, string[]>): [file: string, content: string][] =>
  Object.entries(upstreams).flatMap(([service, replicas]) =>
    Array.from({ length: slotsFor(replicas.length) }, (_, slot): [string, string] => [
      routeFile(service, slot),
      replicas[slot % replicas.length] ?? "",
    ]),
  );

/** The upstreams that the files stand for; "" for a replica whose slots do not all lead to it. */
export function upstreamsIn(
  files: Readonly<RouteFiles>,
  expected: Record<string, string[]>,
): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(expected).map(([service, replicas]) => [
      service,
      replicas.map((_, replica) => {
        const slots = Array.from({ length: slotsFor(replicas.length) }, (_, slot) => slot);
        const mine = slots.filter((slot) => slot % replicas.length === replica);
        const found = new Set(mine.map((slot) => files[routeFile(service, slot)] ?? ""));
        return found.size === 1 ? ([...found][0] ?? "") : "";
      }),
    ]),
  );
}

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

/** Replaces these of the edge's files, all at once. */
export async function writeRoutes(edge: string, files: RouteFiles, signal: AbortSignal): Promise<void> {
  const named = Object.entries(files).map(([file, content]) => [basename(file), content]);
  await run(edge, writeScript, named.flat(), signal);
}

async function readRoutes(edge: string, signal: AbortSignal): Promise<RouteFiles> {
  const lines = (await run(edge, readScript, [], signal)).split("\n").filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
  );
}

async function write({ edge, upstreams }: RouteInputs, context: Context): Promise<RouteOutputs> {
  const { signal } = context;
  const roll = await handRoll();
  const before = roll ? await readRoutes(edge, signal) : {};
  await writeRoutes(edge, Object.fromEntries(filesOf(upstreams)), signal);
  const switchedAt = Date.now();
  roll?.reached("switched", context, switchedAt);
  return { switchedAt, before };
}

export const route: Handler<RouteInputs, RouteOutputs> = {
  // What failed its soak time was led away from, and the state does not say so: the files do.
  async changed(inputs, old, { signal }) {
    const changed = changedKeys({ edge: old.edge, upstreams: old.upstreams }, inputs);
    if (changed.length > 0) return changed;
    const files = await readRoutes(inputs.edge, signal).catch(() => undefined);
    const found = files ? upstreamsIn(files, inputs.upstreams) : inputs.upstreams;
    return changedKeys({ upstreams: found }, { upstreams: inputs.upstreams });
  },
  async create(inputs, context) {
    return { id: "route", outputs: await write(inputs, context) };
  },
  async update(_id, inputs, old, context) {
    const outputs = await write(inputs, context);
    const stale = filesOf(old.upstreams).map(([file]) => file);
    const wanted = new Set(filesOf(inputs.upstreams).map(([file]) => file));
    const left = stale.filter((file) => !wanted.has(file));
    if (left.length > 0) await run(inputs.edge, 'rm -f "$@"', left, context.signal);
    return outputs;
  },
  async read(_id, state, context) {
    try {
      const files = await readRoutes(state.edge, context.signal);
      return { ...state, upstreams: upstreamsIn(files, state.upstreams) };
    } catch (error) {
      if (isEngineError(error, 404, 409)) return undefined; // the edge is gone or stopped: so is the route
      throw error;
    }
  },
};
