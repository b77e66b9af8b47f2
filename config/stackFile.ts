/**
 * The config as it stands in Pulumi.yaml and Pulumi.<stack>.yaml, for those who look at a stack without
 * running it: tests, the command line. Secrets stay encrypted and come out as a placeholder.
 */
import { parse } from "yaml";
import type { ConfigPath } from "./explain";
import { asMap, type RawConfig } from "./raw";
import { type StackConfig, validateConfig } from "./validate";

/** What stands in the place of an encrypted value. */
export const ENCRYPTED = "[secret]";

/** Values of the namespace `tagalong`, and which of them are encrypted. */
export interface StackFileValues {
  readonly values: RawConfig;
  readonly isEncrypted: (path: ConfigPath) => boolean;
}

/**
 * The values of one stack, the stack's own over the project's.
 * @param project text of Pulumi.yaml
 * @param stack text of Pulumi.<stack>.yaml
 * @throws YAMLParseError where a text is no YAML
 */
export function stackFileValues(project: string, stack: string): StackFileValues {
  const shared = Object.entries(asMap(asMap(parse(project))["config"])).map(([key, entry]) => {
    const short = key.includes(":") ? key : `tagalong:${key}`;
    const settings = asMap(entry);
    return [short, "value" in settings ? settings["value"] : (settings["default"] ?? entry)] as const;
  });
  const own = Object.entries(asMap(asMap(parse(stack))["config"]));
  const written = Object.fromEntries(
    [...shared, ...own]
      .filter(([key]) => key.startsWith("tagalong:"))
      .map(([key, value]) => [key.slice("tagalong:".length), value]),
  );
  return {
    values: asMap(conceal(written)),
    isEncrypted: (path) => holdsSecret(path.reduce<unknown>(step, written)),
  };
}

/**
 * The typed config of a stack, from the texts of its files.
 * @throws ConfigError with every mistake, by path; unlike readConfig it sees each value's own encryption
 */
export function checkStackFile(
  project: string,
  stack: string,
  name: string,
  environments?: readonly string[],
): StackConfig {
  const { values, isEncrypted } = stackFileValues(project, stack);
  return validateConfig(values, { stack: name, isEncrypted, ...(environments ? { environments } : {}) });
}

/** Whether the text of a stack's file holds a value at a path in plain text. */
export function plainIn(stack: string): (path: ConfigPath) => boolean {
  const { values, isEncrypted } = stackFileValues("", stack);
  return (path) => typeof path.reduce<unknown>(step, values) === "string" && !isEncrypted(path);
}

function isEncryptedValue(value: unknown): boolean {
  const map = asMap(value);
  return Object.keys(map).length === 1 && typeof map["secure"] === "string";
}

/** One step down a path; below an encrypted value everything is encrypted. */
function step(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isEncryptedValue(value) ? value : asMap(value)[key];
}

function holdsSecret(value: unknown): boolean {
  return (
    isEncryptedValue(value) ||
    (typeof value === "object" && value !== null && Object.values(value).some(holdsSecret))
  );
}

function conceal(value: unknown): unknown {
  if (isEncryptedValue(value)) {
    return ENCRYPTED;
  }
  if (Array.isArray(value)) {
    return value.map(conceal);
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, conceal(inner)]))
    : value;
}
