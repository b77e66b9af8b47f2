// `tagalong`: the command line over the same modules as the program.
import { CommanderError } from "commander";
import { codeOf, exitCodes, sentenceOf } from "./failure";
import { program } from "./program";

// Whoever read along has gone (`| head`); what was to be told is of no use any more.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
});

program()
  .parseAsync()
  .then(
    // Pulumi's runtime keeps handles open after an inline program; nothing is left to do by now.
    () => process.exit(),
    (error: unknown) => {
      // Commander has said it, with the help that belongs to it; help and version that were asked for are no mistake.
      if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : exitCodes.usage);
      process.stderr.write(`tagalong: ${sentenceOf(error)}\n`);
      process.exit(codeOf(error));
    },
  );
