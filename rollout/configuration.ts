// Tells one configuration of an image's services from another: a verdict is bound to the one it was found with.
import { createHash } from "node:crypto";

/**
 * 16 hexadecimal digits of what the containers of one image are made from, apart from the image.
 * @param services the config of each service that runs the image, in the stack's order
 * @param secretTexts the encrypted texts of the secrets that they read: another text is taken for another secret,
 *   which can be told without knowing either
 */
export function configurationOf(services: readonly unknown[], secretTexts: readonly unknown[] = []): string {
  const text = JSON.stringify([services, secretTexts], inOrder);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Keys in alphabetical order: where they stand in the stack's file does not matter. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
