// Who the commands are to a registry: what Docker's own tools keep, or else the stack's own credentials, which only
// Pulumi can decrypt. What is decrypted stays in this process.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { EnvironmentConfig } from "../config";
import {
  type Credential,
  type CredentialLookup,
  credentialLookup,
  type ExplicitCredentials,
  RegistryError,
} from "../registry";

const decryptMs = 20_000;

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
    const args = ["config", "get", "tagalong:registries", "--stack", stack, "--cwd", this.directory];
    const asked = promisify(execFile)("pulumi", [...args, "--non-interactive"], { timeout: decryptMs }).then(
      ({ stdout }) => JSON.parse(stdout) as ExplicitCredentials,
      () => undefined,
    );
    this.decrypted.set(stack, asked);
    return asked;
  }
}
