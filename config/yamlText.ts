/**
 * What a text says to those who read it as YAML. Pulumi's parser knows merge keys and takes more words and numbers for
 * something else than a text than YAML 1.2 does, so what is written must be read alike by both.
 */
import { isDeepStrictEqual } from "node:util";
import { parseDocument } from "yaml";

/** Versions, commits and digests: nothing that any YAML reads as a number, a date or a word of its own. */
const PLAIN =
  /^(?:v?\d+\.\d+\.\d+(?:[-+][A-Za-z0-9.+-]*)?|v\d[A-Za-z0-9.+-]*|sha-[0-9a-f]+|sha256:[0-9a-f]{64})$/;

/** @param style of the value that it replaces; quotes stay as they are */
export function plainOrQuoted(text: string, style?: string): string {
  if (style === "QUOTE_SINGLE" && !/[\r\n]/.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return style !== "QUOTE_DOUBLE" && PLAIN.test(text) ? text : JSON.stringify(text);
}

/**
 * Whether two texts of a stack's file say the same but for one key of `config`.
 * @param value what the second has there; undefined: nothing
 */
export function differOnlyIn(key: string, before: string, after: string, value: string | undefined): boolean {
  try {
    return [false, true].every((merge) => {
      const [was, is] = [contentsOf(before, merge), contentsOf(after, merge)];
      const found = is.config.get(key);
      was.config.delete(key);
      is.config.delete(key);
      return found === value && isDeepStrictEqual(was, is);
    });
  } catch {
    return false;
  }
}

interface Contents {
  config: Map<unknown, unknown>;
  rest: Map<unknown, unknown>;
}

/** All that a text says; an empty `config` and none are the same. */
function contentsOf(text: string, merge: boolean): Contents {
  const document = parseDocument(text, { merge });
  if (document.errors.length > 0) throw document.errors[0];
  const rest: unknown = document.toJS({ mapAsMap: true }) ?? new Map();
  if (!(rest instanceof Map)) throw new Error("no map");
  const config: unknown = rest.get("config") ?? new Map();
  if (!(config instanceof Map)) throw new Error("config is no map");
  rest.delete("config");
  return { config: new Map(config), rest };
}
