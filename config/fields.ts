/**
 * The building blocks of the config's schema: each takes what is written in a stack file and gives the
 * typed value, and tells a mistake as "what is wrong — how to fix it".
 */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { parseReference, type Reference } from "../registry/reference";
import { show, suggest } from "./explain";
import { DURATION, MEMORY, type Publish, parseDuration, parseMemory, parsePublish } from "./values";

/** What the editors' schema and docs/configuration.md say of a key. */
export interface Note {
  readonly description: string;
  readonly example?: unknown;
  /** The default, in words, where it is not a plain value. */
  readonly otherwise?: string;
  /** What a key of a map stands for: `service` is shown as `<service>`. */
  readonly placeholder?: string;
  /** Pattern that the keys of a map must match; enforced by rules.ts, whose messages name the fix. */
  readonly keys?: RegExp;
  /** Encrypted in a stack file, as `{secure: …}`. */
  readonly secret?: boolean;
}

export const notes = z.registry<Note>();

/** The schema, with its note: a copy, since a schema that two keys share has one of each. */
export function note<S extends z.ZodType>(schema: S, text: Note): S {
  const own = schema.clone() as S;
  notes.add(own, text);
  return own;
}

type Complaint = (issue: { readonly input?: unknown }) => string;

/** A complaint about any value that is not `expected`; a missing one is called missing. */
export function unless(expected: string, fix: string): Complaint {
  return (issue) =>
    issue.input === undefined ? `is missing — ${fix}` : `${show(issue.input)} is not ${expected} — ${fix}`;
}

/** The same for maps, which may hold secrets: the value is never shown. */
function concealed(expected: string, fix: string): Complaint {
  return (issue) => (issue.input === undefined ? `is missing — ${fix}` : `is not ${expected} — ${fix}`);
}

/** A map with known keys alone. An unknown one is answered with the nearest, one line a key. */
export function closed<S extends z.core.$ZodShape>(what: string, shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => `unknown key — ${suggest(key, Object.keys(shape))}`).join("\n")
        : concealed(`a map (${what})`, `write its keys below it: ${keysFor(shape, issue.input)}`)(issue),
  });
}

/** Where nothing is written yet, those that are required; else all. */
function keysFor(shape: z.core.$ZodShape, input: unknown): string {
  const all = Object.entries(shape);
  const required = all.filter(([, schema]) => !z.safeParse(schema, undefined).success);
  const shown = input === undefined && required.length > 0 ? required : all;
  return shown.map(([key]) => key).join(", ");
}

/** A map from names to values. */
export function mapOf<V extends z.ZodType>(value: V, what: string, fix: string): z.ZodRecord<z.ZodString, V> {
  return z.record(z.string(), value, { error: concealed(`a map of ${what}`, fix) });
}

/** A list of texts. */
export function listOf<V extends z.ZodType>(value: V, what: string, fix: string): z.ZodArray<V> {
  return z.array(value, { error: unless(`a list of ${what}`, fix) });
}

/** A text that `parse` turns into a value, or answers with undefined where it cannot. */
export function parsed<T>(pattern: RegExp, parse: (text: string) => T | undefined, complain: Complaint) {
  return z
    .string({ error: complain })
    .regex(pattern, { error: complain })
    .transform((text, context): T => {
      const value = parse(text);
      if (value === undefined) {
        context.addIssue({ code: "custom", message: complain({ input: text }) });
        return z.NEVER;
      }
      return value;
    });
}

/** A text for which `problem` names no problem. */
export function judged(problem: (text: string) => string | undefined, complain: Complaint) {
  return z.string({ error: complain }).superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) {
      context.addIssue({ code: "custom", message });
    }
  });
}

/** A duration within bounds that are themselves written as durations; the value is in milliseconds. */
export function duration(least: string, most: string) {
  const inBounds = (text: string): number | undefined => {
    const value = parseDuration(text) ?? -1;
    return value >= (parseDuration(least) ?? 0) && value <= (parseDuration(most) ?? 0) ? value : undefined;
  };
  const fix = `write ${least} to ${most}, with ms, s, m or h after the number`;
  return parsed(DURATION, inBounds, (issue) =>
    typeof issue.input === "string" && DURATION.test(issue.input)
      ? `${show(issue.input)} is out of bounds — ${fix}`
      : unless("a duration", fix)(issue),
  );
}

/** An amount of bytes; the value is a number. Docker refuses less than 6 MiB of memory. */
export function memory(what = "an amount of memory", leastMebibytes = 6) {
  const fix = `write at least ${leastMebibytes}Mi, with Ki, Mi, Gi, K, M or G after the number`;
  const enough = (text: string): number | undefined => {
    const bytes = parseMemory(text) ?? 0;
    return bytes >= leastMebibytes * 2 ** 20 && Number.isSafeInteger(bytes) ? bytes : undefined;
  };
  return parsed(MEMORY, enough, unless(what, fix));
}

/** A whole number within bounds. */
export function whole(what: string, least: number, most = Number.MAX_SAFE_INTEGER) {
  const bounds = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
  const error = unless(what, `write a whole number, ${bounds}, without quotes`);
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** A TCP port. */
export function port() {
  return whole("a port", 1, 65_535);
}

/** A host port, alone or with the address that it is bound to. */
export function publish() {
  const error = unless(
    "a host port",
    'write a port such as 8080 (loopback), or "ADDRESS:PORT" with an IP address',
  );
  const address = z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[0-9.]+):\d{1,5}$/, { error });
  return z
    .union([z.int().min(1, { error }).max(65_535, { error }), address], { error })
    .transform((value, context): Publish => {
      const place = parsePublish(value);
      if (place === undefined) {
        context.addIssue({ code: "custom", message: error({ input: value }) });
        return z.NEVER;
      }
      return place;
    });
}

/** A reference to an image; `problem` says what else is wrong with a well-formed one. */
export function reference(fix: string, problem: (reference: Reference) => string | undefined) {
  return z.string({ error: unless("a reference to an image", fix) }).transform((text, context): Reference => {
    try {
      const value = parseReference(text);
      const wrong = problem(value);
      if (wrong === undefined) {
        return value;
      }
      context.addIssue({ code: "custom", message: `${show(text)} ${wrong}` });
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
    }
    return z.NEVER;
  });
}

/** One of a few words. */
export function oneOf<const W extends readonly [string, ...string[]]>(words: W, what: string) {
  return z.enum(words, {
    error: unless(
      what,
      `write ${words
        .map((word) => JSON.stringify(word))
        .join(", ")
        .replace(/, ([^,]*)$/, " or $1")}`,
    ),
  });
}

/** Yes or no. */
export function flag() {
  return z.boolean({ error: unless("a boolean", "write true or false, without quotes") });
}

/** A secret text. The value is a secret output; no complaint ever shows it. */
export function secretText() {
  return z
    .string({ error: "is not a text — encrypt one text here" })
    .transform((text): pulumi.Output<string> => pulumi.secret(text));
}

/** The value of an environment variable, as the container gets it: verbatim, numbers and booleans as text. */
export function variable() {
  const complain = (issue: { readonly input?: unknown }): string =>
    issue.input === null
      ? 'is empty — write "" for an empty text, or remove the key'
      : unless("a text, number or boolean", "write one of these")(issue);
  return z
    .union([z.string(), z.number(), z.boolean()], { error: complain })
    .superRefine((value, context) => {
      if (typeof value === "string" && value.includes("\0")) {
        context.addIssue({
          code: "custom",
          message: "holds a NUL character, which no environment variable can — remove it",
        });
      }
      if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
        context.addIssue({ code: "custom", message: `${value} has lost digits — write it in quotes` });
      }
    })
    .transform((value) => String(value));
}

/** The name of something else in the config. */
export const name = (what: string) => z.string({ error: unless("a name", `write the name of ${what}`) });

/** Names of secrets that `reader` gets as environment variables. */
export const secretNames = (reader: string) =>
  note(
    listOf(name("a secret of tagalong:secrets"), "names", "write names of tagalong:secrets").prefault([]),
    {
      description: `Names of \`secrets\` that ${reader} gets as environment variables.`,
      example: ["DATABASE_URL"],
    },
  );
