// Claim: an environment's names and ports on a Docker engine. Nothing else of the environment is made before it holds,
// in a preview as in an update, so that what belongs to somebody else is refused by name and never touched.
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import type Docker from "dockerode";
import type { Context, Handler } from "../handler";
import { connectEngine, engineMessage, isEngineError } from "./engine";
import { labels } from "./layout";

export interface PublishedPort extends Record<string, unknown> {
  service: string;
  address: string;
  port: number;
}

export interface ClaimInputs extends Record<string, unknown> {
  /** `<project>/<stack>`: the label that everything of this environment carries. */
  environment: string;
  networks: string[];
  containers: string[];
  volumes: string[];
  ports: PublishedPort[];
}

export interface ClaimOutputs extends Record<string, unknown> {
  /** Names this claim on labels; random, so that no other state can hold the same. */
  claim: string;
  /** The engine's own id, which it keeps whatever its address. */
  engine: string;
  /** `os/architecture` that it runs. */
  platform: string;
}

type State = ClaimInputs & ClaimOutputs;

export const claim: Handler<ClaimInputs, ClaimOutputs> = {
  replaceOn: ["environment"],
  async preview(inputs, old) {
    await check(inputs as ClaimInputs, old);
    return old ? { claim: old.claim, engine: old.engine, platform: old.platform } : {};
  },
  // An update that goes to another engine by mistake must not take everything there for gone.
  async verify({ environment, engine }) {
    const { ID } = await ask((docker) => docker.info() as Promise<{ ID?: string }>);
    if (engine && ID && engine !== ID) {
      throw new Error(
        `the environment ${environment} is on another Docker engine than the one at ${place()}: set DOCKER_HOST as it was, or remove the environment there first with \`pulumi destroy\``,
      );
    }
  },
  async create(inputs) {
    await check(inputs, undefined);
    const { ID: engine = "" } = await ask((docker) => docker.info() as Promise<{ ID?: string }>);
    const id = randomBytes(8).toString("hex");
    return { id, outputs: { claim: id, engine, platform: await platform() } };
  },
  async update(_id, inputs, old) {
    await check(inputs, old);
    return { claim: old.claim, engine: old.engine, platform: await platform() };
  },
  // All containers that the state knew are gone by now. What an update that was killed left behind goes first, then the
  // network and the volume of routes, which their own resources leave to us since they might still have been in use.
  async delete(_id, state) {
    await removeOrphans(connectEngine(), state.claim, new Set(), () => {});
  },
};

const place = (): string => process.env["DOCKER_HOST"] ?? "this machine's socket";

/** Asks the engine, and says where it was looked for if nobody answers. */
async function ask<T>(question: (docker: Docker) => Promise<T>): Promise<T> {
  try {
    return await question(connectEngine());
  } catch (error) {
    throw new Error(
      `no Docker engine answers at ${place()} (${engineMessage(error)}): start it, or set DOCKER_HOST to the engine of this environment`,
    );
  }
}

const platform = async (): Promise<string> => {
  const { Os, Arch } = await ask((docker) => docker.version());
  return `${Os}/${Arch}`;
};

/** Throws one error that lists everything on the engine that stands in the environment's way. */
async function check(inputs: ClaimInputs, old: State | undefined): Promise<void> {
  const [containers, networks, volumes] = await ask((docker) =>
    Promise.all([docker.listContainers({ all: true }), docker.listNetworks(), docker.listVolumes()]),
  );
  const problems: string[] = [];
  const ours = (carried: Record<string, string> | undefined) =>
    old !== undefined && carried?.[labels.claim] === old.claim;

  const elsewhere = containers.filter(
    (container) => container.Labels[labels.environment] === inputs.environment && !ours(container.Labels),
  );
  if (!old && elsewhere.length > 0) {
    throw new Error(
      `the environment ${inputs.environment} is on this engine already (${elsewhere.map(nameOf).join(", ")}), made from another state: select that state's backend, give this project or stack another name, or remove it there with \`pulumi destroy\``,
    );
  }
  for (const network of networks) {
    if (inputs.networks.includes(network.Name) && !ours(network.Labels)) {
      problems.push(
        `the network "${network.Name}" exists and is not of this stack: rename the project or the stack, or remove it with \`docker network rm ${network.Name}\``,
      );
    }
  }
  for (const container of containers) {
    const name = nameOf(container);
    if (inputs.containers.includes(name) && !ours(container.Labels)) {
      problems.push(
        `the container "${name}" exists and is not of this stack: rename the project or the stack, or remove it with \`docker rm -f ${name}\``,
      );
    }
  }
  for (const volume of volumes.Volumes ?? []) {
    const foreign = volume.Labels?.[labels.environment] !== inputs.environment;
    if (inputs.volumes.includes(volume.Name) && foreign) {
      problems.push(
        `the volume "${volume.Name}" exists and is not of this environment: rename the volume in tagalong:services, or move its data away and remove it with \`docker volume rm ${volume.Name}\``,
      );
    }
  }
  for (const wanted of inputs.ports) {
    const holder = containers.find(
      (container) =>
        !ours(container.Labels) &&
        container.Ports.some((port) => port.PublicPort === wanted.port && overlaps(port.IP, wanted.address)),
    );
    const where = `tagalong:services.${wanted.service}.publish: ${wanted.address}:${wanted.port} is taken`;
    if (holder)
      problems.push(
        `${where} by the container "${nameOf(holder)}": publish another port, or stop that container`,
      );
    else {
      // What one of ours listens on, even at another address, is free by the time that its successor starts.
      const isOurs = containers.some((container) => ours(container.Labels) && publishes(container, wanted));
      const answer = await tryPort(wanted.address, isOurs ? 0 : wanted.port);
      if (answer === "taken")
        problems.push(`${where} by a process on this machine: publish another port, or stop that process`);
      if (answer === "no such address")
        problems.push(
          `tagalong:services.${wanted.service}.publish: this machine has no address ${wanted.address}: publish on one that it has, or on a port alone, which is loopback`,
        );
    }
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

const nameOf = (container: Docker.ContainerInfo): string =>
  (container.Names[0] ?? container.Id).replace(/^\//, "");
const overlaps = (one: string | undefined, other: string): boolean =>
  one === other || one === undefined || ["0.0.0.0", "::"].some((any) => one === any || other === any);
const publishes = (container: Docker.ContainerInfo, wanted: PublishedPort): boolean =>
  container.Ports.some((port) => port.PublicPort === wanted.port && overlaps(port.IP, wanted.address));

/** Whether a process outside the engine listens there. Only this machine's ports can be asked so; a remote engine tells later. */
async function tryPort(host: string, port: number): Promise<"free" | "taken" | "no such address"> {
  const engine = process.env["DOCKER_HOST"];
  if (engine !== undefined && !engine.startsWith("unix://")) return "free";
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) =>
      resolve(code === "EADDRINUSE" ? "taken" : code === "EADDRNOTAVAIL" ? "no such address" : "free"),
    );
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve("free")));
  });
}

/**
 * Removes what carries the claim and is not among what is known: containers, then the networks and volumes that they
 * may have held. Volumes with data carry no claim.
 * @param keep ids of all resources that the state knows.
 * @returns the names of those removed.
 */
export async function removeOrphans(
  docker: Docker,
  id: string,
  keep: ReadonlySet<string>,
  log: Context["log"],
): Promise<string[]> {
  const removed: string[] = [];
  const remove = async (name: string, remover: () => Promise<unknown>): Promise<void> => {
    try {
      await remover();
      removed.push(name);
      log("info", `removed ${name}, which an interrupted update left behind`);
    } catch (error) {
      // Gone or being removed already, or in use by what does not carry the claim.
      if (!isEngineError(error, 403, 404, 409)) throw error;
    }
  };
  const filters = { label: [`${labels.claim}=${id}`] };
  for (const container of await docker.listContainers({ all: true, filters })) {
    const remover = () => docker.getContainer(container.Id).remove({ force: true, v: true });
    if (!keep.has(container.Id)) await remove(nameOf(container), remover);
  }
  for (const network of await docker.listNetworks({ filters })) {
    if (!keep.has(network.Id)) await remove(network.Name, () => docker.getNetwork(network.Id).remove());
  }
  const { Volumes } = await docker.listVolumes({ filters });
  for (const { Name } of Volumes ?? []) {
    if (!keep.has(Name)) await remove(Name, () => docker.getVolume(Name).remove());
  }
  return removed;
}
