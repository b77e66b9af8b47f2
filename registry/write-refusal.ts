/**
 * What a registry's no to a write means. Promises that the message says which permission or setting is missing, who
 * asked, and nothing that a terminal would obey: a registry's own words are shown as plain text, and cut.
 */
import { RegistryError } from "./errors";
import { refusal } from "./fetching";
import { parseObject } from "./manifest";
import type { Reference } from "./reference";
import type { Transport } from "./transport";
import type { Answer } from "./wire";

/**
 * The error of a write that was not answered with success.
 * @param mountFrom the repository whose blobs were to be taken over
 */
export function writeRefusal(
  transport: Transport,
  reference: Reference,
  answer: Answer,
  mountFrom?: string,
): RegistryError {
  const { status } = answer;
  const { codes, words } = saidBy(answer);
  const { registry, repository, tag } = reference;
  const said = words === "" ? "" : `; it says: ${words}`;
  const sure = (reason: "access" | "absent" | "refused", detail: string) =>
    new RegistryError(reason, detail + said, { codes });
  if (/immutab/i.test(words) || codes.includes("TAG_IMMUTABLE") || status === 409 || status === 412) {
    const what = tag === undefined ? "what it has" : `the tag ${tag}`;
    return sure(
      "refused",
      `the registry does not let ${what} be replaced (HTTP ${status}); except it from the repository's rule of immutable tags`,
    );
  }
  if (status === 401 || status === 403) {
    const asked = `asked ${transport.identity(registry)}`;
    return sure(
      "access",
      `no permission to write (HTTP ${status}), ${asked}. ${neededToWrite(reference, mountFrom)}`,
    );
  }
  if (status === 405 || codes.includes("UNSUPPORTED")) {
    return sure(
      "refused",
      `the registry takes no writes here (HTTP ${status}): it is read-only, or a mirror; write to the registry itself`,
    );
  }
  if (status === 413) {
    return sure("refused", "it is too large for the registry, or for a proxy before it (HTTP 413)");
  }
  if (codes.includes("NAME_UNKNOWN") || (status === 404 && codes.length === 0)) {
    return sure(
      "absent",
      `there is no repository ${registry}/${repository} to write to (HTTP ${status}); create it, or check its name`,
    );
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 429 && codes.length > 0) {
    return sure("refused", `the registry did not take it (HTTP ${status}, ${codes.join(", ")})`);
  }
  return refusal(transport, reference, answer);
}

/** The permission that a write to the reference's repository takes, as a sentence with the way to it. */
export function neededToWrite({ registry, repository }: Reference, mountFrom?: string): string {
  const other = mountFrom === undefined ? "" : ` and to pull from ${registry}/${mountFrom}`;
  const needed = `It takes the permission to push to ${registry}/${repository}${other}: `;
  return registry === "ghcr.io"
    ? `${needed}a token with write:packages; or, for a workflow's GITHUB_TOKEN, "permissions: packages: write" and the role ` +
        `"Write" in the package's settings under Manage Actions access`
    : `${needed}give it to that account, or "docker login ${registry}" as one that has it`;
}

/** The codes and messages of a registry's errors (`{"errors":[{code, message}]}`). */
function saidBy({ body }: Answer): { codes: string[]; words: string } {
  const errors = parseObject(body)?.errors;
  const list: unknown[] = Array.isArray(errors) ? errors.slice(0, 5) : [];
  const texts = (key: "code" | "message") =>
    list
      .map((error) => (error as Record<string, unknown> | null)?.[key])
      .filter((text): text is string => typeof text === "string");
  const codes = texts("code").filter((code) => /^[A-Z_]{1,40}$/i.test(code));
  const words = texts("message")
    .join("; ")
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, " ");
  return { codes, words: words.trim().slice(0, 200) };
}
