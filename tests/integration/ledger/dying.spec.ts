/** Whatever request a registry dies at while something is put on record: it is on record whole, or not at all. */
import assert from "node:assert/strict";
import type { Ledger } from "../../../ledger";
import { atEachRequest, deaths } from "../registry/dying";
import { pushImage } from "../registry/images";
import { type RealRegistry, startRealRegistry } from "../registry/real-registry";
import { type Machine, machines, receipt, verdict } from "./records";

describe("A registry that dies while something is put on record", () => {
  let real: RealRegistry;
  let machine: Machine;

  before(async () => {
    real = await startRealRegistry();
    machine = machines(300);
  });
  after(async () => {
    await machine.close();
    await real.close();
  });

  const hold = { at: "2026-11-21T16:15:00.000Z", by: "ada@build-7", reason: "looking into it" };
  const older = receipt("1", `sha256:${"0".repeat(64)}`);
  const cases: {
    name: string;
    put: (ledger: Ledger, digest: string) => Promise<void>;
    read: (ledger: Ledger, digest: string) => Promise<unknown>;
    none: unknown;
    done: (digest: string) => unknown;
  }[] = [
    {
      name: "a rejection",
      put: (ledger, digest) => ledger.judge("server", digest, verdict("rejected")),
      read: async (ledger, digest) => (await ledger.findings("server", digest)).rejected?.reason,
      none: undefined,
      done: () => "exited with code 1",
    },
    {
      name: "being healthy",
      put: (ledger, digest) => ledger.judge("server", digest, verdict("healthy")),
      read: async (ledger, digest) => (await ledger.findings("server", digest)).healthy,
      none: undefined,
      done: () => verdict("healthy"),
    },
    {
      name: "a hold",
      put: (ledger) => ledger.setHold(hold),
      read: async (ledger) => (await ledger.hold())?.reason,
      none: undefined,
      done: () => hold.reason,
    },
    {
      name: "a receipt, after another",
      put: (ledger, digest) => ledger.record(receipt("2", digest)),
      read: (ledger) => ledger.receipts(),
      none: [older],
      done: (digest) => [receipt("2", digest), older],
    },
  ];
  for (const { name, put, read, none, done } of cases) {
    for (const death of deaths) {
      it(`${name}, ${death}: nothing is half there, and doing it again completes it`, async function () {
        this.timeout(240_000);
        const place = `${cases.findIndex((one) => one.name === name)}-${deaths.indexOf(death)}`;
        const digests: string[] = [];
        const ledger = (host: string, n: number) => machine.ledger(host, { server: `acme/${place}-${n}` });
        const died = await atEachRequest(
          real.host,
          death,
          ({ pass }) => pass(),
          async (door, n) => {
            const target = { host: real.host, repository: `acme/${place}-${n}` };
            digests[n] = (await pushImage(target, { flavour: "oci", seed: place })).digest;
            if (name.startsWith("a receipt")) await ledger(real.host, n).record(older);
            await put(ledger(door.host, n), digests[n] ?? "");
          },
          async (n, error) => {
            const digest = digests[n] ?? "";
            const now = await read(ledger(real.host, n), digest);
            const isDone = JSON.stringify(now) === JSON.stringify(done(digest));
            if (!isDone) assert.deepEqual(now, none, `it died at request ${n + 1}`);
            if (!error) assert(isDone, `request ${n + 1} is said to have been the last`);
            await put(ledger(real.host, n), digest);
            assert.deepEqual(await read(ledger(real.host, n), digest), done(digest));
          },
        );
        assert(died >= 2, `it died at ${died} requests`);
      });
    }
  }
});
