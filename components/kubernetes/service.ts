// One service on Kubernetes: a Deployment, and what leads traffic to it, limits it and protects it. Everything has the
// service's name; only a Secret is named anew with each change of its content, so that the change rolls the pods.
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { Secret, Service } from "@pulumi/kubernetes/core/v1";
import { Ingress, NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import type { RolloutConfig, ServiceConfig } from "../../config";
import { podLabels, triedAnnotation } from "../../provider/kubernetes/layout";
import type { ReleasedImage } from "../../rollout/release";
import type { Owned } from "./owned";
import { deploymentSpec, portName } from "./workload";

export interface KubernetesServiceArgs {
  /** Name of the service in the config. */
  service: string;
  config: ServiceConfig;
  rollout: RolloutConfig;
  image: ReleasedImage;
  /** All secrets of the stack; only those that the service names reach it. */
  secrets: Record<string, pulumi.Input<string>>;
  pullSecret: pulumi.Input<string> | undefined;
  serviceAccount: pulumi.Input<string>;
  /** Records of the rejections that the release has on it already. */
  tried: readonly string[];
  owned: Owned;
}

export class KubernetesService extends pulumi.ComponentResource {
  public readonly deployment: Deployment;

  /** @param opts.after what must be well before anything of the service that a pod can notice is touched */
  constructor(
    name: string,
    args: KubernetesServiceArgs,
    opts: pulumi.ComponentResourceOptions & { after: pulumi.Resource[] },
  ) {
    const { after, ...options } = opts;
    super("tagalong:index:KubernetesService", name, {}, options);
    const { service, config, rollout, image, tried } = args;
    const child = { parent: this };
    const selector = podLabels(service);
    const metadata = args.owned.metadata(service, selector);
    const { port } = config;

    const secret =
      config.secrets.length > 0
        ? new Secret(
            name,
            {
              metadata: args.owned.metadata(undefined, selector),
              immutable: true,
              stringData: Object.fromEntries(config.secrets.map((key) => [key, args.secrets[key] ?? ""])),
            },
            child,
          )
        : undefined;

    new NetworkPolicy(
      name,
      {
        metadata,
        spec: {
          podSelector: { matchLabels: selector },
          policyTypes: ["Ingress"],
          ingress:
            port === undefined
              ? []
              : [{ ...(isOpen(config) ? {} : { from: [{ podSelector: {} }] }), ports: [{ port: portName }] }],
        },
      },
      { ...child, dependsOn: after },
    );
    // What a Deployment was rolled back from is in the state still: another try must be a change of its own.
    const again = tried.length > 0 ? { [triedAnnotation]: tried.join(",") } : {};
    this.deployment = new Deployment(
      name,
      {
        metadata: { ...metadata, annotations: { ...metadata.annotations, ...again } },
        spec: deploymentSpec({
          ...{ service, config, rollout, selector, reference: image.reference },
          labels: metadata.labels,
          secret: secret?.metadata.name,
          pullSecret: args.pullSecret,
          serviceAccount: args.serviceAccount,
        }),
      },
      // An applied number that is left out from then on would be one, until the autoscaler has looked.
      { ...child, dependsOn: after, ...(config.autoscale ? { ignoreChanges: ["spec.replicas"] } : {}) },
    );
    // Rolls of many services begin sooner when what they leave as it is comes after them all.
    const later = { ...child, dependsOn: [this.deployment] };

    if (port !== undefined) {
      const { publish } = config;
      new Service(
        name,
        {
          metadata,
          spec: {
            type: publish ? "NodePort" : "ClusterIP",
            selector,
            ports: [
              { name: portName, port, targetPort: portName, ...(publish ? { nodePort: publish.port } : {}) },
            ],
          },
        },
        later,
      );
    }
    if (config.ingress && port !== undefined) {
      const { host, path, class: ingressClassName, tls, annotations } = config.ingress;
      const backend = { service: { name: service, port: { name: portName } } };
      new Ingress(
        name,
        {
          metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
          spec: {
            ...(ingressClassName === undefined ? {} : { ingressClassName }),
            rules: [{ host, http: { paths: [{ path, pathType: "Prefix", backend }] } }],
            ...(tls === undefined ? {} : { tls: [{ hosts: [host], secretName: tls }] }),
          },
        },
        later,
      );
    }
    if (config.autoscale) {
      const { min, max, cpu } = config.autoscale;
      new HorizontalPodAutoscaler(
        name,
        {
          metadata,
          spec: {
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: service },
            minReplicas: min,
            maxReplicas: max,
            metrics: [
              {
                type: "Resource",
                resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpu } },
              },
            ],
          },
        },
        later,
      );
    }
    // Of one replica alone it would keep the node from being drained.
    if ((config.autoscale?.min ?? config.replicas) > 1) {
      new PodDisruptionBudget(
        name,
        {
          metadata,
          spec: {
            maxUnavailable: 1,
            selector: { matchLabels: selector },
            unhealthyPodEvictionPolicy: "AlwaysAllow",
          },
        },
        later,
      );
    }
    this.registerOutputs({ deployment: this.deployment.metadata.name });
  }
}

/** Whether it is reached from outside of its namespace. */
const isOpen = ({ publish, ingress }: ServiceConfig): boolean =>
  publish !== undefined || ingress !== undefined;
