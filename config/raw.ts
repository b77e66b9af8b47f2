/** Values of the config before the schema has seen them. */

/** A map of raw values. */
export type RawConfig = Readonly<Record<string, unknown>>;

/** The value as a map; an empty one where it is none. */
export function asMap(value: unknown): RawConfig {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as RawConfig) : {};
}
