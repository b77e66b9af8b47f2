// Which digests may not roll, and why. A rejection binds while the configuration is the one that the image failed with.
import type { Release } from "../rollout/release";
import type { UpdateFailure } from "../rollout/verdict";
import { short } from "./log";
import type { Changed } from "./releases";
import type { Work } from "./work";

export class Rejections {
  /** `image@digest` → why it may not roll and for which configuration that was found. */
  private readonly rejected = new Map<string, { reason: string; configuration: string }>();

  constructor(private readonly work: Pick<Work, "stack" | "config" | "log">) {}

  /** Why a digest of an image may not roll; undefined where it may. */
  reason(image: string, digest: string): string | undefined {
    const found = this.rejected.get(`${image}@${digest}`);
    return found?.configuration === this.work.config.configurationOf(image) ? found.reason : undefined;
  }

  /** Whether it was ever rejected, with whatever configuration. */
  has(image: string, digest: string): boolean {
    return this.rejected.has(`${image}@${digest}`);
  }

  /** Remembers what a release failed with. */
  add(
    release: Release,
    changed: Changed,
    services: { service: string; reason: string }[],
    failures: UpdateFailure[],
  ): void {
    const { stack, config, log } = this.work;
    const found = services.flatMap(({ service, reason }) => {
      const image = config.now.services[service]?.image ?? "";
      const digest = release[image]?.digest;
      return digest && changed.some(([name]) => name === image) ? [{ service, image, digest, reason }] : [];
    });
    // A failure that no changed image explains (a worker that an old one broke) still must not be tried forever.
    const reason = services[0]?.reason ?? "the roll failed";
    const rejected =
      found.length > 0
        ? found
        : changed.map(([image, { digest }]) => ({ service: image, image, digest, reason }));
    for (const { image, digest, reason } of rejected) {
      this.rejected.set(`${image}@${digest}`, { reason, configuration: config.configurationOf(image) });
    }
    const sentences = rejected.map(({ service, digest, reason }) => `${service} ${short(digest)}: ${reason}`);
    log("rejected", sentences.join("; "), {
      environment: stack,
      failures: rejected.map(({ service, digest, reason }) => ({ service, digest, reason })),
      detail: failures.map(({ message }) => message),
    });
  }
}
