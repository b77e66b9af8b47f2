/**
 * The table of README.md and docs/configuration.md: every key, what it means, its default and an example, from the same
 * schema that checks the config.
 */
import { z } from "zod";
import { notes } from "./fields";
import { environmentSchema, repositorySchema } from "./schema";

const START = "<!-- keys:start (npm run schema) -->";
const END = "<!-- keys:end -->";

/** The page with its table made new. @throws Error where the page has no place for it */
export function withKeyTable(page: string): string {
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start < 0 || end < start) {
    throw new Error(`the page has no place for the table of keys: put it between ${START} and ${END}`);
  }
  return `${page.slice(0, start + START.length)}\n\n${keyTable()}\n\n${page.slice(end)}`;
}

/** All keys as a Markdown table. */
export function keyTable(): string {
  const keys = Object.entries({ ...environmentSchema.shape, ...repositorySchema.shape });
  const rows = keys.flatMap(([key, schema]) => keyRows(key, schema));
  return ["| key | meaning | default | example |", "|---|---|---|---|", ...rows].join("\n");
}

function keyRows(key: string, schema: z.ZodType): string[] {
  const text = notes.get(schema);
  const own =
    text === undefined
      ? []
      : [
          `| \`${key}\` | ${cell(text.description)} | ${cell(text.otherwise ?? defaultOf(schema))} | ${exampleOf(text.example)} |`,
        ];
  const inner = written(schema);
  if (inner instanceof z.ZodObject) {
    return [
      ...own,
      ...Object.entries(inner.shape).flatMap(([name, value]) =>
        keyRows(`${key}.${name}`, value as z.ZodType),
      ),
    ];
  }
  if (inner instanceof z.ZodRecord && written(inner.valueType as z.ZodType) instanceof z.ZodObject) {
    return [...own, ...keyRows(`${key}.<${text?.placeholder ?? "name"}>`, inner.valueType as z.ZodType)];
  }
  return own;
}

/** The schema without the wrappers that say optional and default. */
function written(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault
    ? written(schema.unwrap() as z.ZodType)
    : schema;
}

function defaultOf(schema: z.ZodType): string {
  if (!(schema instanceof z.ZodPrefault)) {
    return schema instanceof z.ZodOptional ? "none" : "**required**";
  }
  const value: unknown = schema.def.defaultValue;
  const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return isEmpty ? "none" : `\`${JSON.stringify(value).replace(/^"(.*)"$/, "$1")}\``;
}

function exampleOf(example: unknown): string {
  return example === undefined ? "" : `\`${cell(flow(example))}\``;
}

/** A value as YAML writes it on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(flow).join(", ")}]`;
  }
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${key}: ${flow(inner)}`)
      .join(", ")}}`;
  }
  return typeof value === "string" && /^[\d.:]+$|^[[{]|: /.test(value)
    ? JSON.stringify(value)
    : String(value);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
