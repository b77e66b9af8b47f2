// An environment on a cluster: claim, then services, each rolled by its own Deployment; one gate for all of them says
// when the new pods alone serve. Kubernetes keeps the old pods serving until then.
import { Provider } from "@pulumi/kubernetes";
import { Secret, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { type EnvironmentConfig, namespaceOf } from "../../config";
import { ClusterClaim, Gate, Placement, Soak } from "../../provider/resources";
import type { Release, ReleasedImage } from "../../rollout/release";
import type { EngineArgs } from "../engine";
import { objectsOf, permissionsByHand, permissionsOf, serviceAccountName } from "./needs";
import { Owned } from "./owned";
import { KubernetesService } from "./service";
import { TagWatcher } from "./tagWatcher";

/**
 * For `undefined` itself the SDK writes this machine's KUBECONFIG into the state, and an update elsewhere would look for a
 * file of that name.
 */
const undefinedPath = pulumi.output(undefined as unknown as string);

export class KubernetesEnvironment extends pulumi.ComponentResource {
  /** The cluster is the one that the kubeconfig names when Pulumi runs, as for kubectl and for our provider. */
  static provider({ kubernetes }: EnvironmentConfig, opts: pulumi.ResourceOptions): pulumi.ProviderResource {
    const { context } = kubernetes;
    const args = {
      kubeconfig: undefinedPath,
      // By default so few requests a second that the last of many Deployments waits for the others.
      kubeClientSettings: { qps: 400, burst: 800 },
      clusterIdentifier: "tagalong",
      suppressDeprecationWarnings: true,
    };
    return new Provider("kubernetes", { ...args, ...(context === undefined ? {} : { context }) }, opts);
  }

  /** Service → where it is reached from outside of the cluster. */
  public readonly urls: pulumi.Output<Record<string, string>>;
  public readonly claim: ClusterClaim;
  public readonly switchedAt: pulumi.Output<number>;
  /** What the environment runs, once it does. */
  public readonly release: pulumi.Output<Release>;

  constructor(name: string, args: EngineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:KubernetesEnvironment", name, {}, opts);
    const { config, release } = args;
    const environment = `${pulumi.getProject()}/${config.stack}`;
    const { context = "" } = config.kubernetes;
    const child = { parent: this };

    this.claim = new ClusterClaim(
      name,
      {
        environment,
        context,
        namespace: namespaceOf(pulumi.getProject(), config),
        objects: objectsOf(config),
        permissions: permissionsOf(config),
        permissionsByHand: permissionsByHand(config),
      },
      child,
    );
    const promoted = args.promote(this.claim.platforms);
    const placement = new Placement(
      name,
      { images: imagesOf(config, release), nodes: this.claim.platforms },
      child,
    );
    const { namespace } = this.claim;
    const owned = new Owned(environment, namespace, this.claim.claim);

    const account = new ServiceAccount(
      name,
      { metadata: owned.metadata(serviceAccountName), automountServiceAccountToken: false },
      child,
    );
    const pullSecret = this.createPullSecret(name, config, owned);
    const services = Object.entries(config.services).map(([service, serviceConfig]) => {
      const image = imageOf(release, serviceConfig.image);
      const { deployment } = new KubernetesService(
        `${name}-${service}`,
        {
          ...{ service, config: serviceConfig, rollout: config.rollout, image, owned, tried: args.tried },
          secrets: config.secrets,
          pullSecret: pullSecret?.metadata.name,
          serviceAccount: account.metadata.name,
        },
        { ...child, after: [promoted, placement] },
      );
      return { service, deployment, image, config: serviceConfig };
    });

    const watched = {
      cluster: { context, namespace },
      services: Object.fromEntries(
        services.map(({ service, deployment, image, config: { autoscale, replicas } }) => [
          service,
          {
            reference: image.reference,
            deployment: deployment.metadata.name,
            generation: deployment.metadata.generation,
            ...(autoscale ? {} : { replicas }),
          },
        ]),
      ),
      deadlineMs: config.rollout.deadline,
    };
    const tried = args.tried.length > 0 ? { tried: [...args.tried] } : {};
    const gate = new Gate(name, { ...watched, ...tried }, child);
    this.switchedAt = gate.passedAt;
    const soak = new Soak(
      name,
      {
        ...watched,
        release: { ...release },
        gatedAt: gate.passedAt,
        soakMs: config.rollout.soak,
      },
      { ...child, dependsOn: [gate] },
    );
    this.release = soak.runs;
    if (config.watcher) {
      const { watcher } = config;
      new TagWatcher(
        `${name}-watcher`,
        {
          ...{ config, watcher, files: args.files, owned },
          pullSecret: pullSecret?.metadata.name,
          claim: this.claim.claim,
        },
        { ...child, dependsOn: [soak] },
      );
    }

    this.urls = this.claim.host.apply((host) => urlsOf(config, host));
    this.registerOutputs({ urls: this.urls });
  }

  /** The credentials that the stack has for its registries, as the nodes read them. */
  private createPullSecret(name: string, config: EnvironmentConfig, owned: Owned): Secret | undefined {
    const registries = Object.entries(config.registries);
    if (registries.length === 0) return undefined;
    const auths = pulumi
      .all(registries.map(([host, { password }]) => pulumi.output(password).apply((text) => [host, text])))
      .apply((passwords) => {
        const of = Object.fromEntries(passwords) as Record<string, string>;
        const entries = registries.map(([host, { username }]) => [
          keyOf(host),
          { username, password: of[host], auth: Buffer.from(`${username}:${of[host]}`).toString("base64") },
        ]);
        return JSON.stringify({ auths: Object.fromEntries(entries) });
      });
    return new Secret(
      `${name}-registries`,
      {
        metadata: owned.metadata(undefined),
        type: "kubernetes.io/dockerconfigjson",
        immutable: true,
        stringData: { ".dockerconfigjson": pulumi.secret(auths) },
      },
      { parent: this },
    );
  }
}

function imageOf(release: Release, name: string): ReleasedImage {
  const image = release[name];
  if (!image) throw new Error(`no digest was decided for the image ${name}`);
  return image;
}

/** By service, what it is to run. */
const imagesOf = ({ services }: EnvironmentConfig, release: Release) =>
  Object.fromEntries(
    Object.entries(services).map(([service, { image }]) => {
      const { reference, platforms } = imageOf(release, image);
      return [service, { reference, platforms }];
    }),
  );

/** Docker Hub's credentials have stood under this key since its first days. */
const keyOf = (host: string): string => (host === "docker.io" ? "https://index.docker.io/v1/" : host);

/** @param host where node ports are reached */
function urlsOf({ services }: EnvironmentConfig, host: string): Record<string, string> {
  const urls = Object.entries(services).flatMap(([service, { ingress, publish }]) => {
    if (ingress) return [[service, `${ingress.tls ? "https" : "http"}://${ingress.host}${ingress.path}`]];
    return publish ? [[service, `http://${host.includes(":") ? `[${host}]` : host}:${publish.port}`]] : [];
  });
  return Object.fromEntries(urls) as Record<string, string>;
}
