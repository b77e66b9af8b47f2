// What a text on the command line stands for: an environment, a digest, a commit or a tag. A pure decision.

export type Asked =
  | { kind: "environment"; environment: string }
  | { kind: "digest"; digest: string }
  | { kind: "commit"; commit: string }
  /** The beginning of a commit, or a tag that looks like one. */
  | { kind: "short"; short: string }
  | { kind: "tag"; tag: string };

/** @returns undefined where it can be none of them */
export function whatIs(text: string, environments: readonly string[]): Asked | undefined {
  if (environments.includes(text)) return { kind: "environment", environment: text };
  const digest = /^(?:.*@)?(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.exec(text)?.[1];
  if (digest !== undefined) return { kind: "digest", digest };
  if (/^[0-9a-f]{64}$/.test(text)) return { kind: "digest", digest: `sha256:${text}` };
  const commit = /^(?:sha-)?([0-9a-f]{40})$/.exec(text)?.[1];
  if (commit !== undefined) return { kind: "commit", commit };
  const short = /^(?:sha-)?([0-9a-f]{4,39})$/.exec(text)?.[1];
  if (short !== undefined) return { kind: "short", short };
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text) ? { kind: "tag", tag: text } : undefined;
}

/** The tags that always lead to one image, of those that lead to it: versions first, then commits. */
export function fixedNames(tags: readonly string[]): string[] {
  const versions = tags.filter((tag) => /^v?\d+\.\d+\.\d+(?:[.-][A-Za-z0-9._-]+)?$/.test(tag));
  return [...versions, ...tags.filter((tag) => /^sha-[0-9a-f]{40}$/.test(tag))];
}
