// The config's registry passwords in plain text, for the process that talks to the registries and nobody else.
import type * as pulumi from "@pulumi/pulumi";
import type { ExplicitCredentials } from "../registry";

type Registries = Record<string, { username: string; password: pulumi.Output<string> }>;

/** Waits for each password; they are config values, so none of them is ever unknown. */
export async function plainCredentials(registries: Registries): Promise<ExplicitCredentials> {
  const entries = Object.entries(registries).map(
    ([host, { username, password }]) =>
      new Promise<[string, { username: string; password: string }]>((resolve) => {
        password.apply((plain) => resolve([host, { username, password: plain }]));
      }),
  );
  return Object.fromEntries(await Promise.all(entries));
}
