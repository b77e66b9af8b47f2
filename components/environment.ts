// An environment, whichever engine it runs on.
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { EnvironmentConfig } from "../config";
import { Provider } from "../provider/resources";
import type { Release } from "../rollout/release";
import { DockerEnvironment } from "./docker/environment";
import { type ProjectFiles, portableFiles } from "./projectFiles";
import { type PromotionArgs, promote } from "./promotion";

export interface EnvironmentArgs {
  config: EnvironmentConfig;
  /** What it runs, decided beforehand. */
  release: Release;
  /** The project's files, for a watcher in a container. */
  files: ProjectFiles;
  /** Where the program offers the provider what it needs to know. */
  session: string;
  /** What the environment's tags are to be led to first. */
  promotion: PromotionArgs;
  /** Records of the rejections that the release has on it already, and is tried in spite of. */
  tried: readonly string[];
}

/**
 * The engine is the one that DOCKER_HOST names when Pulumi runs, as for the Docker command line and for our provider. For
 * `undefined` itself the SDK writes that into the state, and a refresh elsewhere would look for an engine of that name.
 */
const undefinedHost = pulumi.output(undefined as unknown as string);

export class Environment extends pulumi.ComponentResource {
  /** Service → where the host reaches it. */
  public readonly urls: Record<string, string>;
  /** When the traffic last moved, milliseconds since the epoch; undefined without an edge. */
  public readonly switchedAt: pulumi.Output<number | undefined>;

  /** Marks on the engine what is this environment's own. */
  public readonly claim: pulumi.Output<string>;
  /** What it runs: of an update that moves tags alone, what it ran before. */
  public readonly release: pulumi.Output<Release>;

  constructor(name: string, args: EnvironmentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:Environment", name, {}, opts);
    const { config, release, files, session, promotion, tried } = args;
    // Explicit and first, so that both start at once, beside each other; and nobody's child, see promotion.ts.
    const top = { aliases: [{ parent: this }] };
    const tagalong = new Provider("tagalong", { session }, top);
    const dockerEngine = new docker.Provider("docker", { host: undefinedHost }, top);
    const engine = new DockerEnvironment(
      name,
      {
        config,
        release,
        files: portableFiles(files),
        promote: (platform) => promote(name, promotion, release, platform, tagalong),
        tried,
      },
      { parent: this, providers: [tagalong, dockerEngine] },
    );
    this.urls = engine.urls;
    this.switchedAt = pulumi.output(engine.route?.switchedAt);
    this.claim = engine.claim.claim;
    this.release = engine.release;
    this.registerOutputs({ urls: this.urls });
  }
}
