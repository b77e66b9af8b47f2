// The edge of a Docker environment: Caddy, the only container with a host port. It reads each service's upstreams from
// files at every request, so neither a roll nor a change of replicas reloads or replaces it; only a change of which
// services it serves does.
import { routeFile, slotsFor } from "../../provider/docker/layout";

export interface EdgeService {
  name: string;
  /** The port under which other services reach it, as `http://NAME:PORT`. */
  port: number;
  replicas: number;
  /** Host address and port that lead to it, where it is published. */
  publish?: { address: string; port: number };
}

/** Listeners of the edge's own, apart from those on the services' own ports, which come first. */
function ownPorts(services: readonly EdgeService[]): { health: number; published: number[] } {
  const theirs = new Set(services.map(({ port }) => port));
  const free = Array.from({ length: 2 * services.length + 1 }, (_, index) => 9999 + index).filter(
    (port) => !theirs.has(port),
  );
  const [health = 0, ...rest] = free;
  return { health, published: rest };
}

/** The port in the edge's container that answers 200 as soon as the edge serves. */
export const edgeHealthPort = (services: readonly EdgeService[]): number => ownPorts(services).health;

/** How long a request waits for an upstream that takes connections, before it fails. */
const tryDuration = "5s";

function proxyTo(service: EdgeService) {
  return {
    handler: "reverse_proxy",
    upstreams: Array.from({ length: slotsFor(service.replicas) }, (_, slot) => ({
      dial: `{file.${routeFile(service.name, slot)}}`,
    })),
    load_balancing: {
      selection_policy: { policy: "round_robin" },
      try_duration: tryDuration,
      try_interval: "50ms",
    },
  };
}

/** Caddy's configuration, as its JSON (https://caddyserver.com/docs/json/). */
export function edgeConfig(services: readonly EdgeService[]): object {
  const own = ownPorts(services);
  const servers: Record<string, object> = {
    health: {
      listen: [`:${own.health}`],
      routes: [{ handle: [{ handler: "static_response", status_code: 200 }] }],
    },
  };
  for (const port of new Set(services.map((service) => service.port))) {
    servers[`inside-${port}`] = {
      listen: [`:${port}`],
      routes: [
        ...services
          .filter((service) => service.port === port)
          .map((service) => ({
            match: [{ host: [service.name] }],
            handle: [proxyTo(service)],
            terminal: true,
          })),
        {
          handle: [
            {
              handler: "static_response",
              status_code: 421,
              body: `no service of this name on port ${port}\n`,
            },
          ],
        },
      ],
      automatic_https: { disable: true },
    };
  }
  published(services).forEach((service, index) => {
    servers[`published-${service.name}`] = {
      listen: [`:${own.published[index]}`],
      routes: [{ handle: [proxyTo(service)] }],
      automatic_https: { disable: true },
    };
  });
  return {
    admin: { disabled: true, config: { persist: false } },
    apps: { http: { grace_period: "10s", servers } },
  };
}

const published = (services: readonly EdgeService[]) =>
  services.filter(
    (service): service is EdgeService & Required<Pick<EdgeService, "publish">> =>
      service.publish !== undefined,
  );

/** Which host port leads to which port of the edge's container. */
export const edgePorts = (
  services: readonly EdgeService[],
): { internal: number; external: number; ip: string }[] =>
  published(services).map((service, index) => ({
    internal: ownPorts(services).published[index] ?? 0,
    external: service.publish.port,
    ip: service.publish.address,
  }));
