/**
 * What a token is asked for. Promises that a read asks for no more than the registry wants for it, and that a write
 * asks for `push` also where the registry's challenge does not say so (GHCR's says `pull` to everybody).
 */

/** What is about to be done to a repository. */
export interface Access {
  readonly repository: string;
  readonly writes: boolean;
  /** The repository whose blobs a write takes over. */
  readonly mountFrom?: string;
}

/** The scopes of a token. @param said the challenge's `scope`; undefined where it has none */
export function scopesFor(said: string | undefined, access: Access): string[] {
  const { repository, writes, mountFrom } = access;
  const challenged = (said ?? "")
    .split(" ")
    .filter((scope) => scope !== "")
    .map(sorted);
  const wanted = `repository:${repository}:pull${writes ? ",push" : ""}`;
  if (!writes) return challenged.length > 0 ? challenged : [wanted];
  const scopes = challenged.some(allowsPush) ? challenged : withPush(challenged, wanted);
  const readsOther = mountFrom === undefined || scopes.some((scope) => nameIn(scope) === mountFrom);
  return readsOther ? scopes : [...scopes, `repository:${mountFrom}:pull`];
}

/** A registry may know the repository by another name than its references do: then it is that one that is written. */
function withPush(challenged: readonly string[], wanted: string): string[] {
  const own = challenged.find((scope) => nameIn(scope) !== undefined);
  if (own === undefined) return [...challenged, wanted];
  return challenged.map((scope) => (scope === own ? `repository:${nameIn(own)}:pull,push` : scope));
}

function allowsPush(scope: string): boolean {
  return nameIn(scope) !== undefined && /[:,](push|\*)(,|$)/.test(scope);
}

/** The same rights are the same text: distribution names a write's actions in any order, a new one at each challenge. */
function sorted(scope: string): string {
  const [, before = "", actions = ""] = /^(.*:)([^:]*)$/.exec(scope) ?? [undefined, scope];
  return before + actions.split(",").sort().join();
}

/** `name` of `repository:name:actions`; a name may have a port, and so a colon, in it. */
function nameIn(scope: string): string | undefined {
  return /^repository(?:\([^)]*\))?:(.+):[^:]*$/.exec(scope)?.[1];
}
