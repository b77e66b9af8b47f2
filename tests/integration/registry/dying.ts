/**
 * A registry that dies: from its n-th request on nothing is answered any more. Promises that each death is tried on a
 * door of its own, all at the same time, and that afterwards the registry is asked past the door.
 */
import { type Fault, type FaultyRegistry, startFaultyRegistry } from "./faulty";

/** Whether the request that it dies at is still done. */
export const deaths = ["before it does what it was asked", "before it can say that it did it"] as const;
export type Death = (typeof deaths)[number];

/**
 * Runs the work behind a door that dies at its n-th request, for every n at which there is one to die at.
 * @param work by n; rejects where it failed
 * @param after what must be true then, whether it failed or not
 * @returns at how many requests it died
 */
export async function atEachRequest(
  upstream: string,
  death: Death,
  honestly: Fault,
  work: (door: FaultyRegistry, n: number) => Promise<unknown>,
  after: (n: number, error: unknown) => Promise<void>,
): Promise<number> {
  const once = async (n: number): Promise<boolean> => {
    const door = await startFaultyRegistry(upstream);
    let requests = 0;
    door.fault = async (hostage) => {
      requests += 1;
      if (requests <= n) return honestly(hostage);
      if (requests === n + 1 && death === deaths[1]) await hostage.truth();
      hostage.response.destroy();
    };
    const error = await work(door, n).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    await door.close();
    await after(n, error);
    return requests > n;
  };
  for (let n = 0, atOnce = 12; ; n += atOnce) {
    const died = await Promise.all(Array.from({ length: atOnce }, (_, index) => once(n + index)));
    const survived = died.indexOf(false);
    if (survived >= 0) return n + survived;
  }
}
