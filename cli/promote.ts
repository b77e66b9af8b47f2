// `tagalong promote`: names the release that an environment is to run, by its name or as what another one runs.
import { nameRelease as nameOf } from "../ledger";
import { periods } from "../rollout/past";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { nameRelease } from "./naming";
import { type Output, outputTo } from "./output";
import { type Environment, Project } from "./project";
import { titleOf } from "./standing";

interface PromoteOptions {
  cwd: string;
  release?: string;
  from?: string;
  follow?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

export async function promote(
  name: string,
  options: PromoteOptions,
  output: Output = outputTo(),
): Promise<ExitCode> {
  const { release, from, follow } = options;
  const ways = [release, from, follow].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    const fix = "name one of --release <release>, --from <environment> and --follow";
    throw new CommandError(`what is ${name} to run? ${fix}`, exitCodes.usage);
  }
  return Project.with(options.cwd, async (project) => {
    const environment = project.environment(name);
    if (from === undefined) return nameRelease(project, environment, release, options, output);
    if (from === name) {
      throw new CommandError(`${name} runs what ${name} runs: name another environment`, exitCodes.usage);
    }
    const found = await releaseOf(project, project.environment(from), environment);
    return nameRelease(project, environment, found.release, { ...options, notes: found.notes }, output);
  });
}

/** The name of what an environment last found well, on the images of another. */
async function releaseOf(
  project: Project,
  source: Environment,
  target: Environment,
): Promise<{ release: string; notes: string[] }> {
  const images = Object.keys(target.references);
  const receipts = await source.ledger.receipts();
  const all = periods(receipts, images);
  const good = all.find(({ isGood }) => isGood);
  if (!good) {
    const fix = `wait until it has, or name one: tagalong promote ${target.name} --release <release>`;
    throw new CommandError(`${source.name} has found no release well yet: ${fix}`, exitCodes.failed);
  }
  const lacking = images.filter((image) => !good.images[image]);
  if (lacking.length > 0) {
    const fix = `name a release that has them: tagalong promote ${target.name} --release <release>`;
    throw new CommandError(`${source.name} does not run ${lacking.join(", ")}: ${fix}`, exitCodes.failed);
  }
  const release = await nameFor(project, target, good);
  if (release === undefined) throw unnamed(source.name, good);
  return { release, notes: await apart(project, source, all[0] === good, good.images) };
}

type Images = Readonly<Record<string, { digest: string; version?: string; revision?: string }>>;

/** The one name that leads to what ran, on every image of an environment. */
export function nameFor(
  project: Project,
  { sources }: Environment,
  { images, release = "" }: { images: Images; release?: string },
): Promise<string | undefined> {
  const all = Object.values(images);
  const digests = Object.fromEntries(Object.entries(images).map(([image, { digest }]) => [image, digest]));
  return nameOf(project.client, sources, digests, {
    versions: [release, ...all.flatMap(({ version }) => version ?? [])],
    revisions: [
      ...(/^sha-(.+)$/.exec(release)?.slice(1) ?? []),
      ...all.flatMap(({ revision }) => revision ?? []),
    ],
  });
}

export function unnamed(environment: string, { images }: { images: Images }): CommandError {
  const all = Object.entries(images).map(([image, one]) => `${image} ${titleOf(one)}`);
  const commits = new Set(Object.values(images).flatMap(({ revision }) => revision ?? []));
  const [commit] = commits;
  const tag = commits.size === 1 ? `sha-${commit}` : "sha-<commit>";
  return new CommandError(
    `no name leads to what ${environment} ran (${all.join(", ")}): let CI tag every image of it with ${tag} or a version, then promote that with --release`,
    exitCodes.failed,
  );
}

/** Where the source is on its way to something else than what is taken of it. */
async function apart(
  { client }: Project,
  { name, references, config }: Environment,
  isNow: boolean,
  images: Images,
): Promise<string[]> {
  const others = await Promise.all(
    Object.entries(references).map(async ([image, reference]) => {
      const tag = await client.resolve(reference);
      return tag.kind === "found" && images[image] && tag.digest !== images[image].digest ? [image] : [];
    }),
  );
  const moved = others.flat();
  return [
    ...(isNow ? [] : [`${name} runs something newer, which it has not found well yet`]),
    ...(moved.length > 0
      ? [`the tag ${config.tag} carries another ${moved.join(", ")}, which ${name} does not run`]
      : []),
  ];
}
