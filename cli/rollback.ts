// `tagalong rollback`: names the release before this one. What is named is what the receipts know to have been well, so
// that intent and reality agree.
import { resolveRelease } from "../ledger";
import { earlier, type Period, periods } from "../rollout/past";
import { admissionOf } from "./admission";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { nameRelease } from "./naming";
import { type Output, outputTo } from "./output";
import { type Environment, Project } from "./project";
import { nameFor, unnamed } from "./promote";
import { moment } from "./times";

interface RollbackOptions {
  cwd: string;
  to?: string;
  dryRun?: boolean;
  json?: boolean;
}

export async function rollback(
  name: string,
  options: RollbackOptions,
  output: Output = outputTo(),
): Promise<ExitCode> {
  return Project.with(options.cwd, async (project) => {
    const environment = project.environment(name);
    if (options.to !== undefined) return nameRelease(project, environment, options.to, options, output);
    const before = await releaseBefore(project, environment);
    const release = await nameFor(project, environment, before);
    if (release === undefined) throw unnamed(name, before);
    const notes = [`${name} ran ${release} from ${moment(before.since)} and found it well`];
    return nameRelease(project, environment, release, { ...options, notes }, output);
  });
}

/** The last period that was well, is not what the config names now, and would be admitted. */
async function releaseBefore(project: Project, environment: Environment): Promise<Period> {
  const { name, ledger, references, config } = environment;
  const images = Object.keys(references);
  const all = periods(await ledger.receipts(), images);
  const named =
    config.release === undefined ? undefined : await digestsOf(project, environment, config.release);
  const [now] = all;
  // What the config names may never have come to run: then what runs is what it was before.
  const isThere =
    config.release === undefined ||
    (named !== undefined && images.every((image) => now?.images[image]?.digest === named[image]));
  const candidates = isThere || !now?.isGood ? earlier(all) : [now, ...earlier(all)];
  const complete = candidates.filter((period) => images.every((image) => period.images[image]));
  for (const period of complete) if (await isAdmitted(project, environment, period)) return period;
  const what =
    complete.length === 0
      ? "its receipts know of no other release that was well here"
      : "what was well here before may not run any more";
  const fix = `name one: tagalong rollback ${name} --to <release>`;
  throw new CommandError(`${name} has nothing to go back to: ${what}; ${fix}`, exitCodes.failed);
}

/** What a release that the config names leads to; undefined where it leads nowhere any more. */
async function digestsOf(
  { client }: Project,
  { sources }: Environment,
  release: string,
): Promise<Record<string, string> | undefined> {
  try {
    const images = await resolveRelease(client, sources, release);
    return Object.fromEntries(Object.entries(images).map(([image, { digest }]) => [image, digest]));
  } catch (error) {
    if (error instanceof Error && error.name === "ReleaseError" && error.cause === undefined)
      return undefined;
    throw error;
  }
}

async function isAdmitted(project: Project, environment: Environment, { images }: Period): Promise<boolean> {
  const all = await Promise.all(
    Object.keys(environment.references).map((image) =>
      admissionOf(project, environment, image, images[image]?.digest ?? ""),
    ),
  );
  return all.every(({ admitted }) => admitted);
}
