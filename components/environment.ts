// An environment, whichever engine it runs on.
import * as pulumi from "@pulumi/pulumi";
import type { EnvironmentConfig } from "../config";
import { Provider } from "../provider/resources";
import type { Release } from "../rollout/release";
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

export class Environment extends pulumi.ComponentResource {
  /** Service → where it is reached from outside of the environment. */
  public readonly urls: pulumi.Output<Record<string, string>>;
  /** When the traffic last moved, milliseconds since the epoch; undefined where nothing serves. */
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
    const Engine = engines[config.engine]();
    const engine = new Engine(
      name,
      {
        config,
        release,
        files: portableFiles(files),
        promote: (platforms) => promote(name, promotion, release, platforms, tagalong),
        tried,
      },
      { parent: this, providers: [tagalong, Engine.provider(config, top)] },
    );
    this.urls = pulumi.output(engine.urls);
    this.switchedAt = engine.switchedAt;
    this.claim = engine.claim.claim;
    this.release = engine.release;
    this.registerOutputs({ urls: this.urls });
  }
}

/** Each is loaded where it is used alone: its SDK takes longer to load than everything else. */
const engines = {
  docker: () => {
    const { DockerEnvironment } = require("./docker/environment") as typeof import("./docker/environment");
    return DockerEnvironment;
  },
  kubernetes: () => {
    const { KubernetesEnvironment } =
      require("./kubernetes/environment") as typeof import("./kubernetes/environment");
    return KubernetesEnvironment;
  },
};
