// The way to the registry: one connection for questions, which end at once when the watcher is to stop, and one for what
// must be written down even then.
import { Ledger } from "../ledger";
import type { ExplicitCredentials } from "../registry";
import { type CredentialLookup, credentialLookup, type Reference, RegistryClient } from "../registry";

interface Side {
  client: RegistryClient;
  ledger: Ledger;
}

export class Access {
  /** Image → its environment tag. */
  references: Readonly<Record<string, Reference>> = {};
  credentials: CredentialLookup = credentialLookup();
  asking: Side;
  telling: Side;

  constructor(private readonly environment: string) {
    this.asking = this.side();
    this.telling = this.side();
  }

  /** Goes this way from now on. */
  async follow(
    references: Readonly<Record<string, Reference>>,
    explicit: ExplicitCredentials,
  ): Promise<void> {
    const former = [this.asking, this.telling];
    this.references = references;
    this.credentials = credentialLookup(explicit);
    this.asking = this.side();
    this.telling = this.side();
    await Promise.all(former.map(({ client }) => client.close()));
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
