// Placement: whether there is a node for each image, by its platforms; in previews too, and before anything is touched.
import { formatFailures } from "../../rollout/gate";
import { platformProblem } from "../../rollout/platform";
import type { Handler } from "../handler";

export interface PlacementInputs extends Record<string, unknown> {
  /** By service. */
  images: Record<string, { reference: string; platforms: string[] }>;
  /** `os/architecture` that the nodes run; empty where that may not be read. */
  nodes: string[];
}

export const placement: Handler<PlacementInputs, Record<string, unknown>> = {
  async preview({ images = {}, nodes }) {
    // Of a claim that is still to be made nobody knows the nodes yet.
    if (Array.isArray(nodes)) check({ images, nodes });
    return {};
  },
  async create(inputs) {
    check(inputs);
    return { id: "placement", outputs: {} };
  },
  async update(_id, inputs) {
    check(inputs);
    return {};
  },
};

function check({ images, nodes }: PlacementInputs): void {
  const failures = Object.entries(images).flatMap(([service, { reference, platforms }]) => {
    const reason = platformProblem(reference, platforms, nodes);
    return reason === undefined ? [] : [{ service, reference, reason, lastLines: [] }];
  });
  if (failures.length > 0) throw new Error(formatFailures(failures));
}
