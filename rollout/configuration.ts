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

/** As far as it tells what an image's containers are made from. */
interface Services {
  readonly [name: string]: { readonly image: string; readonly secrets: readonly string[] };
}

/**
 * The same for one image of a stack: the watcher, `pulumi up` and the command line must all come to the same.
 * @param secretTexts the encrypted texts of the stack's secrets, by name
 */
export function configurationIn(
  { services }: { readonly services: Services },
  image: string,
  secretTexts: Readonly<Record<string, unknown>>,
): string {
  const own = Object.values(services).filter((service) => service.image === image);
  const secrets = own.flatMap((service) => service.secrets.map((name) => secretTexts[name]));
  return configurationOf(own, secrets);
}

/** Keys in alphabetical order: where they stand in the stack's file does not matter. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
