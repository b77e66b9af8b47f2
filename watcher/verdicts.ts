// What was found out about the digests of a roll: put down for everybody, by way of the outbox.
import type { Verdict } from "../rollout/record";
import type { Release } from "../rollout/release";
import type { UpdateFailure } from "../rollout/verdict";
import { whoAmI } from "./hand";
import { short } from "./log";
import type { Outbox } from "./outbox";
import type { Changed } from "./releases";
import type { Work } from "./work";

export class Verdicts {
  constructor(
    private readonly work: Pick<Work, "stack" | "config" | "log">,
    private readonly outbox: Pick<Outbox, "add">,
  ) {}

  /** @param receipt id of the receipt of the roll in which it was found */
  healthy(changed: Changed, receipt: string): void {
    this.put(
      "healthy",
      changed.map(([image, { digest }]) => ({ image, digest, reason: "" })),
      receipt,
    );
  }

  /**
   * Puts down what a release failed with.
   * @returns whom it was held against, in words
   */
  rejected(
    release: Release,
    changed: Changed,
    services: { service: string; reason: string }[],
    failures: UpdateFailure[],
    receipt: string,
  ): string {
    const found = services.flatMap(({ service, reason }) => {
      const image = this.work.config.now.services[service]?.image ?? "";
      const digest = release[image]?.digest;
      return digest && changed.some(([name]) => name === image) ? [{ service, image, digest, reason }] : [];
    });
    // A failure that no changed image explains (a worker that an old one broke) still must not be tried forever.
    const reason = services[0]?.reason ?? "the roll failed";
    const rejected =
      found.length > 0
        ? found
        : changed.map(([image, { digest }]) => ({ service: image, image, digest, reason }));
    const sentences = rejected.map(({ service, digest, reason }) => `${service} ${short(digest)}: ${reason}`);
    this.work.log("rejected", sentences.join("; "), {
      environment: this.work.stack,
      failures: rejected.map(({ service, digest, reason }) => ({ service, digest, reason })),
      detail: failures.map(({ message }) => message),
    });
    this.put("rejected", rejected, receipt);
    return sentences.join("; ");
  }

  private put(
    outcome: Verdict["outcome"],
    images: readonly { image: string; digest: string; reason: string }[],
    receipt: string,
  ): void {
    const [at, by] = [new Date().toISOString(), whoAmI()];
    // Two services of one image may both have failed: one verdict tells.
    const once = new Map(
      images.map((one) => [one.image, one]).reverse() as [string, (typeof images)[number]][],
    );
    this.outbox.add(
      ...[...once.values()].map(({ image, digest, reason }) => {
        const configuration = this.work.config.configurationOf(image);
        const verdict = { outcome, at, reason, configuration, by, receipt };
        return { kind: "verdict", image, digest, verdict } as const;
      }),
    );
  }
}
