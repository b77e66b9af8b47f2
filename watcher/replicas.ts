// Whether what should run does, as far as the engine knows without an update.
import type { GateInputs } from "../provider/gate";
import type { Place } from "./place";

/** Whether replicas are gone that the state still has, so that an update must look before it decides. */
export async function isLacking(place: Place, gate: GateInputs | undefined): Promise<boolean> {
  if (!gate) return false;
  const lost = await place.lost(gate);
  await place.startAgain(lost.stopped);
  return lost.services.length > 0;
}
