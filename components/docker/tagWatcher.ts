// TagWatcher: the watcher as a container beside the environment that it follows, from the project's own image. It runs
// this same program, itself included, so everything about it is made from what it is given here and nothing else: what
// it finds when it runs the program is what is there already, and it never replaces itself.
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { EnvironmentConfig, WatcherConfig } from "../../config";
import { labels } from "../../provider/docker/layout";
import { type Claim, Image } from "../../provider/resources";
import { formatReference } from "../../registry/reference";
import type { ProjectFiles } from "../projectFiles";

export interface TagWatcherArgs {
  config: EnvironmentConfig;
  watcher: WatcherConfig;
  files: ProjectFiles;
  /** The container's name. */
  containerName: string;
  /** `<project>/<stack>` */
  environment: string;
  claim: Claim;
}

/** Where the image has the program; the project's files are put beside it. */
const home = "/tagalong";
/** Its secrets, as JSON; a file, so that no `docker inspect` shows them. */
const secretsFile = "/run/tagalong/secrets.json";
/** Time for a roll under way to end, beyond its deadline and its drain. */
const stopReserveSeconds = 30;

export class TagWatcher extends pulumi.ComponentResource {
  public readonly container: docker.Container;

  constructor(name: string, args: TagWatcherArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:TagWatcher", name, {}, opts);
    const { config, watcher, files, containerName, environment, claim } = args;
    const child = { parent: this, dependsOn: [claim] };
    const image = new Image(
      name,
      { reference: formatReference(watcher.image), platforms: [], keep: config.rollout.keep },
      child,
    );
    const secrets = pulumi
      .all(
        watcher.secrets.map((key) => pulumi.output(config.secrets[key] ?? "").apply((value) => [key, value])),
      )
      .apply((entries) => JSON.stringify(Object.fromEntries(entries)));
    const state = localFolder(watcher.backend);
    const graceMs = config.rollout.deadline + config.rollout.drain;

    this.container = new docker.Container(
      name,
      {
        name: containerName,
        image: image.pinned,
        command: ["watch", "--stack", config.stack, "--cwd", home],
        envs: [
          `PULUMI_BACKEND_URL=${watcher.backend}`,
          `TAGALONG_SECRETS_FILE=${secretsFile}`,
          "PULUMI_SKIP_UPDATE_CHECK=true",
        ],
        uploads: [
          { file: `${home}/Pulumi.yaml`, content: files.project },
          { file: `${home}/Pulumi.${config.stack}.yaml`, content: files.stack },
          ...(files.repository === ""
            ? []
            : [{ file: `${home}/Pulumi.repository.yaml`, content: files.repository }]),
          { file: secretsFile, content: pulumi.secret(secrets), permissions: "0600" },
        ],
        volumes: [
          { hostPath: "/var/run/docker.sock", containerPath: "/var/run/docker.sock" },
          ...(state === undefined ? [] : [{ hostPath: state, containerPath: state }]),
        ],
        // The registry may be on the host's loopback, and the gate asks the containers at their own addresses.
        networkMode: "host",
        // A name of its own, so that a lock that it left behind is known for its own and nobody else's.
        hostname: containerName,
        capabilities: { drops: ["ALL"], adds: ["CAP_DAC_OVERRIDE"] },
        securityOpts: ["no-new-privileges:true"],
        restart: "unless-stopped",
        labels: [
          { label: labels.environment, value: environment },
          { label: labels.claim, value: claim.claim },
        ],
        wait: false,
        mustRun: false,
        destroyGraceSeconds: Math.ceil(graceMs / 1000) + stopReserveSeconds,
      },
      // Two of one name cannot be, and two at work need not.
      { ...child, deleteBeforeReplace: true, ignoreChanges: ["bridge"] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}

/** The folder of a `file://` backend, which the container must see under the same path. */
function localFolder(backend: string): string | undefined {
  return backend.startsWith("file://") ? decodeURIComponent(new URL(backend).pathname) : undefined;
}
