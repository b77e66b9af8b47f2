// GitHub's own OpenAPI description, to hold requests and answers against. Promises that what it says is taken at its
// word, with two readings of our own: a field that it knows nothing of is a mistake in what we send and in what we
// answer ourselves, and "" stands where it names "" as the default, whatever the format.
import Ajv, { type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import described from "./api.github.com.json";

type Schema = Record<string, unknown>;
interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  schema: Schema;
}
interface Body {
  content?: { "application/json"?: { schema?: Schema } };
}
interface Operation {
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: Body & { required?: boolean };
  responses: Record<string, Body | { $ref: string }>;
}

/** An operation of the description, as a request found it. */
export interface Found {
  /** As the description writes it. */
  path: string;
  method: string;
  parameters: Record<string, string>;
  operation: Operation;
}

const documentId = "https://api.github.com/description";
const paths = described.paths as unknown as Record<string, Record<string, Operation>>;
const components: Record<string, Record<string, unknown>> = described.components;

const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false });
addFormats(ajv);
for (const format of ["repo.nwo", "timestamp"]) ajv.addFormat(format, true);
ajv.addSchema({ $id: documentId, components: readable(components) as Schema });
const validators = new Map<Schema, ValidateFunction>();

/** OpenAPI 3.0's own words in those of JSON Schema. */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  const { nullable, ...rest } = value as Schema;
  const schema: Schema = Object.fromEntries(
    Object.entries(rest).map(([key, inner]) => [
      key,
      key === "$ref" && typeof inner === "string" ? documentId + inner : readable(inner),
    ]),
  );
  const others = [
    ...(nullable === true ? [{ type: "null" }] : []),
    ...(schema["default"] === "" && schema["format"] !== undefined ? [{ const: "" }] : []),
  ];
  return others.length > 0 ? { anyOf: [schema, ...others] } : schema;
}

function problemsWith(schema: Schema, value: unknown, what: string): string[] {
  const validate = validators.get(schema) ?? ajv.compile(readable(schema) as Schema);
  validators.set(schema, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${what}${instancePath} ${message}`);
}

const resolved = <T extends object>(value: T | { $ref: string }): T => {
  if (!("$ref" in value)) return value;
  const [, , kind = "", name = ""] = value.$ref.split("/");
  return components[kind]?.[name] as T;
};

/** The operation that a request is for; of several, the one with the fewest parameters. */
export function operationOf(method: string, pathname: string): Found | undefined {
  const found = Object.entries(paths).flatMap(([path, operations]) => {
    const operation = operations[method.toLowerCase()];
    // What comes after `...` may have slashes in it.
    const pattern = path.replaceAll(/\{([^}]+)\}/g, (_, name) => (name === "basehead" ? "(.+)" : "([^/]+)"));
    const values = new RegExp(`^${pattern}$`).exec(pathname)?.slice(1);
    if (!operation || !values) return [];
    const names = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = ""]) => name);
    const parameters = Object.fromEntries(
      names.map((name, i) => [name, decodeURIComponent(values[i] ?? "")]),
    );
    return [{ path, method: method.toUpperCase(), parameters, operation }];
  });
  return found.sort((a, b) => Object.keys(a.parameters).length - Object.keys(b.parameters).length)[0];
}

interface Exception {
  path: RegExp;
  /** At any depth; of the body itself alone where `isOuter`. */
  fields: readonly string[];
  isOuter?: boolean;
}

/** What GitHub takes and gives, and its description leaves out. */
const undescribed: readonly Exception[] = [
  { path: /\/environments(\/\{environment_name\})?$/, fields: ["can_admins_bypass"] },
];
/** What Pulumi's provider sends besides, and GitHub passes over. */
const ignored: readonly Exception[] = [
  { path: /^\/(orgs\/\{org\}|user)\/repos$/, fields: ["has_discussions", "allow_update_branch"] },
  {
    path: /^\/repos\/\{owner\}\/\{repo\}$/,
    fields: [
      "auto_init",
      "has_downloads",
      "has_discussions",
      "license_template",
      "gitignore_template",
      "topics",
    ],
  },
  { path: /\/rulesets/, fields: ["source_type", "source"] },
  { path: /\/hooks\/\{hook_id\}$/, fields: ["url"], isOuter: true },
  { path: /\/labels\/\{name\}$/, fields: ["name"] },
];

function without(path: string, body: unknown, exceptions: readonly Exception[]): unknown {
  const here = exceptions.filter((one) => one.path.test(path));
  const strip = (value: unknown, isInner: boolean): unknown => {
    if (Array.isArray(value)) return value.map((inner) => strip(inner, true));
    if (typeof value !== "object" || value === null) return value;
    const fields = here.filter(({ isOuter }) => !isOuter || !isInner).flatMap((one) => one.fields);
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, inner]) =>
        fields.includes(name) ? [] : [[name, strip(inner, true)]],
      ),
    );
  };
  return here.length > 0 ? strip(body, false) : body;
}

/** What is wrong with a request. */
export function problemsOfRequest(
  { path, operation, parameters }: Found,
  query: URLSearchParams,
  whole: unknown,
): string[] {
  const body = without(path, whole, [...undescribed, ...ignored]);
  const known = (operation.parameters ?? []).map((parameter) => resolved<Parameter>(parameter));
  const of = (place: string) => known.filter((parameter) => parameter.in === place);
  const typed = (schema: Schema, text: string): unknown =>
    schema["type"] === "boolean" && /^(true|false)$/.test(text)
      ? text === "true"
      : ["integer", "number"].includes(schema["type"] as string) && /^-?\d+$/.test(text)
        ? Number(text)
        : text;
  const check = ({ name, schema }: Parameter, text: string) =>
    problemsWith(schema, typed(schema, text), name);
  const problems = of("path").flatMap((one) => check(one, parameters[one.name] ?? ""));
  for (const [name, text] of query) {
    const one = of("query").find((parameter) => parameter.name === name);
    problems.push(...(one ? check(one, text) : [`the query has ${name}, which GitHub does not know`]));
  }
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  if (schema === undefined)
    return body === undefined ? problems : [...problems, "a body, which GitHub ignores"];
  if (body === undefined) return operation.requestBody?.required ? [...problems, "no body"] : problems;
  return [...problems, ...problemsWith(schema, body, "body"), ...unknownFields(schema, body, "body")];
}

/**
 * What is wrong with an answer.
 * @param isOurs whether it was made here, and may have no field that GitHub does not know
 */
export function problemsOfAnswer(
  { path, operation }: Found,
  status: number,
  whole: unknown,
  isOurs: boolean,
): string[] {
  const body = without(path, whole, undescribed);
  const response = operation.responses[String(status)];
  // What any operation may answer, and the description leaves out.
  if (response === undefined) {
    const basic = { $ref: "#/components/schemas/basic-error" };
    return [401, 403, 404, 429].includes(status)
      ? problemsWith(basic, body, "answer")
      : [`no answer of status ${status}`];
  }
  const schema = resolved<Body>(response).content?.["application/json"]?.schema;
  if (schema === undefined) return [];
  return [...problemsWith(schema, body, "answer"), ...(isOurs ? unknownFields(schema, body, "answer") : [])];
}

function unknownFields(schema: Schema, value: unknown, what: string): string[] {
  const { type, items, properties, additionalProperties } = resolved<Schema>(schema);
  if (type === "array" && Array.isArray(value))
    return value.flatMap((item, i) => unknownFields(items as Schema, item, `${what}/${i}`));
  if (typeof value !== "object" || value === null || !properties || additionalProperties) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const known = (properties as Record<string, Schema>)[name];
    return known ? unknownFields(known, inner, `${what}/${name}`) : [`${what}/${name} is unknown to GitHub`];
  });
}
