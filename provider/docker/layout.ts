// Names that the components put on a Docker engine and the provider finds there again.

/** Labels on everything that an environment owns. */
export const labels = {
  /** `<project>/<stack>` */
  environment: "dev.tagalong.environment",
  /** The claim's id: which state it belongs to. */
  claim: "dev.tagalong.claim",
  service: "dev.tagalong.service",
} as const;

/** The port in the edge's container that answers 200 as soon as the edge serves. */
export const edgeHealthPort = 9999;

/** Where the edge's container has its route files. */
export const routesFolder = "/routes";

/** The file that holds the upstream (`container:port`) of a service's replica. */
export const routeFile = (service: string, replica: number): string =>
  `${routesFolder}/${service}.${replica}`;
