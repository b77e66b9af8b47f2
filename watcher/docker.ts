// A Docker engine as the place of an environment: DOCKER_HOST's, or this machine's own.
import { version } from "@pulumi/docker/package.json";
import { removeOrphans } from "../provider/docker/claim";
import { connectEngine, isEngineError } from "../provider/docker/engine";
import type { DockerGateInputs } from "../provider/docker/lookout";
import { pullImage } from "../provider/docker/pull";
import { type Lost, nothingLost, type Place } from "./place";

export const dockerPlace: Place = {
  claimType: "tagalong:index:Claim",
  provider: { name: "docker", version },
  environment: {},
  isSavedAtEnd: false,
  async pull(reference, credentials, signal) {
    await pullImage(connectEngine(), reference, credentials, signal);
  },
  lost: async (gate) => ("network" in gate ? lost(gate as DockerGateInputs) : nothingLost),
  startAgain,
  removeOrphans: ({ claim }, known) => removeOrphans(connectEngine(), String(claim), known, () => {}),
};

async function lost(gate: DockerGateInputs): Promise<Lost> {
  const docker = connectEngine();
  const found: Pick<Lost, "services" | "stopped"> = { services: [], stopped: [] };
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
  const services = [...new Set(found.services)].sort();
  const why = services.length > 0 ? `gone from the engine: ${services.join(", ")}` : "";
  return { services, why, stopped: found.stopped };
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
