// Names that the components put on a Docker engine and the provider finds there again.

/** Labels on everything that an environment owns. */
export const labels = {
  /** `<project>/<stack>` */
  environment: "dev.tagalong.environment",
  /** The claim's id: which state it belongs to. */
  claim: "dev.tagalong.claim",
  service: "dev.tagalong.service",
} as const;

/** Where the edge's container has its route files. */
export const routesFolder = "/routes";

/** The file that holds the upstream (`container:port`) of one of a service's slots. */
export const routeFile = (service: string, slot: number): string => `${routesFolder}/${service}.${slot}`;

/** Twelve is shared evenly by 1, 2, 3, 4, 6 and 12 replicas, and nearly so by the others. */
const slotsAtOnce = 12;

/**
 * How many upstreams the edge has for a service of so many replicas, each of which fills several of them in turn: the
 * edge's configuration stays as it is when the service is scaled, since a change of it would restart the edge.
 */
export const slotsFor = (replicas: number): number => Math.ceil(replicas / slotsAtOnce) * slotsAtOnce;
