// One service on a Docker engine: its image and its replicas. A replica's resource is named after what it runs, so a new
// digest is a new resource beside the old one: the old one goes when everything else is done, and after a failed roll it
// is still the one that the state means.
import { createHash } from "node:crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { RolloutConfig, ServiceConfig } from "../../config";
import { labels } from "../../provider/docker/layout";
import { type Claim, Image } from "../../provider/resources";
import type { ReleasedImage } from "../../rollout/release";

export interface DockerServiceArgs {
  /** Name of the service in the config. */
  service: string;
  /** What the names of the environment's containers start with. */
  prefix: string;
  config: ServiceConfig;
  rollout: RolloutConfig;
  image: ReleasedImage;
  /** All secrets of the stack; only those that the service names reach it. */
  secrets: Record<string, pulumi.Input<string>>;
  network: docker.Network;
  /** Volumes of the environment by their name in the config. */
  volumes: Record<string, docker.Volume>;
  /** `<project>/<stack>` */
  environment: string;
  claim: Claim;
}

const mebibyte = 2 ** 20;

export class DockerService extends pulumi.ComponentResource {
  public readonly image: Image;
  public readonly replicas: readonly docker.Container[];

  constructor(name: string, args: DockerServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:DockerService", name, {}, opts);
    const { config, rollout, secrets } = args;

    this.image = new Image(
      name,
      { reference: args.image.reference, platforms: args.image.platforms, keep: rollout.keep },
      { parent: this, dependsOn: [args.claim] },
    );

    const plain = Object.entries(config.env).map(([key, value]) => `${key}=${value}`);
    const secret = config.secrets.map((key) =>
      pulumi.output(secrets[key] ?? "").apply((value) => `${key}=${value}`),
    );
    const envs =
      secret.length > 0 ? pulumi.secret(pulumi.all(secret).apply((lines) => [...plain, ...lines])) : plain;
    const container = (replica: number): docker.Container =>
      new docker.Container(
        `${args.prefix}-${args.service}-${revisionOf(config, args.image.digest)}-${replica}`,
        {
          image: this.image.pinned,
          envs,
          ...(config.command ? { command: [...config.command] } : {}),
          ...(config.user ? { user: config.user } : {}),
          networkMode: args.network.name,
          volumes: Object.entries(config.volumes).map(([volume, containerPath]) => ({
            ...(args.volumes[volume] ? { volumeName: args.volumes[volume].name } : {}),
            containerPath,
          })),
          ...(config.resources.cpu === undefined ? {} : { cpus: String(config.resources.cpu) }),
          ...(config.resources.memory === undefined
            ? {}
            : { memory: Math.ceil(config.resources.memory / mebibyte) }),
          readOnly: config.readOnly,
          ...(config.readOnly && !Object.values(config.volumes).includes("/tmp")
            ? { tmpfs: { "/tmp": "" } }
            : {}),
          capabilities: {
            drops: ["ALL"],
            adds: config.capabilities.map((capability) => `CAP_${capability}`),
          },
          securityOpts: ["no-new-privileges:true"],
          restart: config.restart,
          labels: [
            { label: labels.environment, value: args.environment },
            { label: labels.claim, value: args.claim.claim },
            { label: labels.service, value: args.service },
          ],
          // The gate waits, for all services at once, and says why when it fails; the provider's own waiting does not.
          wait: false,
          mustRun: false,
          removeVolumes: true,
          destroyGraceSeconds: Math.max(1, Math.ceil(rollout.drain / 1000)),
        },
        {
          parent: this,
          // Without this the docker provider deletes the old one first.
          deleteBeforeReplace: false,
          // What the engine fills in by itself, and the provider would take for a change at every update.
          ignoreChanges: ["bridge", "memorySwap"],
        },
      );
    this.replicas = Array.from({ length: config.replicas }, (_, replica) => container(replica));
    this.registerOutputs({ image: this.image.pinned });
  }
}

/** Names what a container of the service runs: its image and what of the config its container is made from. */
export function revisionOf(config: ServiceConfig, digest: string): string {
  const {
    replicas: _replicas,
    publish: _publish,
    health: _health,
    port: _port,
    image: _image,
    ...container
  } = config;
  return createHash("sha256")
    .update(JSON.stringify([digest, container]))
    .digest("hex")
    .slice(0, 8);
}
