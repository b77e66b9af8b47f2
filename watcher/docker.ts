// A Docker engine as the place of an environment: DOCKER_HOST's, or this machine's own.
import { version } from "@pulumi/docker/package.json";
import { removeOrphans } from "../provider/docker/claim";
import { connectEngine, isEngineError } from "../provider/docker/engine";
import { Lookout } from "../provider/docker/lookout";
import { pullImage } from "../provider/docker/pull";
import type { GateInputs } from "../provider/gate";
import type { Lost, Place } from "./place";

export const dockerPlace: Place = {
  provider: { name: "docker", version },
  environment: {},
  async pull(reference, credentials, signal) {
    await pullImage(connectEngine(), reference, credentials, signal);
  },
  lookout: (gate) => new Lookout(connectEngine(), gate),
  lost,
  startAgain,
  removeOrphans: (claim, known) => removeOrphans(connectEngine(), claim, known, () => {}),
};

async function lost(gate: GateInputs): Promise<Lost> {
  const docker = connectEngine();
  const found: Lost = { services: [], stopped: [] };
  await Promise.all(
    Object.entries(gate.services).flatMap(([service, { replicas }]) =>
      replicas.map(async (id) => {
        try {
          const { State, HostConfig } = await docker.getContainer(id).inspect();
          const mayEnd = !["always", "unless-stopped"].includes(HostConfig.RestartPolicy?.Name ?? "");
          if (State.Running || State.Restarting || mayEnd) return;
          found.stopped.push(id);
        } catch (error) {
          if (!isEngineError(error, 404)) throw error;
        }
        found.services.push(service);
      }),
    ),
  );
  return { ...found, services: [...new Set(found.services)].sort() };
}

async function startAgain(stopped: readonly string[]): Promise<void> {
  const docker = connectEngine();
  for (const id of stopped) {
    await docker
      .getContainer(id)
      .start()
      .catch((error: unknown) => {
        if (!isEngineError(error, 304, 404)) throw error; // it runs again, or is gone
      });
  }
}
