// Who the commands are to a registry: what Docker's own tools keep, or else the stack's own credentials, which only
// Pulumi can decrypt. What is decrypted stays in this process.
import type { EnvironmentConfig } from "../config";
import {
  type Credential,
  type CredentialLookup,
  credentialLookup,
  type ExplicitCredentials,
  RegistryError,
} from "../registry";

export class StackCredentials {
  /** Stacks that have credentials of a registry, by its host. */
  private readonly stacks = new Map<string, string>();
  private readonly decrypted = new Map<string, Promise<ExplicitCredentials | undefined>>();

  constructor(private readonly directory: string) {}

  /** Lets the stack's credentials be used where Docker's tools have none. */
  add(stack: string, { registries }: Pick<EnvironmentConfig, "registries">): void {
    for (const host of Object.keys(registries)) if (!this.stacks.has(host)) this.stacks.set(host, stack);
  }

  readonly lookup: CredentialLookup = async (registry): Promise<Credential | undefined> => {
    const own = await credentialLookup()(registry);
    const stack = this.stacks.get(registry);
    if (own || stack === undefined) return own;
    const explicit = await this.decrypt(stack);
    return explicit ? credentialLookup(explicit, {})(registry) : undefined;
  };

  /** A refusal, with the reason where it is that the stack's credentials could not be read. */
  explained(error: unknown): unknown {
    if (!(error instanceof RegistryError) || error.reason !== "access") return error;
    const host = error.reference?.split("/")[0] ?? "";
    const stack = this.stacks.get(host);
    if (stack === undefined) return error;
    const fix = `log in with "docker login ${host}", or set PULUMI_CONFIG_PASSPHRASE so that Pulumi can decrypt them`;
    const detail = `${error.detail} (tagalong:registries of ${stack} has credentials for it, which are encrypted: ${fix})`;
    return new RegistryError(error.reason, detail, { reference: error.reference });
  }

  /** Undefined where there is no engine, no backend or no passphrase. */
  private decrypt(stack: string): Promise<ExplicitCredentials | undefined> {
    const known = this.decrypted.get(stack);
    if (known) return known;
    const asked = this.ask(stack).catch(() => undefined);
    this.decrypted.set(stack, asked);
    return asked;
  }

  /** Loaded where it is needed alone: most commands never do. */
  private async ask(stack: string): Promise<ExplicitCredentials> {
    const [{ LocalWorkspace }, { pulumiCommand }] = await Promise.all([
      import("@pulumi/pulumi/automation"),
      import("../watcher/engine"),
    ]);
    const workspace = await LocalWorkspace.create({
      workDir: this.directory,
      pulumiCommand: await pulumiCommand(() => ({})),
    });
    const { value } = await workspace.getConfig(stack, "tagalong:registries");
    return JSON.parse(value);
  }
}
