// An environment on a Docker engine: claim, network, edge and services, then one gate for all of them, then the route.
// The order is the promise: nothing that serves is touched before everything new has passed the gate.
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { EnvironmentConfig } from "../../config";
import { labels, routesFolder } from "../../provider/docker/layout";
import { Claim, Gate, Image, Route, Soak } from "../../provider/resources";
import { formatReference } from "../../registry/reference";
import type { Release } from "../../rollout/release";
import type { EngineArgs } from "../engine";
import { type EdgeService, edgeConfig, edgeHealthPort, edgePorts } from "./edge";
import { DockerService } from "./service";
import { TagWatcher } from "./tagWatcher";

/**
 * The engine is the one that DOCKER_HOST names when Pulumi runs, as for the Docker command line and for our provider. For
 * `undefined` itself the SDK writes that into the state, and a refresh elsewhere would look for an engine of that name.
 */
const undefinedHost = pulumi.output(undefined as unknown as string);

export class DockerEnvironment extends pulumi.ComponentResource {
  static provider(_config: EnvironmentConfig, opts: pulumi.ResourceOptions): pulumi.ProviderResource {
    return new docker.Provider("docker", { host: undefinedHost }, opts);
  }

  /** Service → where the host reaches it. */
  public readonly urls: Record<string, string>;
  public readonly claim: Claim;
  public readonly switchedAt: pulumi.Output<number | undefined>;
  /** What the environment runs, once it does. */
  public readonly release: pulumi.Output<Release>;

  constructor(name: string, args: EngineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:DockerEnvironment", name, {}, opts);
    const { config, release } = args;
    const project = pulumi.getProject();
    const environment = `${project}/${config.stack}`;
    const prefix = `${project}-${config.stack}`;
    const volumeNames = [
      ...new Set(Object.values(config.services).flatMap((service) => Object.keys(service.volumes))),
    ].sort();
    const routed = edgeServices(config);

    this.claim = new Claim(
      name,
      {
        environment,
        networks: [prefix],
        containers: [
          ...(routed.length > 0 ? [`${prefix}-edge`] : []),
          ...(config.watcher ? [`${prefix}-watcher`] : []),
        ],
        volumes: [
          ...volumeNames.map((volume) => `${prefix}-${volume}`),
          ...(routed.length > 0 ? [`${prefix}-edge-routes`] : []),
        ],
        ports: routed.flatMap(({ name: service, publish }) => (publish ? [{ service, ...publish }] : [])),
      },
      { parent: this },
    );
    const promoted = args.promote(this.claim.platform.apply((one) => (one === undefined ? one : [one])));
    const owned = [
      { label: labels.environment, value: environment },
      { label: labels.claim, value: this.claim.claim },
    ];
    const child = { parent: this, dependsOn: [this.claim] };

    // The claim removes it, after whatever an update that was killed has left on it.
    const network = new docker.Network(
      name,
      { name: prefix, labels: owned },
      { ...child, retainOnDelete: true },
    );
    const volumes = Object.fromEntries(
      volumeNames.map((volume) => [
        volume,
        new docker.Volume(
          `${name}-${volume}`,
          { name: `${prefix}-${volume}`, labels: [{ label: labels.environment, value: environment }] },
          { ...child, retainOnDelete: config.keepVolumes },
        ),
      ]),
    );

    const edge =
      routed.length > 0 ? this.createEdge(name, { config, prefix, owned, network, routed }) : undefined;

    const services = Object.fromEntries(
      Object.entries(config.services).map(([service, serviceConfig]) => {
        const image = release[serviceConfig.image];
        if (!image) throw new Error(`no digest was decided for the image ${serviceConfig.image}`);
        return [
          service,
          new DockerService(
            `${name}-${service}`,
            {
              service,
              prefix,
              config: serviceConfig,
              rollout: config.rollout,
              image,
              secrets: config.secrets,
              network,
              volumes,
              environment,
              claim: this.claim,
            },
            { parent: this, dependsOn: [promoted] },
          ),
        ];
      }),
    );

    const replicas = {
      services: {
        ...Object.fromEntries(
          Object.entries(services).map(([service, { image, replicas }]) => [
            service,
            {
              reference: image.pinned,
              replicas: replicas.map((replica) => replica.id),
              ...probeOf(config.services[service]),
            },
          ]),
        ),
        ...(edge
          ? {
              edge: {
                reference: edge.image.pinned,
                replicas: [edge.container.id],
                port: edgeHealthPort(routed),
                path: "/",
              },
            }
          : {}),
      },
      network: network.name,
      edge: edge?.container.id ?? "",
      deadlineMs: config.rollout.deadline,
    };
    const tried = args.tried.length > 0 ? { tried: [...args.tried] } : {};
    const gate = new Gate(name, { ...replicas, ...tried }, { parent: this });

    const route = edge
      ? new Route(
          name,
          {
            edge: edge.container.id,
            upstreams: Object.fromEntries(
              routed.map(({ name: service, port }) => [
                service,
                (services[service]?.replicas ?? []).map((replica) =>
                  // On its network a container answers to the start of its id; its name may be longer than DNS allows.
                  replica.id.apply((id) => `${id.slice(0, 12)}:${port}`),
                ),
              ]),
            ),
          },
          { parent: this, dependsOn: [gate] },
        )
      : undefined;

    this.switchedAt = pulumi.output(route?.switchedAt);
    const soak = new Soak(
      name,
      {
        ...replicas,
        release: { ...release },
        gatedAt: gate.passedAt,
        before: route?.before ?? {},
        soakMs: config.rollout.soak,
      },
      { parent: this, dependsOn: [route ?? gate] },
    );
    this.release = soak.runs;

    if (config.watcher) {
      const { watcher } = config;
      new TagWatcher(
        `${name}-watcher`,
        {
          config,
          watcher,
          files: args.files,
          containerName: `${prefix}-watcher`,
          environment,
          claim: this.claim,
        },
        { parent: this, dependsOn: [soak] },
      );
    }

    this.urls = Object.fromEntries(
      routed.flatMap(({ name: service, publish }) => (publish ? [[service, urlOf(publish)]] : [])),
    );
    this.registerOutputs({ urls: this.urls });
  }

  private createEdge(
    name: string,
    parts: {
      config: EnvironmentConfig;
      prefix: string;
      owned: docker.ContainerArgs["labels"];
      network: docker.Network;
      routed: EdgeService[];
    },
  ): { image: Image; container: docker.Container } {
    const { config, prefix, owned = [], network, routed } = parts;
    const child = { parent: this, dependsOn: [this.claim] };
    const image = new Image(
      `${name}-edge`,
      { reference: formatReference(config.edge.image), platforms: [], keep: config.rollout.keep },
      child,
    );
    const routes = new docker.Volume(
      `${name}-edge-routes`,
      { name: `${prefix}-edge-routes`, labels: owned },
      { ...child, retainOnDelete: true },
    );
    const container = new docker.Container(
      `${name}-edge`,
      {
        name: `${prefix}-edge`,
        image: image.pinned,
        // Its configuration holds no secret; by way of /tmp it needs no writable root.
        command: [
          "/bin/sh",
          "-c",
          'printf %s "$EDGE_CONFIG" > /tmp/edge.json && exec caddy run --config /tmp/edge.json',
        ],
        envs: [
          `EDGE_CONFIG=${JSON.stringify(edgeConfig(routed))}`,
          "XDG_CONFIG_HOME=/tmp/config",
          "XDG_DATA_HOME=/tmp/data",
        ],
        networksAdvanced: [{ name: network.name, aliases: routed.map((service) => service.name) }],
        ports: edgePorts(routed),
        volumes: [{ volumeName: routes.name, containerPath: routesFolder }],
        readOnly: true,
        tmpfs: { "/tmp": "" },
        // Caddy's own image gives its program this one; without it the program would not start.
        capabilities: { drops: ["ALL"], adds: ["CAP_NET_BIND_SERVICE"] },
        securityOpts: ["no-new-privileges:true"],
        restart: "unless-stopped",
        labels: owned,
        wait: false,
        mustRun: false,
        destroyGraceSeconds: 10,
      },
      // It holds the host ports, so the new one cannot start beside the old one.
      { ...child, deleteBeforeReplace: true, ignoreChanges: ["bridge"] },
    );
    return { image, container };
  }
}

function edgeServices(config: EnvironmentConfig): EdgeService[] {
  return Object.entries(config.services)
    .flatMap(([name, { port, replicas, publish }]) =>
      port === undefined
        ? []
        : [
            {
              name,
              port,
              replicas,
              ...(publish ? { publish: { address: publish.address, port: publish.port } } : {}),
            },
          ],
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function probeOf(service: EnvironmentConfig["services"][string] | undefined): {
  port?: number;
  path?: string;
} {
  const port = service?.health?.port ?? service?.port;
  return {
    ...(port === undefined ? {} : { port }),
    ...(service?.health ? { path: service.health.path } : {}),
  };
}

function urlOf({ address, port }: { address: string; port: number }): string {
  const host = address === "0.0.0.0" || address === "::" ? "localhost" : address;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
