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
import type { EnvironmentConfig } from "../config";
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

export interface EditTarget {
  /** The stack's file. */
  file: string;
  /** Text of Pulumi.yaml, which the edited file is checked with before it is written. */
  project: string;
  stack: string;
}

/**
 * What an edit would change, with the config as it would then be.
 * @param release undefined: none
 * @throws StackFileError or ConfigError
 */
export function planEdit(
  target: EditTarget,
  release: string | undefined,
): { edit: Edit; config: EnvironmentConfig } {
  const { edit, config } = prepare(target, release);
  return { edit, config };
}

/** Makes the edit. @throws StackFileError or ConfigError; nothing is written then */
export function writeEdit(target: EditTarget, release: string | undefined): Edit {
  const { edit, place, bytes, edited } = prepare(target, release);
  if (edit.changed) replace(place, edited, bytes);
  return { ...edit, written: edit.changed };
}

function prepare({ file, project, stack }: EditTarget, release: string | undefined) {
  const name = basename(file);
  const place = realpathSync(file);
  const bytes = readFileSync(place);
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes))
    throw new StackFileError(`${name}: is not UTF-8; save it as UTF-8, nothing was written`);
  const edited = withRelease(text, release, name);
  const config = checkStackFile(project, edited, stack);
  if (config.kind !== "environment")
    throw new StackFileError(`${name}: is of no environment, nothing was written`);
  const before = releaseIn(text, name) ?? null;
  const diff = unifiedDiff(name, text, edited);
  const edit: Edit = { file: name, before, changed: edited !== text, diff, written: false };
  return { edit, config, place, bytes, edited };
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
