// What a shell may offer for the word under the cursor: decided from the tree of commands, so that a new command or
// option is completed without a word about it here.
import type { Command, Option } from "commander";

export interface Candidate {
  value: string;
  description: string;
}

/** What the values that stand for something are taken from, by the name that help gives them: `<environment>`. */
export type Sources = Readonly<Record<string, (folder: string) => readonly string[]>>;

/** The shell knows folders better than anybody. */
export const folders = Symbol("folders");

/** @param words what stands behind `tagalong`, the last one as far as it is written */
export function candidates(
  root: Command,
  words: readonly string[],
  sources: Sources,
): readonly Candidate[] | typeof folders {
  const written = words.slice(0, -1);
  const word = words.at(-1) ?? "";
  const { command, waiting, positionals, folder, isOver } = walk(root, written);
  const values = (placeholder: string, choices: readonly string[] | undefined, description: string) =>
    placeholder === "folder"
      ? folders
      : starting(
          word,
          (choices ?? sources[placeholder]?.(folder) ?? []).map((value) => ({ value, description })),
        );

  const [, long, begun] = /^(--[\w-]+)=(.*)$/s.exec(isOver ? "" : word) ?? [];
  const joined = command.options.find((option) => option.required && option.long === long);
  if (joined && long && begun !== undefined) {
    const found = candidates(root, [...written, long, begun], sources);
    return found === folders ? found : found.map((one) => ({ ...one, value: `${long}=${one.value}` }));
  }
  if (waiting) return values(placeholderOf(waiting), waiting.argChoices, waiting.description);
  if (word.startsWith("-") && !isOver) {
    const options = command.createHelp().visibleOptions(command);
    return starting(
      word,
      options.flatMap(({ long, short, description }) =>
        [long, word.startsWith("--") ? undefined : short].flatMap((value) =>
          value ? [{ value, description }] : [],
        ),
      ),
    );
  }
  if (command.commands.length > 0) {
    const known = command.createHelp().visibleCommands(command);
    return starting(
      word,
      known.map((one) => ({ value: one.name(), description: one.description() })),
    );
  }
  const own = command.registeredArguments;
  const last = own.at(-1);
  const argument = own[positionals.length] ?? (last?.variadic ? last : undefined);
  if (!argument) return [];
  const found = values(argument.name(), argument.argChoices, argument.description);
  return found === folders ? found : found.filter(({ value }) => !positionals.includes(value));
}

/** Follows the words to where the cursor is. */
function walk(root: Command, words: readonly string[]) {
  let command = root;
  let waiting: Option | undefined;
  let folder = ".";
  let isOver = false;
  const positionals: string[] = [];
  for (const word of words) {
    if (waiting) {
      if (placeholderOf(waiting) === "folder") folder = word;
      waiting = undefined;
    } else if (word === "--") isOver = true;
    else if (word.startsWith("-") && !isOver) {
      const option = command.options.find(({ long, short }) => long === word || short === word);
      if (option?.required) waiting = option;
    } else {
      const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
      if (next) command = next;
      else positionals.push(word);
    }
  }
  return { command, waiting, positionals, folder, isOver };
}

const placeholderOf = (option: Option): string => /<([^>]+)>/.exec(option.flags)?.[1] ?? "";

const starting = (word: string, all: readonly Candidate[]): readonly Candidate[] =>
  all.filter(({ value }) => value.startsWith(word));
