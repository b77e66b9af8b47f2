/** Records as tests write them, and ledgers that know nothing of each other, as those of several machines. */
import { Ledger } from "../../../ledger";
import { parseReference, RegistryClient } from "../../../registry";
import type { Override, Receipt, Verdict } from "../../../rollout/record";

export const verdict = (outcome: Verdict["outcome"], more: Partial<Verdict> = {}): Verdict => ({
  outcome,
  at: "2026-11-21T16:15:00.000Z",
  reason: outcome === "rejected" ? "exited with code 1" : "",
  configuration: "0123456789abcdef",
  by: "ada@build-7",
  receipt: "20261121T161500.000Z-4f9a01",
  ...more,
});

export const override = (rejections: string[]): Override => ({
  at: "2026-11-21T17:00:00Z",
  by: "ada@build-7",
  reason: "a flaky probe",
  rejections,
});

export const receipt = (id: string, digest: string, more: Partial<Receipt> = {}): Receipt => ({
  id,
  environment: "dev",
  trigger: "tag",
  by: "ada@build-7",
  via: "watcher",
  images: { server: { to: digest, version: "1.4.2" } },
  hops: { observed: "2026-11-21T16:15:00Z" },
  outcome: "rolling",
  ...more,
});

/** Another process, as far as a ledger can tell; `close` ends its connections. */
export interface Machine {
  ledger(host: string, repositories: Readonly<Record<string, string>>, environment?: string): Ledger;
  close(): Promise<void>;
}

/**
 * Ledgers with a client each.
 * @param steadyMs how long a writing of theirs must stand; a test in which they race leaves it as it is in earnest
 */
export function machines(steadyMs?: number): Machine {
  const clients: RegistryClient[] = [];
  return {
    ledger(host, repositories, environment = "dev") {
      const client = new RegistryClient({
        credentials: async () => undefined,
        insecure: new Set(),
        deadlineMs: 3_000,
      });
      clients.push(client);
      const images = Object.entries(repositories).map(([image, repository]) => [
        image,
        parseReference(`${host}/${repository}:${environment}`),
      ]);
      const options = steadyMs === undefined ? {} : { steadyMs };
      return new Ledger(client, environment, Object.fromEntries(images), options);
    },
    async close() {
      await Promise.all(clients.splice(0).map((client) => client.close()));
    },
  };
}
