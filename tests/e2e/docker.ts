// The Docker engine of this machine, for the end-to-end tests.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import type Docker from "dockerode";
import { connectEngine } from "../../provider/docker/engine";
import { labels } from "../../provider/docker/layout";
import { hops } from "../../rollout/record";
import { type Engine, inSeconds } from "./engine";
import { edgeImage, registry } from "./images";

export const docker = connectEngine();

export const onDocker: Engine = {
  title: "a Docker engine",
  switchesAtOnce: true,
  takesTurns: false,
  pullsFirst: true,
  steps: hops,
  deadline: "3s",
  sick: "503 to GET /healthz",
  late: (deadline) => `was not healthy within ${inSeconds(deadline)}: 503 to GET /healthz`,
  config: { edge: { image: edgeImage } },
  app: {},
  freePort,
  url: (port) => `http://127.0.0.1:${port}`,
  running: async (stack, service) =>
    (await stack.containers(service)).map(({ Id, Image }) => ({ id: Id, digest: Image.split("@")[1] ?? "" })),
  lose: async (stack, service) => {
    const [id = ""] = await stack.ids(service);
    await removeContainer(id);
  },
  left: async ({ environment }) => {
    const { containers, networks } = await thingsOf((of) => of === environment);
    return [
      ...containers.map(({ Names }) => `container ${Names[0]}`),
      ...networks.map(({ Name }) => `network ${Name}`),
    ];
  },
  sweep: async ({ name }) => {
    const { containers, networks, volumes } = await thingsOf((of) => of?.startsWith(`${name}/`) === true);
    for (const { Id } of containers) await removeContainer(Id);
    for (const { Id } of networks) await docker.getNetwork(Id).remove();
    for (const { Name } of volumes) await docker.getVolume(Name).remove();
    for (const reference of await localImages(name)) await docker.getImage(reference).remove({ force: true });
  },
};

async function thingsOf(isMine: (environment: string | undefined) => boolean) {
  const mine = ({ Labels }: { Labels?: Record<string, string> | undefined }) =>
    isMine(Labels?.[labels.environment]);
  const { Volumes } = await docker.listVolumes();
  return {
    containers: (await docker.listContainers({ all: true })).filter(mine),
    networks: (await docker.listNetworks()).filter(mine),
    volumes: (Volumes ?? []).filter(mine),
  };
}

/** repository@digest of the project's images that the engine has, in no order. */
export async function localImages(project: string): Promise<string[]> {
  const images = await docker.listImages({ digests: true } as Docker.ListImagesOptions);
  return images
    .flatMap(({ RepoDigests }) => RepoDigests ?? [])
    .filter((reference) => reference.startsWith(`${registry}/${project}/`));
}

export async function removeContainer(id: string): Promise<void> {
  await docker.getContainer(id).remove({ force: true, v: true });
}

/**
 * A port of this machine that nobody listens on. Not one that the system gives to connections going out (from 32768
 * on): such a connection may take it before the environment does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
