// Moving the environment's tags to a release: all of them or none. Every target is looked at and staged in the tag's
// repository before the first tag moves, which also proves that we may push there; then all move at once, are read back,
// and go back to what they carried if one of them failed.
import { setTimeout as pause } from "node:timers/promises";
import { atDigest, formatReference, type Reference, type RegistryClient, RegistryError } from "../registry";

/** What moving tags needs of a registry. */
export type TagRegistry = Pick<RegistryClient, "resolve" | "manifest" | "copy" | "retag">;

/** One image's tag, and what it is to carry. */
export interface Move {
  image: string;
  /** Where the release is, by digest. */
  source: Reference & { digest: string };
  tag: Reference;
  /** What it carried when it was last moved, which a move that was killed half way must go back to. */
  recorded?: string | undefined;
}

/** What a tag carried before; undefined where there was none. */
export type Before = Readonly<Record<string, string | undefined>>;

/** A registry may show for a moment what it had before it took a write. */
const lookAgainAfterMs = [0, 250, 1_000, 2_000];
const putBackAfterMs = [0, 500, 2_000];

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const listed = (lines: readonly string[]): string => lines.map((line) => `\n  ${line}`).join("");

/**
 * @returns what each tag carried before
 * @throws Error that says what every tag carries now; none of them has moved, or all are back, unless it says otherwise
 */
export async function moveTags(
  client: TagRegistry,
  moves: readonly Move[],
  signal: AbortSignal,
): Promise<Before> {
  const before: Record<string, string | undefined> = {};
  const looked = await forEach(moves, async ({ image, tag }) => {
    before[image] = await digestAt(client, tag);
  });
  refuse(looked);
  const moving = moves.filter(({ image, source }) => before[image] !== source.digest);
  refuse(await forEach(moving, ({ source, tag }) => stage(client, source, tag)));
  signal.throwIfAborted();

  // From here to the end nothing is cut short: what takes a moment now would be half done for long.
  const failures = await forEach(moving, async (move) => {
    await client.retag(atDigest(move.tag, move.source.digest), move.tag);
    await confirm(client, move, before[move.image]);
  });
  if (failures.length === 0) return before;
  const left = await forEach(moves, (move) => putBack(client, move, before[move.image]));
  throw new Error(
    `the tags were not moved:${listed(failures)}\n${
      left.length === 0
        ? "All of them carry what they carried before; once that is put right, `pulumi up` moves them"
        : `Some could not be put back:${listed(left)}\nOnce that is put right, \`pulumi up\` moves all of them; until then nothing rolls to what they carry now`
    }`,
  );
}

/** Works on all at once. @returns what went wrong, a line each */
async function forEach(moves: readonly Move[], work: (move: Move) => Promise<void>): Promise<string[]> {
  const results = await Promise.allSettled(moves.map(work));
  return results.flatMap((result, index) =>
    result.status === "rejected" ? [`${moves[index]?.image}: ${reasonOf(result.reason)}`] : [],
  );
}

function refuse(failures: readonly string[]): void {
  if (failures.length > 0) throw new Error(`no tag was moved:${listed(failures)}`);
}

async function digestAt(client: TagRegistry, tag: Reference): Promise<string | undefined> {
  const found = await client.resolve(tag);
  return found.kind === "found" ? found.digest : undefined;
}

/** Has all of the release in the tag's repository, under its digest alone. */
async function stage(client: TagRegistry, source: Move["source"], tag: Reference): Promise<void> {
  const { parsed } = await client.manifest(source);
  if (parsed.kind === "index") {
    await Promise.all(parsed.manifests.map(({ digest }) => client.manifest(atDigest(source, digest))));
  }
  await client.copy(source, tag);
}

async function confirm(
  client: TagRegistry,
  { source, tag }: Move,
  before: string | undefined,
): Promise<void> {
  let carried: string | undefined;
  for (const afterMs of lookAgainAfterMs) {
    await pause(afterMs);
    carried = await digestAt(client, tag);
    if (carried === source.digest) return;
    if (carried !== before) break;
  }
  const name = formatReference(tag);
  throw new Error(
    carried === before
      ? `${name}: the registry took the move and still shows ${carried ?? "no such tag"}; try again`
      : `${name}: somebody else moved it at the same time, to ${carried ?? "nothing"}: only one stack may move a tag, so give each its own tagalong:tag`,
  );
}

/** Leads the tag back if it may carry ours; what somebody else made of it meanwhile stays. */
async function putBack(
  client: TagRegistry,
  { source, tag, recorded }: Move,
  before: string | undefined,
): Promise<void> {
  const target = before === source.digest ? recorded : before;
  if (target === source.digest) return;
  let problem: unknown;
  for (const afterMs of putBackAfterMs) {
    await pause(afterMs);
    try {
      if ((await digestAt(client, tag)) !== source.digest) return;
      if (target === undefined) break;
      await client.retag(atDigest(tag, target), tag);
      return;
    } catch (error) {
      problem = error;
      if (!(error instanceof RegistryError)) throw error;
    }
  }
  const name = formatReference(tag);
  throw new Error(
    target === undefined
      ? `${name}: there was no such tag before, and registries do not let a tag alone be removed, so it carries ${source.digest} now${problem ? `, or nobody knows (${reasonOf(problem)})` : ""}`
      : `${name}: it may carry ${source.digest} instead of ${target}: ${reasonOf(problem)}`,
  );
}
