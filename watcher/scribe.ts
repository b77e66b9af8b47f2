// Puts what the outbox holds into the registry.
import { nameRelease } from "../ledger";
import type { RegistryClient } from "../registry";
import type { Receipt } from "../rollout/record";
import type { Access } from "./access";
import type { Unwritten } from "./outbox";

export class Scribe {
  private lastNamed: { key: string; name: string | undefined } | undefined;

  /** @param onVerdict told of what is on record from now on */
  constructor(
    private readonly access: Access,
    private readonly onVerdict: (image: string, digest: string) => void,
  ) {}

  /** @throws Error where it is not sure that it is written */
  write(one: Unwritten): Promise<void> {
    return this.access.tell((side) => this.put(one, side));
  }

  private async put(one: Unwritten, { client, ledger }: Access["asking"]): Promise<void> {
    if (one.kind === "receipt") return ledger.record(await this.named(one.receipt, client));
    // Of an image that the environment runs no longer, nobody asks.
    if (!this.access.references[one.image]) return;
    await ledger.judge(one.image, one.digest, one.verdict);
    this.onVerdict(one.image, one.digest);
  }

  /** With the name that its images carry, where the config names none. */
  private async named(receipt: Receipt, client: RegistryClient): Promise<Receipt> {
    const images = Object.entries(receipt.images);
    const references = Object.fromEntries(
      Object.entries(this.access.references).filter(([image]) => receipt.images[image]),
    );
    if (receipt.release !== undefined || Object.keys(references).length < images.length) return receipt;
    const digests = Object.fromEntries(images.map(([image, { to }]) => [image, to]));
    const key = JSON.stringify(digests);
    if (this.lastNamed?.key !== key) {
      const candidates = {
        versions: images.flatMap(([, { version }]) => version ?? []),
        revisions: images.flatMap(([, { revision }]) => revision ?? []),
      };
      const name = await nameRelease(client, references, digests, candidates);
      this.lastNamed = { key, name };
    }
    return this.lastNamed.name === undefined ? receipt : { ...receipt, release: this.lastNamed.name };
  }
}
