// Deployments as the components declare them, made over the cluster's API alone: what the gate and the watcher see of a
// cluster is tested without Pulumi.
import { randomBytes } from "node:crypto";
import type { V1Deployment, V1Namespace, V1Pod } from "@kubernetes/client-node";
import { type GateOutputs, gate } from "../../provider/gate";
import { type Labelled, labelled, pathOf, resources } from "../../provider/kubernetes/api";
import { labels } from "../../provider/kubernetes/layout";
import type { ClusterGateInputs, ClusterService } from "../../provider/kubernetes/lookout";
import { type AppImage, pushApp, registry } from "../e2e/images";
import { pushManifest, types } from "../integration/registry/images";
import { cluster } from "./engine";

/** Who declares the Deployments, as Pulumi's provider does it. */
const manager = "declarer";

export interface Plan {
  reference: string;
  replicas?: number;
  /** Of its readiness probe; without one, that it runs is enough. */
  health?: string;
  env?: Record<string, string>;
  pod?: object;
  container?: object;
  /** Of the Deployment itself. */
  spec?: object;
}

export class Namespace {
  readonly name = `gate-${randomBytes(4).toString("hex")}`;

  async make(): Promise<void> {
    const enforce = { "pod-security.kubernetes.io/enforce": "restricted" };
    await cluster.post(pathOf(resources.namespaces), { metadata: { name: this.name, labels: enforce } });
  }

  async end(): Promise<void> {
    await cluster.delete<V1Namespace>(pathOf(resources.namespaces, undefined, this.name));
  }

  /** Declares a service, by server-side apply; what it said before and no more goes. */
  async apply(service: string, plan: Plan): Promise<ClusterService> {
    const { reference, replicas = 1, health, env = {}, pod, container, spec } = plan;
    const selector = { [labels.service]: service };
    const probe = health ? { httpGet: { path: health, port: 8080 }, periodSeconds: 1 } : undefined;
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: service, labels: selector, annotations: { "tagalong.dev/environment": "shop/test" } },
      spec: {
        replicas,
        selector: { matchLabels: selector },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
        ...(health ? {} : { minReadySeconds: 2 }),
        ...spec,
        template: {
          metadata: { labels: selector },
          spec: {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
            terminationGracePeriodSeconds: 1,
            ...pod,
            containers: [
              {
                name: service,
                image: reference,
                env: Object.entries(env).map(([name, value]) => ({ name, value })),
                ...(probe ? { readinessProbe: probe } : {}),
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
                terminationMessagePolicy: "FallbackToLogsOnError",
                ...container,
              },
            ],
          },
        },
      },
    };
    const query = { fieldManager: manager, force: true };
    const made = await cluster.patch<V1Deployment>(this.path(service), "apply", deployment, { query });
    return { reference, deployment: service, generation: made.metadata?.generation ?? 0, replicas };
  }

  /** Declares a service and waits for it. */
  async roll(service: string, plan: Plan, deadlineMs = 120_000): Promise<ClusterService> {
    const applied = await this.apply(service, plan);
    await pass(this.inputs({ [service]: applied }, deadlineMs));
    return applied;
  }

  inputs(services: Record<string, ClusterService>, deadlineMs = 120_000, context = ""): ClusterGateInputs {
    return { cluster: { context, namespace: this.name }, services, deadlineMs };
  }

  path = (service: string): string => pathOf(resources.deployments, this.name, service);

  deployment = (service: string): Promise<V1Deployment> => cluster.get<V1Deployment>(this.path(service));

  /** The service's pods that are not being deleted. */
  async pods(service: string): Promise<(V1Pod & Labelled)[]> {
    const all = await labelled<V1Pod & Labelled>(cluster, resources.pods, this.name, {
      [labels.service]: service,
    });
    return all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** As a drain asks for it. */
  async evict(pod: V1Pod): Promise<void> {
    const name = pod.metadata?.name ?? "";
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: this.name } };
    await cluster.post(`${pathOf(resources.pods, this.name, name)}/eviction`, eviction);
  }

  /** As kubectl changes a Deployment, by its name for that. */
  async change(service: string, by: string, change: object, subresource = ""): Promise<void> {
    const query = { fieldManager: by };
    await cluster.patch(`${this.path(service)}${subresource}`, "merge", change, { query });
  }
}

/** @throws Error as the gate fails with it */
export async function pass(
  inputs: ClusterGateInputs,
  signal = new AbortController().signal,
): Promise<GateOutputs> {
  const { outputs } = await gate.create(inputs, { signal, log: () => {} });
  return outputs;
}

const repository = "tests/gate";

/** Pushes one version of the app. @returns its repository@digest */
export async function push(app: AppImage): Promise<string> {
  const { digest } = await pushApp(repository, { user: "1000:1000", ...app });
  return `${registry}/${repository}@${digest}`;
}

/** Pushes an index that has the app for another platform than this machine's alone. @returns its repository@digest */
export async function pushForAnother(app: AppImage): Promise<string> {
  const architecture = process.arch === "x64" ? "arm64" : "amd64";
  const child = await pushApp(repository, { ...app, architecture });
  const mediaType = types.docker.index;
  const manifests = [{ ...child, platform: { os: "linux", architecture } }];
  const index = { schemaVersion: 2, mediaType, manifests };
  const { digest } = await pushManifest({ host: registry, repository }, index, mediaType);
  return `${registry}/${repository}@${digest}`;
}
