// Pulling one image onto the engine, with whatever credential its registry wants.
import type Docker from "dockerode";
import { type CredentialLookup, engineAuthHeader } from "../../registry/credentials";
import { parseReference } from "../../registry/reference";
import { engineMessage } from "./engine";

/**
 * Makes an image present. One that is named by digest and is there already is not pulled; a tag always is.
 * @throws Error naming the reference, in the engine's words
 */
export async function pullImage(
  docker: Docker,
  reference: string,
  credentials: CredentialLookup,
  signal: AbortSignal,
): Promise<Docker.ImageInspectInfo> {
  const { registry, digest } = parseReference(reference);
  const present = digest
    ? await docker
        .getImage(reference)
        .inspect()
        .catch(() => undefined)
    : undefined;
  if (present) return present;
  try {
    const authconfig = { base64: engineAuthHeader(registry, await credentials(registry)) };
    const progress = await docker.pull(reference, { authconfig, abortSignal: signal });
    await new Promise<void>((resolve, reject) =>
      docker.modem.followProgress(progress, (error: Error | null, events: { error?: string }[]) => {
        // The answer was 200 before anything was fetched; what went wrong since is told in the stream.
        const told = events.find((event) => event.error !== undefined)?.error;
        if (error) reject(error);
        else if (told !== undefined) reject(new Error(told));
        else resolve();
      }),
    );
  } catch (error) {
    throw new Error(`${reference} could not be pulled: ${engineMessage(error)}`);
  }
  return docker.getImage(reference).inspect();
}
