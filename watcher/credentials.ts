// The config's registry passwords in plain text, for the process that talks to the registries and nobody else.
import type * as pulumi from "@pulumi/pulumi";
import type { ExplicitCredentials } from "../registry";

type Registries = Record<string, { username: string; password: pulumi.Output<string> }>;

/** Waits for each password; they are config values, so none of them is ever unknown. */
export async function plainCredentials(registries: Registries): Promise<ExplicitCredentials> {
  const entries = Object.entries(registries).map(async ([host, { username, password }]) => {
    return [host, { username, password: (await plainText(password)) ?? "" }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The text of a secret of the config, as above. */
export function plainText(secret: pulumi.Output<string> | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (secret === undefined) resolve(undefined);
    else secret.apply((plain) => resolve(plain));
  });
}
