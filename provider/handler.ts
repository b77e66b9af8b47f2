// What a resource of the provider is, apart from how the engine talks to it: plain inputs in, plain state out.

import { isDeepStrictEqual } from "node:util";

/** Plain data as it crosses the wire: JSON values only. */
export type Properties = Record<string, unknown>;

export interface Context {
  /** Aborted when the engine cancels the update or dies: whatever waits must stop at once. */
  readonly signal: AbortSignal;
  /** A line beneath the resource in the engine's output. */
  log(severity: "info" | "warning", message: string): void;
}

/** A change of a part of an input: `files["a/b"]`. */
export interface PropertyChange {
  readonly path: string;
  readonly kind: "add" | "update" | "delete";
}

/** How one resource type behaves. Inputs are complete and known in every call but `preview`. */
export interface Handler<Inputs extends Properties, Outputs extends Properties> {
  /** Inputs whose change needs a new resource; others are updated in place. */
  readonly replaceOn?: readonly string[];
  /** Inputs whose change alone is no change, since they only say how to do it. */
  readonly ignore?: readonly string[];
  /** The inputs that count, in place of those that the program gave: those of the state where it may not change them. */
  check?(inputs: Inputs, old: Inputs | undefined, context: Context): Promise<Inputs>;
  /** What is to be changed, where that is not just every input that differs from the last one: inputs, or parts of them. */
  changed?(
    inputs: Inputs,
    old: Inputs & Outputs,
    context: Context,
  ): Promise<readonly (string | PropertyChange)[]>;
  /** Called in previews, with whatever inputs are known: throws what `up` would refuse. */
  preview?(
    inputs: Partial<Inputs>,
    old: (Inputs & Outputs) | undefined,
    context: Context,
  ): Promise<Partial<Outputs>>;
  /** Called in every preview and update, changed or not: throws where what the state means is not there to be compared. */
  verify?(state: Inputs & Outputs, context: Context): Promise<void>;
  create(inputs: Inputs, context: Context): Promise<{ id: string; outputs: Outputs }>;
  update(id: string, inputs: Inputs, old: Inputs & Outputs, context: Context): Promise<Outputs>;
  /** What is there now; undefined where it is gone. Left out: the state is taken as it is. */
  read?(id: string, state: Inputs & Outputs, context: Context): Promise<(Inputs & Outputs) | undefined>;
  /** What an id of `pulumi import` stands for. Left out: nothing that exists can be adopted. */
  import?(id: string, context: Context): Promise<{ id: string; inputs: Inputs; outputs: Outputs }>;
  /** Idempotent: what is gone already is no error. */
  delete?(id: string, state: Inputs & Outputs, context: Context): Promise<void>;
}

/** The engine's stand-in for a string that a preview does not know yet (sdk/go/common/resource/plugin/rpc.go). */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Inputs that differ, by name; `ignore` names those that never count. */
export function changedKeys(before: Properties, after: Properties, ignore: readonly string[] = []): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter(
    (key) => !key.startsWith("__") && !ignore.includes(key) && !isDeepStrictEqual(before[key], after[key]),
  );
}
