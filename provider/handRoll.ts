// What a `pulumi up` by hand writes down of its roll, as a watcher does of its own: a verdict on each image, and a
// receipt. The resources of one update run in one process, so they tell it here what each of them has reached.

import { setTimeout } from "node:timers/promises";
import { mirrorTo, type ReceiptMirror } from "../github";
import { Ledger } from "../ledger";
import { credentialLookup, type ExplicitCredentials, parseReference, RegistryClient } from "../registry";
import { type Blamed, blame, type Rolled } from "../rollout/blame";
import { cutShort } from "../rollout/opening";
import type { Hop, Receipt, Verdict } from "../rollout/record";
import { judgeFailures } from "../rollout/verdict";
import type { Context } from "./handler";
import { session } from "./session";

/** The program's part of it: what rolls, decided before any resource was declared. */
export interface HandRoll {
  /** The environment: a stack's name. */
  environment: string;
  /** The project's folder, which names the repository on GitHub. */
  directory: string;
  images: Record<string, Rolled & { repository: string; digest: string; configuration: string }>;
  /** As it begins. */
  receipt: Receipt;
}

/** For what is written down in the registry. */
const patienceMs = 30_000;
/** At the end, for what GitHub has not been told yet. */
const lastWordsMs = 5_000;

const pinned = ({ repository, digest }: HandRoll["images"][string]): string => `${repository}@${digest}`;

type Log = Pick<Context, "log">;

/** The roll that this process is at. */
let current: Roll | undefined;

/**
 * The roll that is to be written down; undefined where a watcher does it, or nobody.
 * @param reference leaves out what is no image of the roll, such as the edge's
 */
export async function handRoll(reference?: string): Promise<Roll | undefined> {
  const offered = await session();
  if (offered?.role !== "hand" || !offered.roll) return undefined;
  const { roll, credentials } = offered;
  const isOurs = Object.values(roll.images).some((image) => pinned(image) === reference);
  if (reference !== undefined && !isOurs) return undefined;
  if (current?.id !== roll.receipt.id) current = new Roll(roll, credentials);
  return current;
}

export class Roll {
  readonly id: string;
  private receipt: Receipt;
  private isBegun = false;
  /** Whether it has been said that the registry does not take what is written down. */
  private isTold = false;
  private readonly ledger: Ledger;
  /** Where the repository's page is told; `none` where nobody asked for it. */
  private mirror: ReceiptMirror | "none" | undefined;

  constructor(
    private readonly roll: HandRoll,
    credentials: ExplicitCredentials,
  ) {
    this.id = roll.receipt.id;
    this.receipt = roll.receipt;
    const client = new RegistryClient({ credentials: credentialLookup(credentials) });
    const images = Object.entries(roll.images).map(
      ([image, { repository }]) => [image, parseReference(repository)] as const,
    );
    this.ledger = new Ledger(client, roll.environment, Object.fromEntries(images));
  }

  /** Whether an image gets another digest than it runs. */
  get isMoving(): boolean {
    return Object.values(this.roll.images).some(({ isMoved }) => isMoved);
  }

  /** Has it on record from here on that somebody rolls, in case nobody is left to say how it ended. */
  begin(log: Log): void {
    if (this.isBegun) return;
    this.isBegun = true;
    void this.write(log, (ledger) => ledger.record(this.receipt));
    this.tell(log, this.receipt);
  }

  /** Notes a step; where several images reach it, the last one's time counts. */
  reached(hop: Hop, log: Log, at = Date.now()): void {
    if (hop !== "pulled") this.begin(log);
    this.receipt = { ...this.receipt, hops: { ...this.receipt.hops, [hop]: new Date(at).toISOString() } };
    if (hop === "switched") this.tell(log, { ...this.receipt, outcome: "live" });
  }

  /**
   * Writes down that it failed, and what that says about the images; the error itself is the caller's.
   * @param reference the image that could not be had; without it, the gate's error names the services
   */
  async failed(error: unknown, context: Context, reference?: string): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    if (context.signal.aborted) return this.end("cancelled", "somebody cancelled the update", context);
    const { environment: stack, images } = this.roll;
    const services = Object.values(images).flatMap((image) => [...image.services]);
    const service = Object.values(images).find((image) => pinned(image) === reference)?.services[0] ?? "";
    const [type, name] = reference
      ? ["tagalong:index:Image", `${stack}-${service}`]
      : ["tagalong:index:Gate", ""];
    const verdict = judgeFailures([{ type, name, message }], { stack, services });
    if (verdict.kind === "retry") return this.end("failed", verdict.reason, context);
    await this.rejected(verdict.services, context);
  }

  async rejected(failing: readonly { service: string; reason: string }[], log: Log): Promise<void> {
    const blamed = blame(this.roll.images, failing);
    const reason = failing.map((one) => `${one.service}: ${one.reason}`).join("; ");
    await Promise.all([
      this.judge("rejected", blamed, log),
      this.end(blamed.length > 0 ? "rejected" : "failed", reason, log),
    ]);
  }

  async healthy(log: Log): Promise<void> {
    const images = Object.keys(this.roll.images).map((image) => ({ image, reason: "" }));
    await Promise.all([this.judge("healthy", images, log), this.end("healthy", "", log)]);
  }

  private judge(outcome: Verdict["outcome"], images: readonly Blamed[], log: Log): Promise<void> {
    const { by, id: receipt } = this.receipt;
    const at = new Date().toISOString();
    return this.write(log, async (ledger) => {
      await Promise.all(
        images.map(async ({ image, reason }) => {
          const { digest = "", configuration = "" } = this.roll.images[image] ?? {};
          await ledger.judge(image, digest, { outcome, at, reason, configuration, by, receipt });
        }),
      );
    });
  }

  private async end(outcome: Receipt["outcome"], reason: string, log: Log): Promise<void> {
    const endedAt = new Date().toISOString();
    this.isBegun = true;
    this.receipt = { ...this.receipt, outcome, endedAt, ...(reason === "" ? {} : { reason }) };
    this.tell(log, this.receipt);
    await this.write(log, async (ledger) => {
      // Whoever updates a stack has its lock: what else is rolling by hand has been cut short.
      const others = (await ledger.receipts()).filter(
        ({ id, outcome, via }) => outcome === "rolling" && via === "up" && id !== this.id,
      );
      const closed = others.map((other) => ({ ...other, ...cutShort(other), endedAt }));
      for (const one of closed) this.tell(log, one);
      await Promise.all([this.receipt, ...closed].map((one) => ledger.record(one)));
    });
    if (this.mirror !== "none") await this.mirror?.close(lastWordsMs);
  }

  /** Tells GitHub in the background, where a repository is configured. */
  private tell(log: Log, receipt: Receipt): void {
    const { directory } = this.roll;
    this.mirror ??=
      mirrorTo({ directory, env: process.env }, (problem, severity) => log.log(severity, problem)) ?? "none";
    if (this.mirror !== "none") this.mirror.report(receipt);
  }

  /** Who may not write to the registry may still roll, and is told what is missing then; nobody waits for it for long. */
  private async write(log: Log, work: (ledger: Ledger) => Promise<void>): Promise<void> {
    const patience = setTimeout(patienceMs, `it took longer than ${patienceMs / 1000} s`, { ref: false });
    const problem = await Promise.race([
      work(this.ledger).then(
        () => "",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
      patience,
    ]);
    if (problem === "" || this.isTold) return;
    this.isTold = true;
    log.log("warning", `what came of this roll could not be written down in the registry: ${problem}`);
  }
}
