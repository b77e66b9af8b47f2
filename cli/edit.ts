// Puts a release into a stack's file, or says what that would change: by a temporary file and a rename, so that nobody
// ever reads half of it.
import {
  accessSync,
  constants,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import { releaseIn, StackFileError, withRelease } from "../config/editStackFile";
import { checkStackFile } from "../config/stackFile";
import { unifiedDiff } from "./unified";

export interface Edit {
  /** Name of the file, in the project's folder. */
  file: string;
  /** What it named before. */
  before: string | null;
  changed: boolean;
  /** As `diff -u` has it; "" where nothing changes. */
  diff: string;
  written: boolean;
}

/**
 * @param file a stack's
 * @param project text of Pulumi.yaml, which the edited file is checked with before it is written
 * @param release undefined: none
 * @throws StackFileError or ConfigError; nothing is written then
 */
export function editRelease(
  { file, project, stack }: { file: string; project: string; stack: string },
  release: string | undefined,
  dryRun = false,
): Edit {
  const name = basename(file);
  const place = realpathSync(file);
  const bytes = readFileSync(place);
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes))
    throw new StackFileError(`${name}: is not UTF-8; save it as UTF-8, nothing was written`);
  const before = releaseIn(text, name) ?? null;
  const edited = withRelease(text, release, name);
  checkStackFile(project, edited, stack);
  const written = !dryRun && edited !== text;
  if (written) replace(place, edited, bytes);
  return { file: name, before, changed: edited !== text, diff: unifiedDiff(name, text, edited), written };
}

function replace(file: string, text: string, expected: Buffer): void {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    accessSync(file, constants.W_OK);
    writeFileSync(draft, text, { mode: statSync(file).mode });
    if (!readFileSync(file).equals(expected))
      throw new StackFileError(
        `${basename(file)}: somebody else has just edited it; look at it and try again`,
      );
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    if (error instanceof StackFileError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new StackFileError(`${basename(file)}: cannot be written (${code}); nothing was`);
  }
}
