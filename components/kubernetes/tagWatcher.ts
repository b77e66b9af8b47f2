// TagWatcher: the watcher as a Deployment in the namespace that it follows, from the project's own image. It runs this
// same program, itself included, so everything about it is made from what it is given here and nothing else: what it
// finds when it runs the program is what is there already, and it never replaces itself.
import { createHash } from "node:crypto";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, Secret, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import * as pulumi from "@pulumi/pulumi";
import type { EnvironmentConfig, WatcherConfig } from "../../config";
import { podLabels, watcherName } from "../../provider/kubernetes/layout";
import { formatReference } from "../../registry/reference";
import type { ProjectFiles } from "../projectFiles";
import { watcherPermissions } from "./needs";
import type { Owned } from "./owned";
import { secretsFile, watcherPod } from "./watcherPod";

export interface TagWatcherArgs {
  config: EnvironmentConfig;
  watcher: WatcherConfig;
  files: ProjectFiles;
  /** The Secret with the registries' credentials, where the config has some. */
  pullSecret: pulumi.Input<string> | undefined;
  claim: pulumi.Input<string>;
  owned: Owned;
}

export class TagWatcher extends pulumi.ComponentResource {
  public readonly deployment: Deployment;

  constructor(name: string, args: TagWatcherArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:KubernetesTagWatcher", name, {}, opts);
    const { config, watcher, files, owned } = args;
    const child = { parent: this };
    const selector = podLabels(watcherName);
    const metadata = owned.metadata(watcherName, selector);

    const account = new ServiceAccount(name, { metadata, automountServiceAccountToken: false }, child);
    const role = new Role(name, { metadata, rules: rulesOf(config) }, child);
    const binding = new RoleBinding(
      name,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: [
          { kind: "ServiceAccount", name: account.metadata.name, namespace: account.metadata.namespace },
        ],
      },
      child,
    );
    const data = filesOf(config.stack, files);
    const configMap = new ConfigMap(name, { metadata, data }, child);
    const secrets = pulumi
      .all(
        watcher.secrets.map((key) => pulumi.output(config.secrets[key] ?? "").apply((value) => [key, value])),
      )
      .apply((entries) => JSON.stringify(Object.fromEntries(entries)));
    // Named anew with each change of its content, so that the change replaces the pod; for the files the pod tells by
    // itself.
    const secret = new Secret(
      name,
      {
        metadata: owned.metadata(undefined, selector),
        immutable: true,
        stringData: { [secretsFile]: pulumi.secret(secrets) },
      },
      child,
    );

    this.deployment = new Deployment(
      name,
      {
        metadata,
        spec: {
          replicas: 1,
          selector: { matchLabels: selector },
          // Two at work need not be; the Lease sees to it where one is ended by force.
          strategy: { type: "Recreate" },
          revisionHistoryLimit: config.rollout.keep,
          template: {
            metadata: { labels: metadata.labels, annotations: { [filesAnnotation]: checksum(data) } },
            spec: watcherPod({
              image: formatReference(watcher.image),
              stack: config.stack,
              backend: watcher.backend,
              volumeClaim: watcher.volumeClaim,
              rollout: config.rollout,
              files: Object.keys(data),
              configMap: configMap.metadata.name,
              secret: secret.metadata.name,
              pullSecret: args.pullSecret,
              serviceAccount: account.metadata.name,
              claim: args.claim,
            }),
          },
        },
      },
      { ...child, dependsOn: [binding] },
    );
    new NetworkPolicy(
      name,
      { metadata, spec: { podSelector: { matchLabels: selector }, policyTypes: ["Ingress"], ingress: [] } },
      child,
    );
    this.registerOutputs({ deployment: this.deployment.metadata.name });
  }
}

/** Rules of its Role. */
export const rulesOf = (config: EnvironmentConfig) =>
  watcherPermissions(config).map(({ group, resource, verbs }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs,
  }));

const filesAnnotation = "tagalong.dev/files";
const checksum = (data: Record<string, string>): string =>
  createHash("sha256").update(JSON.stringify(data)).digest("hex");

/** By their names in the project's folder. */
function filesOf(stack: string, { project, stack: own, repository }: ProjectFiles): Record<string, string> {
  return {
    "Pulumi.yaml": project,
    [`Pulumi.${stack}.yaml`]: own,
    ...(repository === "" ? {} : { "Pulumi.repository.yaml": repository }),
  };
}
