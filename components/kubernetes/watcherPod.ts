// The pod of the watcher, as plain data: what it is given, what it may write to, and how long it gets to end.
import type { types } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { RolloutConfig } from "../../config";
import { watcherName } from "../../provider/kubernetes/layout";

type PodSpec = types.input.core.v1.PodSpec;
type Named = pulumi.Input<string>;

export interface WatcherPodArgs {
  image: string;
  stack: string;
  /** URL of the state backend. */
  backend: string;
  /** The claim of the volume that has the folder of a `file://` backend. */
  volumeClaim: string | undefined;
  rollout: RolloutConfig;
  /** Names of the project's files, in the ConfigMap as in the folder. */
  files: readonly string[];
  configMap: Named;
  secret: Named;
  pullSecret: Named | undefined;
  serviceAccount: Named;
  /** The claim's id. */
  claim: Named;
}

/** Where the image has the program; the project's files are put beside it. */
const home = "/tagalong";
/** Name of its secrets' file, as JSON; a file, so that neither the Deployment nor `kubectl describe` shows them. */
export const secretsFile = "secrets.json";
const secretsFolder = "/run/tagalong";
/** The engine's own home in the image; what it writes there is not to be kept. */
const pulumiHome = "/opt/pulumi";
/** Written while the watcher is alive; see cli/watch.ts. */
const heartbeat = { file: "/tmp/heartbeat", staleMs: 60_000 };
const user = 1000;
/** Time for a roll under way to end, beyond its deadline and its drain. */
const stopReserveSeconds = 30;
/** After a node has fallen silent, before its watcher is replaced; by default five minutes. */
const silentNodeSeconds = 30;

export function watcherPod(args: WatcherPodArgs): PodSpec {
  const { backend, volumeClaim, rollout, configMap, secret } = args;
  const state = volumeClaim === undefined ? undefined : decodeURIComponent(new URL(backend).pathname);
  const variables: Record<string, string> = {
    PULUMI_BACKEND_URL: backend,
    PULUMI_CREDENTIALS_PATH: "/tmp/pulumi",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    TAGALONG_SECRETS_FILE: `${secretsFolder}/${secretsFile}`,
    TAGALONG_HEARTBEAT_FILE: heartbeat.file,
    // What is not in the registry yet is not to end with the pod, where there is a volume.
    ...(state === undefined ? {} : { XDG_STATE_HOME: `${state}/.tagalong` }),
  };
  const isStale = `Date.now() - fs.statSync("${heartbeat.file}").mtimeMs > ${heartbeat.staleMs}`;
  return {
    serviceAccountName: args.serviceAccount,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    // A name of its own, so that a lock of the state that it left behind is known for its own and nobody else's.
    hostname: pulumi.interpolate`${watcherName}-${args.claim}`,
    ...(args.pullSecret === undefined ? {} : { imagePullSecrets: [{ name: args.pullSecret }] }),
    terminationGracePeriodSeconds: Math.ceil((rollout.deadline + rollout.drain) / 1000) + stopReserveSeconds,
    tolerations: ["not-ready", "unreachable"].map((condition) => ({
      key: `node.kubernetes.io/${condition}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: silentNodeSeconds,
    })),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      // A large volume would be gone through file by file at each start.
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: watcherName,
        image: args.image,
        args: ["watch", "--stack", args.stack, "--cwd", home],
        env: [
          ...Object.entries(variables).map(([name, value]) => ({ name, value })),
          { name: "TAGALONG_POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        ],
        // It waits most of the time, and a limit would slow down its rolls.
        resources: { requests: { cpu: "100m", memory: "512Mi" } },
        livenessProbe: {
          exec: { command: ["node", "-e", `process.exit(${isStale} ? 1 : 0)`] },
          initialDelaySeconds: 30,
          periodSeconds: 30,
          timeoutSeconds: 20,
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [
          ...args.files.map((file) => ({ name: "project", mountPath: `${home}/${file}`, subPath: file })),
          { name: "secrets", mountPath: secretsFolder, readOnly: true },
          { name: "tmp", mountPath: "/tmp" },
          { name: "tmp", mountPath: `${pulumiHome}/workspaces`, subPath: "workspaces" },
          ...(state === undefined ? [] : [{ name: "state", mountPath: state }]),
        ],
        terminationMessagePolicy: "FallbackToLogsOnError",
      },
    ],
    volumes: [
      { name: "project", configMap: { name: configMap } },
      { name: "secrets", secret: { secretName: secret, defaultMode: 0o440 } },
      { name: "tmp", emptyDir: {} },
      ...(volumeClaim === undefined
        ? []
        : [{ name: "state", persistentVolumeClaim: { claimName: volumeClaim } }]),
    ],
  };
}
