// `tagalong`: the command line over the same modules as the program.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";

import program = require("../index");

import { version } from "../package.json";
import { createLog } from "../watcher/log";
import { watch } from "../watcher/watch";

const sameKeystrokeMs = 500;

async function watchCommand(options: { stack: string; cwd: string }): Promise<void> {
  const log = createLog();
  const [stop, abort] = [new AbortController(), new AbortController()];
  let stoppedAt = 0;
  const end = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      // A terminal's Ctrl-C comes twice to what npm started: from the terminal, and passed on by npm.
      if (Date.now() - stoppedAt < sameKeystrokeMs || abort.signal.aborted) return;
      log("stopping", `${signal} again: cancelling the roll under way`);
      abort.abort(new Error("cancelled"));
      return;
    }
    log("stopping", `${signal}: ending at the next safe point; once more cancels a roll under way`);
    stoppedAt = Date.now();
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  const directory = resolve(options.cwd);
  await watch({ stack: options.stack, directory, program, log, stop: stop.signal, abort: abort.signal });
  process.exitCode = abort.signal.aborted ? 130 : 0;
}

/** Secrets that came as a file, as they do in the watcher's container, become environment variables of this process alone. */
function adoptSecrets(file = process.env["TAGALONG_SECRETS_FILE"]): void {
  if (file !== undefined) Object.assign(process.env, JSON.parse(readFileSync(file, "utf8")));
}

const tagalong = new Command("tagalong")
  .description("Environments that follow their images.")
  .version(version)
  .showHelpAfterError("(tagalong --help shows what there is)");

tagalong
  .command("watch")
  .description("Follow the environment's tag and roll forward to whatever carries it.")
  .requiredOption("-s, --stack <name>", "the environment's stack")
  .option("-C, --cwd <folder>", "the project's folder", ".")
  .addHelpText("after", "\nExample:\n  $ npx tagalong watch --stack dev")
  .action(watchCommand);

adoptSecrets();
tagalong.parseAsync().then(
  // Pulumi's runtime keeps handles open after an inline program; nothing is left to do by now.
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`tagalong: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
