// What can be found out of an environment from where the command runs: the registry, the engine that answers here, the
// watchers of this machine. What cannot be found out is a problem of its own and hides nothing else.
import { describe, ReleaseError, resolveRelease } from "../ledger";
import { RegistryError } from "../registry";
import type { Admission } from "../rollout/admission";
import { type Period, periods, sinceWhen, underWay } from "../rollout/past";
import type { Findings, Hold, Receipt } from "../rollout/record";
import type { ReleasedImage } from "../rollout/release";
import { livingHolders } from "../watcher/lease";
import { admissionOf } from "./admission";
import type { Containers } from "./containers";
import { sentenceOf } from "./failure";
import type { Environment, Project } from "./project";

/** One image at a digest, as far as it is known. */
export type Known = Pick<ReleasedImage, "digest" | "version" | "revision">;

export interface ImageSight {
  repository: string;
  /** What the environment runs, by its receipts, or else by its containers. */
  running?: Known & { since?: string };
  /** What the environment has on record of what it runs. */
  findings: Findings;
  /** What the environment tag carries; undefined where that is not known, "none" where there is no such tag. */
  carried?: Known | "none";
  /** What the release that the config names is. */
  named?: Known;
  /** Whether what the tag carries may roll, where it is not what runs. */
  admission?: Admission;
}

/** When and where a watcher of the environment was last seen. */
export interface WatcherSight {
  at: string;
  isRunning: boolean;
  where: string;
}

export interface Sight {
  environment: string;
  tag: string;
  /** Release that the config names. */
  release?: string;
  services: Record<string, { image: string; containers?: Containers["services"][string] }>;
  images: Record<string, ImageSight>;
  hold?: Hold;
  /** Newest first. */
  past: Period[];
  rolling?: Receipt;
  /** Of the containers, that there are some on the engine that answers here. */
  hasContainers: boolean;
  watcher?: WatcherSight;
  /** What could not be found out, and why. */
  unknown: string[];
  /** What is wrong with what the config names. */
  mistakes: string[];
}

/** @param containers of this environment, where an engine answers that has some */
export async function look(
  project: Project,
  environment: Environment,
  containers: Containers | undefined,
  now = Date.now(),
): Promise<Sight> {
  const { config, ledger, references } = environment;
  const unknown = new Set<string>();
  const mistakes: string[] = [];
  /** The answer, or undefined with the reason noted. */
  const asked = async <T>(question: Promise<T>): Promise<T | undefined> => {
    try {
      return await question;
    } catch (error) {
      const explained = project.credentials.explained(error);
      if (explained instanceof ReleaseError && explained.cause === undefined)
        mistakes.push(explained.message);
      else unknown.add(sentenceOf(explained));
      return undefined;
    }
  };

  const names = Object.keys(references);
  const [receipts = [], hold, release, ...carried] = await Promise.all([
    asked(ledger.receipts()),
    asked(ledger.hold()),
    config.release === undefined
      ? undefined
      : asked(resolveRelease(project.client, environment.sources, config.release)),
    ...names.map((image) => asked(carriedBy(project, environment, image))),
  ]);
  const past = periods(receipts, names);
  const images = await Promise.all(
    names.map(async (image, index): Promise<[string, ImageSight]> => {
      const { registry = "", repository = "" } = references[image] ?? {};
      const running =
        past[0]?.images[image] ?? (await asked(runningIn(project, environment, image, containers)));
      const since = sinceWhen(past, image);
      const onTag = carried[index];
      const findings = running && (await asked(ledger.findings(image, running.digest)));
      const isNews = onTag && onTag !== "none" && onTag.digest !== running?.digest;
      const admission = isNews && (await asked(admissionOf(project, environment, image, onTag.digest, now)));
      const sight = {
        repository: `${registry}/${repository}`,
        findings: findings ?? {},
        ...(running ? { running: { ...running, ...(since ? { since } : {}) } } : {}),
        ...(onTag ? { carried: onTag } : {}),
        ...(release?.[image] ? { named: release[image] } : {}),
        ...(admission ? { admission } : {}),
      };
      return [image, sight];
    }),
  );
  const rolling = underWay(receipts);
  const watcher = watcherOf(environment, containers, receipts);
  return {
    environment: environment.name,
    tag: config.tag,
    ...(config.release === undefined ? {} : { release: config.release }),
    services: Object.fromEntries(
      Object.entries(config.services).map(([name, { image }]) => {
        const own = containers?.services[name];
        return [name, { image, ...(own ? { containers: own } : {}) }];
      }),
    ),
    images: Object.fromEntries(images),
    ...(hold ? { hold } : {}),
    past,
    ...(rolling ? { rolling } : {}),
    hasContainers: Object.keys(containers?.services ?? {}).length > 0,
    ...(watcher ? { watcher } : {}),
    unknown: [...unknown],
    mistakes,
  };
}

async function carriedBy({ client }: Project, { references }: Environment, image: string) {
  const reference = references[image];
  if (!reference) return undefined;
  const found = await client.resolve(reference);
  return found.kind === "none" ? ("none" as const) : describe(client, reference, found.digest);
}

/** Where there is no receipt yet: what all containers of the image run, if they run one thing. */
async function runningIn(
  { client }: Project,
  { config, references }: Environment,
  image: string,
  containers: Containers | undefined,
): Promise<Known | undefined> {
  const services = Object.entries(config.services).filter(([, service]) => service.image === image);
  const digests = new Set(services.flatMap(([name]) => containers?.services[name]?.digests ?? []));
  const [digest, ...others] = digests;
  const reference = references[image];
  if (digest === undefined || others.length > 0 || !reference) return undefined;
  return describe(client, reference, digest).catch((error: unknown) => {
    if (error instanceof RegistryError) return { digest }; // it runs, whatever the registry has of it
    throw error;
  });
}

function watcherOf(
  { project, name }: Environment,
  containers: Containers | undefined,
  receipts: readonly Receipt[],
): WatcherSight | undefined {
  const holder = livingHolders().find(({ stack }) => stack.startsWith(`${project}/${name} in `));
  const at = new Date().toISOString();
  if (holder) return { at, isRunning: true, where: `this machine, process ${holder.pid}` };
  if (containers?.watcher?.isRunning) return { at, isRunning: true, where: containers.watcher.where };
  const last = receipts.find(({ via }) => via === "watcher");
  const seen = last?.endedAt ?? last?.hops.switched ?? last?.hops.observed;
  return last && seen !== undefined ? { at: seen, isRunning: false, where: last.by } : undefined;
}
