// What `tagalong` can do: its commands, their options and an example of each. It loads nothing that they need, so that
// help and completion come at once.
import { Argument, Command, Option } from "commander";
import { version } from "../package.json";
import { type ExitCode, exitCodes } from "./failure";

/** Runs a command with its arguments and options; says how it ended. */
type Run<Arguments extends unknown[]> = (...args: Arguments) => Promise<ExitCode> | ExitCode;

/** The module of a command is loaded when it runs. What commander adds at the end, the command itself, is no matter to it. */
function runs<Arguments extends unknown[]>(load: () => Promise<Run<Arguments>>) {
  return async (...all: [...Arguments, Command]): Promise<void> => {
    const run = await load();
    process.exitCode = await run(...(all.slice(0, -1) as Arguments));
  };
}

const json = () => new Option("--json", "print one JSON document instead, see docs/cli.md");
const dryRun = () => new Option("--dry-run", "say what would be done, and do nothing");
const reason = () =>
  new Option("--reason <text>", "why, in a sentence; others will read it").makeOptionMandatory();

const exitCodesHelp = `
Exit codes:
  ${exitCodes.ok}  done
  ${exitCodes.failed}  it did not work, or there is no such thing
  ${exitCodes.usage}  a mistake in the command line, the config or a file
  ${exitCodes.refused}  refused: up would not do it either
  ${exitCodes.unknown}  unknown: a registry could not be asked

Credentials are Docker's: DOCKER_AUTH_CONFIG, or what "docker login" keeps.`;

export function program(): Command {
  const tagalong = new Command("tagalong")
    .description("Environments that follow their images.")
    .version(version)
    .exitOverride()
    .showHelpAfterError("(tagalong --help shows what there is)")
    .addHelpText("after", exitCodesHelp);

  /** A command of the project in a folder. */
  const add = (name: string, description: string, example: string): Command =>
    tagalong
      .command(name)
      .description(description)
      .option("-C, --cwd <folder>", "the project's folder", ".")
      .addHelpText("after", `\nExample:\n  $ npx tagalong ${example}`);

  add("status", "What each environment runs, since when, how it fares and what is in its way.", "status test")
    .argument("[environment...]", "stacks; by default all")
    .addOption(json())
    .action(runs(async () => (await import("./status")).status));

  add(
    "promote",
    "Name the release that an environment is to run: edits its stack's file.",
    "promote test --release 1.4.2",
  )
    .argument("<environment>", "the stack whose file is edited")
    .option("--release <release>", "a version's tag, sha-<commit>, or a digest where there is one image")
    .option("--from <environment>", "what another environment runs, by its name")
    .option("--follow", "name no release: follow whatever carries the environment tag")
    .addOption(dryRun())
    .addOption(json())
    .action(runs(async () => (await import("./promote")).promote));

  add(
    "rollback",
    "Name the release before this one, which was well here: edits the stack's file.",
    "rollback test",
  )
    .argument("<environment>", "the stack whose file is edited")
    .option("--to <release>", "another release than the one before")
    .addOption(dryRun())
    .addOption(json())
    .action(runs(async () => (await import("./rollback")).rollback));

  add("hold", "Keep an environment where it is until it is resumed.", 'hold test --reason "demo on Friday"')
    .argument("<environment>", "the stack that stays")
    .addOption(reason())
    .addOption(json())
    .action(runs(async () => (await import("./hold")).hold));

  add("resume", "Lift the hold of an environment.", "resume test")
    .argument("<environment>", "the stack that goes on")
    .addOption(json())
    .action(runs(async () => (await import("./hold")).resume));

  add(
    "override",
    "Let an environment run what was rejected, or not found healthy yet.",
    'override test --release 1.4.2 --reason "the database was down, not the image"',
  )
    .argument("<environment>", "the stack that may run it")
    .option("--release <release>", "every image of a release")
    .option("--image <name@digest>", "one image, by its name in the config and its digest")
    .addOption(reason())
    .addOption(dryRun())
    .addOption(json())
    .action(runs(async () => (await import("./override")).override));

  add(
    "history",
    "What was rolled: who, what, when, how long each step took, and how it ended.",
    "history test",
  )
    .argument("<environment>", "a stack")
    .option("-n, --number <rolls>", "how many, newest first", "20")
    .addOption(json())
    .action(runs(async () => (await import("./history")).history));

  add(
    "locate",
    "From a commit, tag, digest or environment to all the others.",
    "locate 5378910c9a1b6f0e2d4c8a7b3e5f6a7b8c9d0e1f",
  )
    .argument("<what>", "a commit, a tag, a digest or an environment")
    .addOption(json())
    .action(runs(async () => (await import("./locate")).locate));

  add("diff", "What the config as it is edited would change, as Markdown for a pull request.", "diff test")
    .argument("[environment...]", "stacks; by default all")
    .addOption(json())
    .action(runs(async () => (await import("./diff")).diff));

  add("watch", "Follow the environment's tag and roll forward to whatever carries it.", "watch --stack dev")
    .requiredOption("-s, --stack <environment>", "the environment's stack")
    .action(runs(async () => (await import("./watch")).watchCommand));

  tagalong
    .command("completion")
    .description("Print the script by which a shell completes this command line.")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", '\nExample:\n  $ eval "$(npx tagalong completion bash)"')
    .action(runs(async () => (await import("./completion")).completion));

  tagalong
    .command("complete", { hidden: true })
    .description("What the script asks: lines of candidates for the last of the words.")
    .argument("[words...]")
    .helpOption(false)
    .action(runs(async () => (words: string[]) => complete(words)));

  const complete = async (words: string[]): Promise<ExitCode> =>
    (await import("./completion")).complete(tagalong, words);

  return tagalong;
}
