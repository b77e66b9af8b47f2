// The Deployment of one service, as plain data: what its pods run, how they are asked, and how they are replaced.
import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { RolloutConfig, ServiceConfig } from "../../config";

type DeploymentSpec = types.input.apps.v1.DeploymentSpec;
type Container = types.input.core.v1.Container;
type Probe = types.input.core.v1.Probe;

/**
 * How long a pod that is to end goes on serving, since the nodes learn only by and by that no traffic is for it any more.
 */
const farewellSeconds = 3;
/** How long one must stay up that nobody can ask: in whole seconds, the first of which may be over at once. */
const steadySeconds = 2;
/** Without an answer for so long a container is started again: rare, since an overloaded one must not be killed for it. */
const liveness = { periodSeconds: 10, failureThreshold: 6, timeoutSeconds: 5 } as const;
const readiness = { periodSeconds: 1, failureThreshold: 3, timeoutSeconds: 5 } as const;

/** Of the container's port: whoever leads to a pod goes by it, so that a pod of another port than the next is served. */
export const portName = "http";

export interface WorkloadArgs {
  /** The service's name, and its Deployment's. */
  service: string;
  config: ServiceConfig;
  rollout: RolloutConfig;
  /** repository@digest */
  reference: string;
  /** Labels of everything of the service. */
  labels: Record<string, pulumi.Input<string>>;
  /** Labels that its pods are found by. */
  selector: Record<string, string>;
  /** The Secret with its secrets, where it has some. */
  secret: pulumi.Input<string> | undefined;
  /** The Secret with the registries' credentials, where the config has some. */
  pullSecret: pulumi.Input<string> | undefined;
  serviceAccount: pulumi.Input<string>;
}

export function deploymentSpec(args: WorkloadArgs): DeploymentSpec {
  const { config, rollout, selector } = args;
  return {
    // Where an autoscaler decides, it begins with so many.
    replicas: config.autoscale ? config.autoscale.min : config.replicas,
    selector: { matchLabels: selector },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
    ...(portOf(config) === undefined ? { minReadySeconds: steadySeconds } : {}),
    revisionHistoryLimit: rollout.keep,
    progressDeadlineSeconds: Math.max(steadySeconds + 1, Math.ceil(rollout.deadline / 1000)),
    template: {
      metadata: { labels: args.labels },
      spec: {
        serviceAccountName: args.serviceAccount,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        ...(args.pullSecret === undefined ? {} : { imagePullSecrets: [{ name: args.pullSecret }] }),
        terminationGracePeriodSeconds: farewellSeconds + Math.max(1, Math.ceil(rollout.drain / 1000)),
        securityContext: {
          runAsNonRoot: true,
          ...userOf(config.user),
          seccompProfile: { type: "RuntimeDefault" },
        },
        topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
          (topologyKey) => ({
            topologyKey,
            maxSkew: 1,
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: selector },
            // Those of the former release are about to go.
            matchLabelKeys: ["pod-template-hash"],
          }),
        ),
        containers: [containerOf(args)],
        ...(config.readOnly ? { volumes: [{ name: "tmp", emptyDir: {} }] } : {}),
      },
    },
  };
}

function containerOf({ service, config, reference, secret }: WorkloadArgs): Container {
  const { cpu, memory } = config.resources;
  const limits = {
    ...(cpu === undefined ? {} : { cpu: quantity(cpu) }),
    ...(memory === undefined ? {} : { memory: quantity(memory) }),
  };
  return {
    name: service,
    image: reference,
    // As on Docker, it is what the image's ENTRYPOINT gets, where that has one.
    ...(config.command ? { args: config.command.map(verbatim) } : {}),
    env: Object.entries(config.env).map(([name, value]) => ({ name, value: verbatim(value) })),
    ...(secret === undefined ? {} : { envFrom: [{ secretRef: { name: secret } }] }),
    ...(config.port === undefined ? {} : { ports: [{ name: portName, containerPort: config.port }] }),
    ...(Object.keys(limits).length > 0 ? { resources: { limits } } : {}),
    ...probesOf(config),
    ...(config.port === undefined ? {} : { lifecycle: { preStop: { sleep: { seconds: farewellSeconds } } } }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: config.readOnly,
      capabilities: {
        drop: ["ALL"],
        ...(config.capabilities.length > 0 ? { add: [...config.capabilities] } : {}),
      },
    },
    ...(config.readOnly ? { volumeMounts: [{ name: "tmp", mountPath: "/tmp" }] } : {}),
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

/** A number as Kubernetes writes it (`500m`, `100M`): what is written otherwise looks changed ever after. */
export function quantity(number: number): string {
  const suffixes = ["m", "", "k", "M", "G", "T"];
  let rest = Math.round(number * 1000);
  let exponent = 0;
  for (; rest !== 0 && rest % 1000 === 0 && exponent < suffixes.length - 1; exponent += 1) rest /= 1000;
  return `${rest}${suffixes[exponent]}`;
}

/** `$(NAME)` would be another variable's value, and `$$` one dollar; so each dollar is written as two. */
const verbatim = (text: string): string => text.replaceAll("$", () => "$$");

/** The port that its health is asked for at; undefined for a worker that has none. */
const portOf = ({ health, port }: ServiceConfig): number | undefined => health?.port ?? port;

/** None for a worker that has no port: that it runs is all that can be known. */
function probesOf(config: ServiceConfig): Pick<Container, "readinessProbe" | "livenessProbe"> {
  const port = portOf(config);
  if (port === undefined) return {};
  const question: Probe = config.health
    ? { httpGet: { path: config.health.path, port } }
    : { tcpSocket: { port } };
  return {
    readinessProbe: { ...question, ...readiness },
    livenessProbe: { ...question, ...liveness },
  };
}

function userOf(user: string | undefined): types.input.core.v1.PodSecurityContext {
  if (user === undefined) return {};
  const [uid, gid] = user.split(":").map(Number);
  return {
    ...(uid === undefined ? {} : { runAsUser: uid }),
    ...(gid === undefined ? {} : { runAsGroup: gid }),
  };
}
