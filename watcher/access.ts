// The way to the registry: one connection for questions, which end at once when the watcher is to stop, and one for what
// must be written down even then.
import { Ledger } from "../ledger";
import type { ExplicitCredentials } from "../registry";
import { type CredentialLookup, credentialLookup, type Reference, RegistryClient } from "../registry";

interface Side {
  client: RegistryClient;
  ledger: Ledger;
}

interface Telling extends Side {
  underWay: Set<Promise<unknown>>;
}

export class Access {
  /** Image → its environment tag. */
  references: Readonly<Record<string, Reference>> = {};
  credentials: CredentialLookup = credentialLookup();
  asking: Side;
  private telling: Telling;

  constructor(private readonly environment: string) {
    this.asking = this.side();
    this.telling = { ...this.side(), underWay: new Set() };
  }

  /** Goes this way from now on. */
  async follow(
    references: Readonly<Record<string, Reference>>,
    explicit: ExplicitCredentials,
  ): Promise<void> {
    const { asking, telling } = this;
    this.references = references;
    this.credentials = credentialLookup(explicit);
    this.asking = this.side();
    this.telling = { ...this.side(), underWay: new Set() };
    // What is being written has its time.
    void Promise.allSettled(telling.underWay).then(() => telling.client.close());
    await asking.client.close();
  }

  /** Writes something down. */
  async tell<T>(work: (side: Side) => Promise<T>): Promise<T> {
    const { telling } = this;
    const told = work(telling);
    telling.underWay.add(told);
    try {
      return await told;
    } finally {
      telling.underWay.delete(told);
    }
  }

  /** Ends the questions under way. */
  hush(): Promise<void> {
    return this.asking.client.close();
  }

  async close(): Promise<void> {
    await Promise.all([this.asking.client.close(), this.telling.client.close()]);
  }

  private side(): Side {
    const client = new RegistryClient({ credentials: this.credentials });
    return { client, ledger: new Ledger(client, this.environment, this.references) };
  }
}
