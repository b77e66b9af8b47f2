/**
 * Does again what a registry's bad moment got in the way of. Promises that only what may be done twice without harm is
 * given to it, that a host which asks for patience is not asked again, and that it is a matter of a second.
 *
 * Such moments are ordinary: distribution answers 500 to whoever reads a tag while another writes it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { RegistryError } from "./errors";

const mostTries = 4;

export async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      // A timeout has taken its time already.
      const isMoment =
        error instanceof RegistryError && (error.reason === "server" || error.reason === "network");
      if (!isMoment || error.retryAfterMs !== undefined || tries >= mostTries) throw error;
      await pause((0.5 + Math.random()) * 50 * 2 ** tries);
    }
  }
}
