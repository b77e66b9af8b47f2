// What the Docker engine at hand runs of environments: asked once, and no matter if none answers.
import type { ContainerInfo } from "dockerode";
import { connectEngine } from "../provider/docker/engine";
import { labels } from "../provider/docker/layout";

export interface Containers {
  /** Of each service that has a container: how many run, and which digests those have. */
  services: Record<string, { running: number; digests: string[] }>;
  /** `container NAME`, `pod NAME` */
  watcher?: { where: string; isRunning: boolean };
}

const patienceMs = 3_000;

/** By environment, `<project>/<stack>`; empty where no engine answers. */
export async function containersHere(project: string): Promise<Map<string, Containers>> {
  const docker = connectEngine();
  const giveUp = new Promise<ContainerInfo[]>((resolve) => {
    setTimeout(() => resolve([]), patienceMs).unref();
  });
  const asked = docker.listContainers({ all: true, filters: { label: [labels.environment] } });
  return containersIn(await Promise.race([asked.catch(() => []), giveUp]), project);
}

/** What a list of containers says of the environments of a project. */
export function containersIn(
  list: readonly Pick<ContainerInfo, "Image" | "Labels" | "Names" | "State">[],
  project: string,
): Map<string, Containers> {
  const found = new Map<string, Containers>();
  for (const { Image, Labels, Names, State } of list) {
    const environment = Labels[labels.environment];
    if (!environment?.startsWith(`${project}/`)) continue;
    const own = found.get(environment) ?? { services: {} };
    found.set(environment, own);
    const isRunning = State === "running";
    const service = Labels[labels.service];
    const name = Names[0]?.replace(/^\//, "") ?? "";
    if (service === undefined) {
      if (name === `${environment.replace("/", "-")}-watcher`)
        own.watcher = { where: `container ${name}`, isRunning };
      continue;
    }
    const known = own.services[service] ?? { running: 0, digests: [] };
    const digest = /@(sha\d+:[0-9a-f]+)$/.exec(Image)?.[1];
    own.services[service] = isRunning
      ? {
          running: known.running + 1,
          digests:
            digest === undefined || known.digests.includes(digest)
              ? known.digests
              : [...known.digests, digest],
        }
      : known;
  }
  return found;
}
