// `tagalong hold` and `tagalong resume`: an environment that is to stay where it is, said in the registry so that every
// watcher and every `pulumi up` knows it.

import { whoAmI } from "../watcher/hand";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { json, type Output, outputTo, paragraph } from "./output";
import { Project } from "./project";
import { ago } from "./times";

interface HoldOptions {
  cwd: string;
  reason: string;
  json?: boolean;
}

export async function hold(
  name: string,
  options: HoldOptions,
  output: Output = outputTo(),
): Promise<ExitCode> {
  const reason = options.reason.trim();
  if (reason === "") {
    const fix = 'say why, for whoever finds it: --reason "demo on Friday"';
    throw new CommandError(`a hold has a reason: ${fix}`, exitCodes.usage);
  }
  return Project.with(options.cwd, async (project) => {
    const { ledger } = project.environment(name);
    const before = await ledger.hold();
    const own = { at: new Date().toISOString(), by: whoAmI(), reason };
    await ledger.setHold(own);
    if (options.json) output.write(json({ environment: name, hold: own, before: before ?? null }));
    else {
      const instead = before ? `, instead of ${before.by}'s ("${before.reason}")` : "";
      const text = `${name} is held${instead}: it stays as it is until tagalong resume ${name}`;
      output.write(paragraph(text, output));
    }
    return exitCodes.ok;
  });
}

export async function resume(
  name: string,
  options: Omit<HoldOptions, "reason">,
  output: Output = outputTo(),
): Promise<ExitCode> {
  return Project.with(options.cwd, async (project) => {
    const { ledger } = project.environment(name);
    const before = await ledger.hold();
    if (before) await ledger.liftHold(whoAmI());
    if (options.json) output.write(json({ environment: name, hold: null, before: before ?? null }));
    else {
      const text = before
        ? `${name} goes on; it was put on hold by ${before.by} ${ago(before.at, Date.now())}: ${before.reason}`
        : `${name} is not held: there is nothing to lift`;
      output.write(paragraph(text, output));
    }
    return exitCodes.ok;
  });
}
