// Where a watcher that starts finds its environment. It takes nothing for good that is not on record as such, and goes
// on with what the last one could not end.
import { describe, type Ledger } from "../ledger";
import { atDigest, formatReference, type Reference, type RegistryClient, RegistryError } from "../registry";
import { admit } from "../rollout/admission";
import { type Opening, opening, type RunningImage, waysBack } from "../rollout/opening";
import type { Receipt } from "../rollout/record";
import type { Release, ReleasedImage } from "../rollout/release";
import type { Outbox } from "./outbox";
import type { Records } from "./records";
import type { Work } from "./work";

/** How many releases of the past are looked at for one that may still run. */
const mostWaysBack = 5;

interface Means {
  records: Records;
  outbox: Outbox;
  ledger: Ledger;
  client: RegistryClient;
  /** Where each image is that the environment runs. */
  references: Readonly<Record<string, Reference>>;
}

export interface Beginning extends Opening {
  /** Where the environment goes back to if what runs is no good; empty where nothing is known to be good. */
  good: Release;
  /** All of them, newest first. */
  receipts: readonly Receipt[];
}

/**
 * What is on record of what runs.
 * @throws Error where the registry gives no sure answer
 */
export async function lookUp(
  work: Pick<Work, "stack" | "config" | "standing">,
  means: Means,
): Promise<Beginning> {
  const { outbox, ledger, references } = means;
  const running = Object.fromEntries(
    Object.entries(work.standing.running).filter(([image]) => references[image]),
  );
  if (Object.keys(running).length === 0)
    return { rejected: [], open: [], good: {}, receipts: [], unended: [] };
  const [found, written] = await Promise.all([known(work, means.records, running), ledger.receipts()]);
  const kept = outbox.receipts;
  const receipts = [...kept, ...written.filter(({ id }) => !kept.some((one) => one.id === id))];
  const result = opening(work.stack, found, receipts);
  const isGood = result.rejected.length === 0 && result.open.length === 0;
  const good = isGood ? work.standing.running : await wayBack(work, means, running, receipts);
  return { ...result, good, receipts };
}

/** Whether everything of a release is on record as well by now, by whoever found it; `false` where that is not sure. */
export async function isWell(
  work: Pick<Work, "stack" | "config">,
  records: Records,
  release: Release,
): Promise<boolean> {
  try {
    const digests = Object.entries(release).map(([image, { digest }]): [string, string] => [image, digest]);
    await records.renew(digests, 0);
    const { open, rejected } = opening(work.stack, await known(work, records, release), []);
    return open.length === 0 && rejected.length === 0;
  } catch {
    return false;
  }
}

async function known(
  work: Pick<Work, "config">,
  records: Records,
  release: Release,
): Promise<Record<string, RunningImage>> {
  const found = Object.entries(release).map(async ([image, { digest }]): Promise<[string, RunningImage]> => {
    const findings = await records.findings(image, digest);
    return [image, { digest, configuration: work.config.configurationOf(image), findings }];
  });
  return Object.fromEntries(await Promise.all(found));
}

async function wayBack(
  work: Pick<Work, "stack" | "config">,
  { records, client, references }: Means,
  running: Release,
  receipts: readonly Receipt[],
): Promise<Release> {
  for (const digests of waysBack(running, receipts).slice(0, mostWaysBack)) {
    const images = Object.entries(digests);
    const mayRun = await Promise.all(
      images.map(async ([image, digest]) => {
        const own = await records.findings(image, digest);
        const configuration = work.config.configurationOf(image);
        return admit({ image, digest, environment: work.stack, configuration, own, now: 0 }).admitted;
      }),
    );
    if (!mayRun.every((may) => may)) continue;
    const described = await Promise.all(
      images.map(async ([image, digest]): Promise<[string, ReleasedImage]> => {
        const known = running[image];
        if (known?.digest === digest) return [image, known];
        return [image, await describeOr(client, references[image] as Reference, digest)];
      }),
    );
    return Object.fromEntries(described);
  }
  return {};
}

/** One that the registry has lost may still be on the engine, which then runs it whatever its platform. */
async function describeOr(
  client: RegistryClient,
  reference: Reference,
  digest: string,
): Promise<ReleasedImage> {
  try {
    return await describe(client, reference, digest);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.reason !== "absent") throw error;
    return { reference: formatReference(atDigest(reference, digest)), digest, platforms: [] };
  }
}
